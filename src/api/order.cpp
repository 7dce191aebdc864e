// mv_order
#include "pg/arguments.hpp"
#include "pg/entry.hpp"
#include "pg/identifier.hpp"
#include "pg/plan.hpp"
#include "pg/rows.hpp"

#include "api/only_api.hpp"

using namespace mvo;

namespace {

std::vector<std::string> direct_dependencies(const core::Views& views, core::Node node) {
  std::vector<std::string> names;
  for (const core::Node source : views.graph().sources(node))
    names.push_back(pg::print(views[source].name));
  return names;
}

}  // namespace

// mv_order(names) -> step, name, level, depends_on
MVO_FUNCTION(mv_order) {
  const pg::Arguments arguments(fcinfo);
  const auto names = arguments.optional_texts(0, "names");
  const pg::PlanRequest request{[&](const core::Views& views) {
    return names ? pg::find_registered(views, *names) : core::all_views(views);
  }};
  const pg::Planned planned = pg::make_plan(request, pg::Sees::caller);
  pg::ResultRows rows(fcinfo);
  std::int32_t number = 0;
  for (const core::Step& step : planned.plan)
    rows.add({pg::column(++number), pg::column(pg::print(planned.name(step))),
              pg::column(step.level), pg::column(direct_dependencies(planned.views, step.view))});
  return Datum{0};
}
