// The order in which views are created and refreshed.
#pragma once

#include <variant>
#include <vector>

#include "core/graph.hpp"

namespace mvo::core {

struct Position {
  Node node;
  // 1 + the highest level among the nodes it reads; 1 when it reads none.
  int level;
};

using Order = std::vector<Position>;

// A shortest cycle, from its smallest node; the way back from the last to the first is implied.
// Each node reads the one after it.
using Cycle = std::vector<Node>;

// The smallest topological order: at every place the ready node that compares smallest (Kahn,
// Topological sorting of large networks, 1962, with a heap as the ready list): O(E + V log V).
// Finding the cycle, when there is one, is O(V E) at worst.
std::variant<Order, Cycle> order_of(const Graph& graph);

}  // namespace mvo::core
