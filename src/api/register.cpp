// mv_register, mv_unregister, mv_orchestrator.author_role
#include "pg/register.hpp"

#include "pg/arguments.hpp"
#include "pg/author.hpp"
#include "pg/datum.hpp"
#include "pg/entry.hpp"

#include "api/only_api.hpp"

using namespace mvo;

// mv_register(name, definition, depends_on, unique_key, indexes, mode, options) -> qualified name
MVO_FUNCTION(mv_register) {
  const pg::Arguments arguments(fcinfo);
  pg::require_writable("mv_register()");
  const core::Name name = pg::register_view({
      .name = arguments.text(0, "name"),
      .definition = arguments.text(1, "definition"),
      .depends_on = arguments.texts(2, "depends_on"),
      .unique_key = arguments.texts(3, "unique_key"),
      .indexes = arguments.texts(4, "indexes"),
      .mode = arguments.text_or(5, "auto"),
      .options = arguments.json_or(6, "{}"),
  });
  return pg::text_datum(pg::print(name));
}

// mv_unregister(name)
MVO_FUNCTION(mv_unregister) {
  const pg::Arguments arguments(fcinfo);
  pg::require_writable("mv_unregister()");
  pg::unregister_view(arguments.text(0, "name"));
  return Datum{0};
}

// mv_orchestrator.author_role(owner, author), columns of the registry -> role, NULL when he is gone
MVO_FUNCTION(mv_author_role) {
  const pg::Arguments arguments(fcinfo);
  const auto owner = arguments.optional_text(0), author = arguments.optional_text(1);
  const Oid role = owner && author ? pg::find_author(*owner, *author).role : InvalidOid;
  fcinfo->isnull = !OidIsValid(role);
  return ObjectIdGetDatum(role);
}
