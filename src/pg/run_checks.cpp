#include <fmt/format.h>  // before the server, which redefines printf

#include "pg/run_checks.hpp"

#include <set>

#include "core/error.hpp"
#include "pg/compat.hpp"
#include "pg/identifier.hpp"
#include "pg/relation.hpp"
#include "pg/rights.hpp"

namespace mvo::pg {

using core::Code;
using core::Error;

void check_may_refresh(const Planned& planned) {
  Refusals refusals("refresh");
  for (const core::Step& step : planned.plan) {
    const core::Name& name = planned.name(step);
    const auto relation = find_relation(name);
    if (!relation) continue;
    check_is_view(name, *relation);
    if (!call([&] { return compat::may_refresh(relation->oid, GetUserId()); })) refusals.add(name);
  }
  refusals.raise_if_any();
}

void check_all_exist(const Planned& planned) {
  std::vector<core::Name> missing;
  for (const core::Step& step : planned.plan)
    if (!find_relation(planned.name(step))) missing.push_back(planned.name(step));
  if (missing.empty()) return;
  const bool one = missing.size() == 1;
  throw Error{Code::view_missing,
              fmt::format("materialized view{} {} {} not exist", one ? "" : "s",
                          print_list(missing), one ? "does" : "do"),
              {},
              "Create what is missing with mv_create() or mv_create_all().",
              0,
              {},
              one ? std::optional(missing.front()) : std::nullopt};
}

Facts facts_of(const Planned& planned) {
  std::vector<core::Name> names;
  for (const core::Step& step : planned.plan) names.push_back(planned.name(step));
  Facts facts = load_run_facts(names);
  for (const core::Name& name : names) facts.try_emplace(name);  // unregistered a moment ago
  return facts;
}

void warn_of_left_out(const Planned& planned) {
  std::set<core::Node> run;
  for (const core::Step& step : planned.plan) run.insert(step.view);
  std::string list;
  int count = 0;
  for (const auto& [reader, source] : planned.views.left_out()) {
    if (!run.contains(reader) || !run.contains(source)) continue;
    list += fmt::format("{}{} on {}", count++ == 0 ? "" : ", ", print(planned.views[reader].name),
                        print(planned.views[source].name));
  }
  if (count == 0) return;
  const bool one = count == 1;
  const std::string message =
      fmt::format("declared dependenc{} ignored: {}", one ? "y is" : "ies are", list);
  const char* detail = "The views are read in the opposite direction.";
  call([&] {
    ereport(WARNING, (errmsg("%s", message.c_str()), errdetail("%s", detail),
                      errhint("Register the view again without it.")));
  });
}

}  // namespace mvo::pg
