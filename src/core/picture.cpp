#include "core/picture.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

#include "core/components.hpp"

namespace mvo::core {
namespace {

std::vector<Arrow> sorted(std::vector<Arrow> arrows) {
  std::ranges::sort(arrows, {}, [](const Arrow& arrow) {
    return std::tuple(arrow.reader, arrow.source, arrow.basis);
  });
  const auto repeats = std::ranges::unique(
      arrows, {}, [](const Arrow& arrow) { return std::pair(arrow.reader, arrow.source); });
  arrows.erase(repeats.begin(), repeats.end());
  return arrows;
}

Graph graph_of(std::size_t size, const std::vector<Arrow>& arrows) {
  std::vector<Edge> edges;
  for (const Arrow& arrow : arrows)
    if (arrow.basis != Basis::left_out) edges.push_back({arrow.reader, arrow.source});
  return Graph(size, edges);
}

// The nodes of each component; what is read comes after what reads it.
std::vector<std::vector<Node>> members_of(const std::vector<std::size_t>& components) {
  std::vector<std::vector<Node>> members(components.size());
  for (Node node = 0; node < components.size(); ++node) members[components[node]].push_back(node);
  return members;
}

std::vector<int> levels_of(const std::vector<Figure>& figures, const Graph& graph) {
  std::vector<int> levels(figures.size(), 0);
  const auto components = members_of(components_of(graph));
  for (auto nodes = components.rbegin(); nodes != components.rend(); ++nodes) {
    int below = 0;
    bool has_view = false;
    for (const Node node : *nodes) {
      has_view = has_view || figures[node].kind == Kind::view;
      for (const Node source : graph.sources(node)) below = std::max(below, levels[source]);
    }
    for (const Node node : *nodes) levels[node] = below + (has_view ? 1 : 0);
  }
  return levels;
}

}  // namespace

std::string_view to_string(Mark mark) {
  switch (mark) {
    case Mark::failed:
      return "failed";
    case Mark::cycle:
      return "cycle";
    case Mark::missing:
      return "missing";
    case Mark::unpopulated:
      return "unpopulated";
    case Mark::upstream_failed:
      return "upstream_failed";
    case Mark::disabled:
      return "disabled";
  }
  return "";
}

bool Figure::has(Mark mark) const {
  return std::ranges::find(marks, mark) != marks.end();
}

std::vector<std::string_view> Figure::words() const {
  std::vector<std::string_view> words;
  if (kind == Kind::opaque_function) words.push_back("opaque");
  for (const Mark mark : marks) words.push_back(to_string(mark));
  return words;
}

Picture::Picture(std::vector<Figure> figures, const std::vector<Arrow>& arrows)
    : graph_(0, {}), levels_(levels_of(figures, graph_of(figures.size(), arrows))) {
  std::vector<Node> order(figures.size());
  std::iota(order.begin(), order.end(), Node{0});
  std::ranges::stable_sort(order, {}, [&](Node node) { return levels_[node]; });
  std::ranges::sort(levels_);

  std::vector<Node> place(figures.size());
  for (Node node = 0; node < order.size(); ++node) {
    place[order[node]] = node;
    figures_.push_back(std::move(figures[order[node]]));
  }
  for (const auto& [reader, source, basis] : arrows)
    arrows_.push_back({place[reader], place[source], basis});
  arrows_ = sorted(std::move(arrows_));
  graph_ = graph_of(figures_.size(), arrows_);
  components_ = components_of(graph_);
  mark_cycles();
}

bool Picture::has(Basis basis) const {
  return std::ranges::find(arrows_, basis, &Arrow::basis) != arrows_.end();
}

int Picture::highest_level() const {
  return levels_.empty() ? 0 : levels_.back();
}

bool Picture::in_cycle(const Arrow& arrow) const {
  return arrow.basis != Basis::left_out && components_[arrow.reader] == components_[arrow.source];
}

void Picture::mark_cycles() {
  for (const Arrow& arrow : arrows_) {
    if (!in_cycle(arrow)) continue;
    for (const Node node : {arrow.reader, arrow.source}) {
      auto& marks = figures_[node].marks;
      if (figures_[node].has(Mark::cycle)) continue;
      marks.insert(std::ranges::upper_bound(marks, Mark::cycle), Mark::cycle);
    }
  }
}

std::vector<std::vector<Node>> Picture::cycles() const {
  auto cycles = members_of(components_);
  std::erase_if(cycles, [&](const std::vector<Node>& nodes) {
    return nodes.empty() || !figures_[nodes.front()].has(Mark::cycle);
  });
  std::ranges::sort(cycles);
  return cycles;
}

}  // namespace mvo::core
