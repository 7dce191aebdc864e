#include <fmt/format.h>  // before the server, which redefines printf

#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "core/order.hpp"
#include "pg/checked_view.hpp"
#include "pg/cycle.hpp"

namespace mvo::pg {
namespace {

using core::Kind;
using core::Severity;

using Names = std::vector<std::string>;

bool is_reversed(const CheckedView& view, const Dependency& dependency) {
  const auto& left_out = view.views.left_out();
  return dependency.view &&
         std::ranges::find(left_out, core::Edge{view.node, *dependency.view}) != left_out.end();
}

bool names_nothing(const Dependency& dependency) {
  return dependency.declared && dependency.kind == 0 && !dependency.view;
}

// Known only from the rule of a view that exists.
bool is_unused(const CheckedView& view, const Dependency& dependency) {
  return view.known.from_live && dependency.declared && !dependency.discovered &&
         !names_nothing(dependency) && !is_reversed(view, dependency);
}

Names names_of(const CheckedView& view, const std::function<bool(const Dependency&)>& which) {
  Names names;
  for (const Dependency& dependency : view.known.dependencies)
    if (which(dependency)) names.push_back(dependency.name);
  return names;
}

// The argument of mv_register() that leaves nothing to say. What nothing reads is kept where it may
// be read by a function.
std::string right_argument(const CheckedView& view) {
  Names names = names_of(view, [&](const Dependency& dependency) {
    if (names_nothing(dependency) || is_reversed(view, dependency)) return false;
    if (is_unused(view, dependency)) return !view.known.opaque.empty();
    return dependency.declared || (dependency.discovered && dependency.view);
  });
  if (names.empty()) return "depends_on => '{}'";
  for (std::string& name : names) name = call([&] { return quote_literal_cstr(name.c_str()); });
  return fmt::format("depends_on => ARRAY[{}]", fmt::join(names, ", "));
}

void report(const CheckedView& view, Severity severity, Kind kind, const Names& names,
            const char* detail, const char* hint) {
  if (names.empty()) return;
  view.report(severity, kind, fmt::format(fmt::runtime(detail), fmt::join(names, ", ")),
              fmt::format(fmt::runtime(hint), right_argument(view)));
}

void check_unused(const CheckedView& view) {
  const auto names =
      names_of(view, [&](const Dependency& dependency) { return is_unused(view, dependency); });
  if (view.known.opaque.empty())
    report(view, Severity::warning, Kind::unused_dependency, names,
           "It is declared to read {}, and does not.", "Register it again with {}.");
  else
    report(view, Severity::info, Kind::unused_dependency, names,
           "It is declared to read {}, and does not, unless a function does that nobody can look "
           "into.",
           "If no function reads that, register it again without it.");
}

// With the way there.
Names undeclared(const CheckedView& view) {
  Names names;
  for (const Dependency& dependency : view.known.dependencies) {
    if (dependency.declared || !dependency.discovered || !dependency.view) continue;
    const auto& via = dependency.via;
    names.push_back(dependency.name +
                    (via.empty() ? "" : fmt::format(" (through {})", fmt::join(via, ", "))));
  }
  return names;
}

}  // namespace

void check_dependencies(const CheckedView& view) {
  report(view, Severity::warning, Kind::unknown_dependency, names_of(view, names_nothing),
         "It is declared to read what is neither registered nor there: {}.",
         "Register what is missing, or register this view again with {}.");
  report(view, Severity::warning, Kind::reversed_dependency,
         names_of(view, [&](const Dependency& other) { return is_reversed(view, other); }),
         "It is declared to read {}, but is read by that. Orders and refreshes go by what is read.",
         "Register it again with {}.");
  check_unused(view);
  report(view, Severity::info, Kind::undeclared_dependency, undeclared(view),
         "It reads what is not declared: {}.",
         "Nothing has to be done: orders and refreshes know. To declare it as well, register it "
         "again with {}.");
  report(view, Severity::info, Kind::opaque_function, view.known.opaque,
         "What is read by {} cannot be known.",
         "Declare in depends_on which registered views it reads, or give it a BEGIN ATOMIC body.");
}

void check_cycles(const core::Views& views, const std::vector<bool>& shown,
                  std::vector<core::Problem>& problems) {
  std::vector<core::Node> left(views.size());
  std::iota(left.begin(), left.end(), core::Node{0});
  for (;;) {
    auto result = core::order_of(views.graph().restricted_to(left));
    auto* cycle = std::get_if<core::Cycle>(&result);
    if (cycle == nullptr) return;
    for (core::Node& node : *cycle) node = left[node];
    const auto first = std::ranges::find_if(*cycle, [&](core::Node node) { return shown[node]; });
    if (first != cycle->end()) {
      const CycleText text = describe_cycle(views, *cycle);
      problems.push_back({core::severity_of(Kind::cycle), views[*first].name, Kind::cycle,
                          fmt::format("Views depend on each other: {}. Calls that take all views "
                                      "fail.",
                                      text.path),
                          text.hint});
    }
    std::erase_if(left,
                  [&](core::Node node) { return std::ranges::find(*cycle, node) != cycle->end(); });
  }
}

}  // namespace mvo::pg
