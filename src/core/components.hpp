// Which nodes are in a cycle together.
#pragma once

#include <cstddef>
#include <vector>

#include "core/graph.hpp"

namespace mvo::core {

// The number of each node's strongly connected component: two nodes share one when each reads the
// other, at any distance. Numbers ascend from readers to what they read. (Kosaraju's two searches,
// as Sharir gives them, 1981: O(V + E).)
std::vector<std::size_t> components_of(const Graph& graph);

}  // namespace mvo::core
