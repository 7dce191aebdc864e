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

Views::Views(std::vector<View> views, const std::vector<Dependency>& dependencies)
    : views_(sorted(std::move(views))),
      nodes_(numbered(views_)),
      graph_(views_.size(), edges(dependencies)) {}

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

std::vector<Edge> Views::edges(const std::vector<Dependency>& dependencies) const {
  std::vector<Edge> edges;
  edges.reserve(dependencies.size());
  for (const Dependency& dependency : dependencies) {
    const auto reader = find(dependency.reader);
    const auto source = dependency.schema ? find(Name{*dependency.schema, dependency.name})
                                          : find(dependency.search_path, dependency.name);
    if (reader && source) edges.push_back({*reader, *source});
  }
  return edges;
}

}  // namespace mvo::core
