// mv_dependencies
#include "pg/dependencies.hpp"
#include "pg/arguments.hpp"
#include "pg/entry.hpp"
#include "pg/identifier.hpp"
#include "pg/plan.hpp"
#include "pg/rows.hpp"

#include "api/only_api.hpp"

using namespace mvo;

// mv_dependencies(name) -> name, depends_on, declared, discovered, registered, via
MVO_FUNCTION(mv_dependencies) {
  const pg::Arguments arguments(fcinfo);
  const auto name = arguments.optional_text(0);
  const auto all = pg::load_dependencies(pg::Sees::caller, [&](const core::Views& views) {
    return name ? std::vector{pg::find_registered(views, *name)} : core::all_views(views);
  });
  pg::ResultRows rows(fcinfo);
  for (const core::Node node : all.chosen)
    for (const pg::Dependency& row : all.of[node].dependencies)
      rows.add({pg::column(pg::print(all.views[node].name)), pg::column(row.name),
                pg::column(row.declared), pg::column(row.discovered),
                pg::column(row.view.has_value()),
                row.discovered ? pg::column(row.via) : pg::Column{0, true}});
  return Datum{0};
}
