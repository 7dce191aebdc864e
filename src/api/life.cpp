// mv_create, mv_create_all, mv_drop, mv_drop_all
#include "pg/arguments.hpp"
#include "pg/create.hpp"
#include "pg/drop.hpp"
#include "pg/entry.hpp"
#include "pg/identifier.hpp"
#include "pg/rows.hpp"

#include "api/only_api.hpp"

using namespace mvo;

namespace {

Datum return_actions(FunctionCallInfo fcinfo, const std::vector<pg::Action>& actions) {
  pg::ResultRows rows(fcinfo);
  for (const pg::Action& action : actions)
    rows.add({pg::column(pg::print(action.name)), pg::column(std::string_view(action.action))});
  return Datum{0};
}

}  // namespace

// mv_create(name, with_data) -> name, action
MVO_FUNCTION(mv_create) {
  const pg::Arguments arguments(fcinfo);
  pg::require_writable("mv_create()");
  const std::vector<std::string> names{arguments.text(0, "name")};
  return return_actions(fcinfo, pg::create_views(names, arguments.boolean_or(1, true)));
}

// mv_create_all(names, with_data) -> name, action
MVO_FUNCTION(mv_create_all) {
  const pg::Arguments arguments(fcinfo);
  pg::require_writable("mv_create_all()");
  const auto names = arguments.optional_texts(0, "names");
  return return_actions(fcinfo, pg::create_views(names, arguments.boolean_or(1, true)));
}

// mv_drop(name, cascade, if_exists) -> name, action
MVO_FUNCTION(mv_drop) {
  const pg::Arguments arguments(fcinfo);
  pg::require_writable("mv_drop()");
  return return_actions(fcinfo,
                        pg::drop_view(arguments.text(0, "name"), arguments.boolean_or(1, false),
                                      arguments.boolean_or(2, false)));
}

// mv_drop_all(names) -> name, action
MVO_FUNCTION(mv_drop_all) {
  const pg::Arguments arguments(fcinfo);
  pg::require_writable("mv_drop_all()");
  return return_actions(fcinfo, pg::drop_views(arguments.optional_texts(0, "names")));
}
