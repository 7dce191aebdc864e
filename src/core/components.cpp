#include "core/components.hpp"

#include <utility>

namespace mvo::core {
namespace {

// Every node after all that it reads, where there is no cycle. Without recursion, as graphs can be
// deeper than a stack.
std::vector<Node> sources_first(const Graph& graph) {
  std::vector<Node> finished;
  std::vector<bool> seen(graph.size(), false);
  std::vector<std::pair<Node, std::size_t>> path;  // with how many of its sources are done
  const auto enter = [&](Node node) {
    if (seen[node]) return;
    seen[node] = true;
    path.emplace_back(node, 0);
  };
  for (Node start = 0; start < graph.size(); ++start) {
    enter(start);
    while (!path.empty()) {
      auto& [node, done] = path.back();
      if (done < graph.sources(node).size()) {
        enter(graph.sources(node)[done++]);  // the reference is gone after this
      } else {
        finished.push_back(node);
        path.pop_back();
      }
    }
  }
  return finished;
}

}  // namespace

std::vector<std::size_t> components_of(const Graph& graph) {
  constexpr std::size_t none = static_cast<std::size_t>(-1);
  std::vector<std::size_t> component(graph.size(), none);
  const std::vector<Node> order = sources_first(graph);
  std::size_t count = 0;
  for (auto start = order.rbegin(); start != order.rend(); ++start) {
    if (component[*start] != none) continue;
    std::vector<Node> pending{*start};
    component[*start] = count;
    while (!pending.empty()) {
      const Node node = pending.back();
      pending.pop_back();
      for (const Node reader : graph.readers(node)) {
        if (component[reader] != none) continue;
        component[reader] = count;
        pending.push_back(reader);
      }
    }
    ++count;
  }
  return component;
}

}  // namespace mvo::core
