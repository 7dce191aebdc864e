#include "core/graph.hpp"

#include <algorithm>

namespace mvo::core {
namespace {

void sort_and_drop_repeats(std::vector<Node>& nodes) {
  std::ranges::sort(nodes);
  const auto repeats = std::ranges::unique(nodes);
  nodes.erase(repeats.begin(), repeats.end());
}

std::vector<Node> reachable(const std::vector<std::vector<Node>>& next,
                            const std::vector<Node>& start) {
  std::vector<bool> seen(next.size(), false);
  std::vector<Node> pending;
  const auto visit = [&](Node node) {
    if (seen[node]) return;
    seen[node] = true;
    pending.push_back(node);
  };
  for (const Node node : start) visit(node);
  while (!pending.empty()) {
    const Node node = pending.back();
    pending.pop_back();
    for (const Node neighbour : next[node]) visit(neighbour);
  }
  std::vector<Node> found;
  for (Node node = 0; node < seen.size(); ++node)
    if (seen[node]) found.push_back(node);
  return found;
}

}  // namespace

Graph::Graph(std::size_t size, const std::vector<Edge>& edges) : sources_(size), readers_(size) {
  for (const auto& [reader, source] : edges) sources_[reader].push_back(source);
  for (Node reader = 0; reader < size; ++reader) {
    sort_and_drop_repeats(sources_[reader]);
    for (const Node source : sources_[reader]) readers_[source].push_back(reader);
  }
}

bool Graph::has(const Edge& edge) const {
  return std::ranges::binary_search(sources_[edge.reader], edge.source);
}

Graph Graph::restricted_to(const std::vector<Node>& kept) const {
  constexpr Node outside = static_cast<Node>(-1);
  std::vector<Node> place(size(), outside);
  for (Node i = 0; i < kept.size(); ++i) place[kept[i]] = i;

  std::vector<Edge> edges;
  for (Node i = 0; i < kept.size(); ++i)
    for (const Node source : sources(kept[i]))
      if (place[source] != outside) edges.push_back({i, place[source]});
  return Graph(kept.size(), edges);
}

std::vector<Node> Graph::with_sources(const std::vector<Node>& start) const {
  return reachable(sources_, start);
}

std::vector<Node> Graph::with_readers(const std::vector<Node>& start) const {
  return reachable(readers_, start);
}

bool has_cycle(const Graph& graph) {
  std::vector<std::size_t> unread(graph.size());
  std::vector<Node> ready;
  for (Node node = 0; node < graph.size(); ++node)
    if ((unread[node] = graph.sources(node).size()) == 0) ready.push_back(node);
  for (std::size_t i = 0; i < ready.size(); ++i)
    for (const Node reader : graph.readers(ready[i]))
      if (--unread[reader] == 0) ready.push_back(reader);
  return ready.size() < graph.size();
}

std::vector<Edge> contradicted_edges(const Graph& claimed, const Graph& known) {
  std::vector<Edge> contradicted;
  for (Node source = 0; source < claimed.size(); ++source) {
    if (known.sources(source).empty() || claimed.readers(source).empty()) continue;
    const auto read = known.with_sources({source});
    for (const Node reader : claimed.readers(source))
      if (reader != source && std::ranges::binary_search(read, reader) &&
          !known.has({reader, source}))
        contradicted.push_back({reader, source});
  }
  std::ranges::sort(contradicted);
  return contradicted;
}

}  // namespace mvo::core
