// The registered views as a planner sees them: names, settings that matter to a plan, edges.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/automatic.hpp"
#include "core/graph.hpp"
#include "core/mode.hpp"
#include "core/name.hpp"

namespace mvo::core {

struct View {
  Name name;
  Mode mode = Mode::automatic;
  bool enabled = true;
  Learned learned = {};
};

// A dependency as it was declared. Without a schema it could not be resolved at registration and
// is looked up anew, along the reader's recorded search_path.
struct Dependency {
  Name reader;
  std::optional<std::string> schema;
  std::string name;
  std::vector<std::string> search_path = {};
};

class Views {
 public:
  // `views` in any order, names distinct. A dependency on anything that is not registered is no
  // edge.
  Views(std::vector<View> views, const std::vector<Dependency>& dependencies);

  std::size_t size() const { return views_.size(); }
  const View& operator[](Node node) const { return views_[node]; }
  const Graph& graph() const { return graph_; }

  std::optional<Node> find(const Name& name) const;
  // The first of schema.name, along the path, that is registered.
  std::optional<Node> find(const std::vector<std::string>& path, const std::string& name) const;

 private:
  std::vector<Edge> edges(const std::vector<Dependency>& dependencies) const;

  std::vector<View> views_;
  std::unordered_map<Name, Node, NameHash> nodes_;
  Graph graph_;
};

}  // namespace mvo::core
