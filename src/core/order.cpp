#include "core/order.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <queue>

namespace mvo::core {
namespace {

constexpr Node none = static_cast<Node>(-1);

// Breadth-first search for the shortest way from `start` back to itself over the nodes that are
// left (those with unread sources), of fewer than `limit` nodes. Sources are visited in ascending
// order, so among equally short ways the smallest is found. `came_from` is the caller's to reuse:
// all `none` on entry and on exit, so that a search costs what it visits and no more.
std::optional<Cycle> shortest_cycle_from(const Graph& graph, Node start, std::size_t limit,
                                         std::vector<Node>& came_from,
                                         const std::vector<std::size_t>& unread) {
  std::vector<Node> visited{start};
  std::optional<Cycle> found;
  std::size_t length = 1, level_end = 1;
  for (std::size_t i = 0; i < visited.size() && !found && length < limit; ++i) {
    if (i == level_end) {
      ++length;
      level_end = visited.size();
      if (length >= limit) break;
    }
    for (const Node source : graph.sources(visited[i])) {
      if (source == start) {
        found.emplace();
        for (Node node = visited[i]; node != start; node = came_from[node]) found->push_back(node);
        found->push_back(start);
        std::ranges::reverse(*found);
        break;
      }
      if (unread[source] == 0 || came_from[source] != none) continue;
      came_from[source] = visited[i];
      visited.push_back(source);
    }
  }
  for (const Node node : visited) came_from[node] = none;
  return found;
}

// Takes `node` out, and with it what then reads nothing that is left: no other cycle passes there.
void remove(const Graph& graph, Node node, std::vector<std::size_t>& unread) {
  std::vector<Node> gone{node};
  unread[node] = 0;
  while (!gone.empty()) {
    const Node next = gone.back();
    gone.pop_back();
    for (const Node reader : graph.readers(next))
      if (unread[reader] != 0 && --unread[reader] == 0) gone.push_back(reader);
  }
}

Cycle shortest_cycle(const Graph& graph, std::vector<std::size_t> unread) {
  Cycle shortest;
  std::vector<Node> came_from(graph.size(), none);
  for (Node start = 0; start < graph.size(); ++start) {
    if (unread[start] == 0) continue;  // no cycle that is left passes through it
    const std::size_t limit = shortest.empty() ? graph.size() + 1 : shortest.size();
    if (auto cycle = shortest_cycle_from(graph, start, limit, came_from, unread))
      shortest = *std::move(cycle);
    remove(graph, start, unread);
  }
  return shortest;
}

}  // namespace

std::variant<Order, Cycle> order_of(const Graph& graph) {
  std::vector<std::size_t> unread(graph.size());  // sources that are not ordered yet
  std::vector<int> level(graph.size(), 1);
  std::priority_queue<Node, std::vector<Node>, std::greater<>> ready;
  for (Node node = 0; node < graph.size(); ++node) {
    unread[node] = graph.sources(node).size();
    if (unread[node] == 0) ready.push(node);
  }

  Order order;
  order.reserve(graph.size());
  while (!ready.empty()) {
    const Node node = ready.top();
    ready.pop();
    order.push_back({node, level[node]});
    for (const Node reader : graph.readers(node)) {
      level[reader] = std::max(level[reader], level[node] + 1);
      if (--unread[reader] == 0) ready.push(reader);
    }
  }
  if (order.size() == graph.size()) return order;
  return shortest_cycle(graph, unread);
}

}  // namespace mvo::core
