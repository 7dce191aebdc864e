// mv_adopt, mv_adopt_all
#include "pg/adopt.hpp"

#include "pg/arguments.hpp"
#include "pg/datum.hpp"
#include "pg/entry.hpp"
#include "pg/identifier.hpp"
#include "pg/rows.hpp"

#include "api/only_api.hpp"

using namespace mvo;

// mv_adopt(view, depends_on) -> qualified name
MVO_FUNCTION(mv_adopt) {
  const pg::Arguments arguments(fcinfo);
  pg::require_writable("mv_adopt()");
  const core::Name name =
      pg::adopt_view(arguments.oid(0, "view"), arguments.texts(1, "depends_on"));
  return pg::text_datum(pg::print(name));
}

// mv_adopt_all(schemas) -> qualified names
MVO_FUNCTION(mv_adopt_all) {
  const pg::Arguments arguments(fcinfo);
  pg::require_writable("mv_adopt_all()");
  const auto names = pg::adopt_views(arguments.optional_texts(0, "schemas"));
  pg::ResultRows rows(fcinfo);
  for (const core::Name& name : names) rows.add({pg::column(pg::print(name))});
  return Datum{0};
}
