// The registered views as a planner sees them: names, settings that matter to a plan, edges: the
// dependencies that somebody declared and those that were found in what the views read.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/automatic.hpp"
#include "core/graph.hpp"
#include "core/mode.hpp"
#include "core/name.hpp"

namespace mvo::core {

// What bounds the step of a view where its registration says more than the settings.
struct Limits {
  std::optional<std::chrono::milliseconds> lock_timeout, view_timeout;  // zero: none
  std::optional<int> retries;
};

struct View {
  Name name;
  Mode mode = Mode::automatic;
  bool enabled = true;
  Learned learned = {};
  Limits limits = {};
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
  Views(std::vector<View> views, std::vector<Dependency> dependencies);

  // Adds what the views read in fact. A declared edge stays though nothing reads it, as the reading
  // may hide in a function; unless the facts alone lead from its source back to its reader: then it
  // was declared the wrong way round and is left out.
  void add_discovered(std::vector<Edge> edges);

  std::size_t size() const { return views_.size(); }
  const View& operator[](Node node) const { return views_[node]; }
  // What orders and locks go by: declared and discovered, without what was left out.
  const Graph& graph() const { return graph_; }
  const Graph& discovered() const { return discovered_; }
  // Declared edges that are not in the graph; ascending by reader, then source.
  const std::vector<Edge>& left_out() const { return left_out_; }
  // As they were declared, of whatever.
  const std::vector<Dependency>& dependencies() const { return dependencies_; }

  std::optional<Node> find(const Name& name) const;
  // The first of schema.name, along the path, that is registered.
  std::optional<Node> find(const std::vector<std::string>& path, const std::string& name) const;

 private:
  std::vector<Edge> declared_edges() const;

  std::vector<View> views_;
  std::vector<Dependency> dependencies_;
  std::unordered_map<Name, Node, NameHash> nodes_;
  Graph graph_;
  Graph discovered_;
  std::vector<Edge> left_out_;
};

}  // namespace mvo::core
