#include "core/view.hpp"

#include <algorithm>
#include <utility>

namespace mvo::core {
namespace {

std::vector<View> sorted(std::vector<View> views) {
  std::ranges::sort(views, {}, &View::name);
  return views;
}

std::unordered_map<Name, Node, NameHash> numbered(const std::vector<View>& views) {
  std::unordered_map<Name, Node, NameHash> nodes;
  nodes.reserve(views.size());
  for (Node node = 0; node < views.size(); ++node) nodes.emplace(views[node].name, node);
  return nodes;
}

}  // namespace

Views::Views(std::vector<View> views, std::vector<Dependency> dependencies)
    : views_(sorted(std::move(views))),
      dependencies_(std::move(dependencies)),
      nodes_(numbered(views_)),
      graph_(views_.size(), declared_edges()),
      discovered_(views_.size(), {}) {}

void Views::add_discovered(std::vector<Edge> edges) {
  if (edges.empty()) return;
  discovered_ = Graph(size(), edges);
  const std::vector<Edge> declared = declared_edges();
  edges.insert(edges.end(), declared.begin(), declared.end());
  const Graph both(size(), edges);
  if (has_cycle(both)) left_out_ = contradicted_edges(both, discovered_);
  std::erase_if(edges,
                [&](const Edge& edge) { return std::ranges::binary_search(left_out_, edge); });
  graph_ = left_out_.empty() ? both : Graph(size(), edges);
}

std::optional<Node> Views::find(const Name& name) const {
  const auto found = nodes_.find(name);
  if (found == nodes_.end()) return std::nullopt;
  return found->second;
}

std::optional<Node> Views::find(const std::vector<std::string>& path,
                                const std::string& name) const {
  for (const std::string& schema : path)
    if (const auto node = find(Name{schema, name})) return node;
  return std::nullopt;
}

std::vector<Edge> Views::declared_edges() const {
  std::vector<Edge> edges;
  edges.reserve(dependencies_.size());
  for (const Dependency& dependency : dependencies_) {
    const auto reader = find(dependency.reader);
    const auto source = dependency.schema ? find(Name{*dependency.schema, dependency.name})
                                          : find(dependency.search_path, dependency.name);
    if (reader && source) edges.push_back({*reader, *source});
  }
  return edges;
}

}  // namespace mvo::core
