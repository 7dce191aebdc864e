// The dependency graph. A node is a view's place in a list that is sorted by name, so comparing
// nodes compares names.
#pragma once

#include <compare>
#include <cstddef>
#include <utility>
#include <vector>

namespace mvo::core {

using Node = std::size_t;

// "reader reads source"
struct Edge {
  Node reader;
  Node source;

  auto operator<=>(const Edge&) const = default;
};

class Graph {
 public:
  // Edges may repeat; a repeated edge counts once.
  Graph(std::size_t size, const std::vector<Edge>& edges);

  std::size_t size() const { return sources_.size(); }
  // Both lists are ascending.
  const std::vector<Node>& sources(Node node) const { return sources_[node]; }
  const std::vector<Node>& readers(Node node) const { return readers_[node]; }
  bool has(const Edge& edge) const;

  // The graph of the given nodes alone (ascending, distinct): node i of the result is kept[i], and
  // an edge that leaves the set is dropped.
  Graph restricted_to(const std::vector<Node>& kept) const;

  // The start nodes and everything that they read (readers: everything that reads them), at any
  // distance; ascending.
  std::vector<Node> with_sources(const std::vector<Node>& start) const;
  std::vector<Node> with_readers(const std::vector<Node>& start) const;

 private:
  std::vector<std::vector<Node>> sources_;
  std::vector<std::vector<Node>> readers_;
};

bool has_cycle(const Graph& graph);

// The edges of `claimed` that `known` does not have and whose source reads their reader by `known`,
// directly or at any distance; ascending. Both are of the same nodes.
std::vector<Edge> contradicted_edges(const Graph& claimed, const Graph& known);

}  // namespace mvo::core
