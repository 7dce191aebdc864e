// The plan of a run: which views, in which order, each in which mode.
#pragma once

#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "core/mode.hpp"
#include "core/order.hpp"
#include "core/view.hpp"

namespace mvo::core {

// What a refresh of one view takes along: what it reads (upstream), what reads it (downstream).
enum class Scope { self, upstream, downstream, both };

std::optional<Scope> parse_scope(std::string_view text);

struct Step {
  Node view;
  int level;
  Mode mode;
  Reason reason = Reason::nobody;  // for the mode

  Choice choice() const { return {mode, reason}; }

  bool operator==(const Step&) const = default;
};

using Plan = std::vector<Step>;

// Sets of nodes are ascending and distinct.
std::vector<Node> all_views(const Views& views);
// Every view that is enabled.
std::vector<Node> enabled_views(const Views& views);
// The view with what the scope adds to it. The view itself is in the set even when it is disabled;
// others are not, but what lies behind them is.
std::vector<Node> in_scope(const Views& views, Node view, Scope scope);

// The steps for the given views in the smallest topological order; edges that leave the set do not
// count, for the order or the levels. Of a view that is in mode auto the mode is still
// `automatic`: what it becomes depends on the live view. A cycle is in nodes of `views`.
std::variant<Plan, Cycle> plan_for(const Views& views, const std::vector<Node>& chosen,
                                   std::optional<Mode> asked, Mode setting);

// The views that the plan's steps read, ascending; `graph` is of the plan's nodes.
std::vector<Node> read_by(const Plan& plan, const Graph& graph);

}  // namespace mvo::core
