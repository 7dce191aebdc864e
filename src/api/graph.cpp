// mv_graph
#include "core/error.hpp"
#include "core/render.hpp"
#include "pg/arguments.hpp"
#include "pg/datum.hpp"
#include "pg/entry.hpp"
#include "pg/picture.hpp"

#include "api/only_api.hpp"

using namespace mvo;

// mv_graph(format, with_views, with_sources) -> text
MVO_FUNCTION(mv_graph) {
  const pg::Arguments arguments(fcinfo);
  const std::string format = arguments.text_or(0, "text");
  const auto known = core::parse_format(format);
  if (!known)
    throw core::Error{core::Code::parameter_invalid,
                      "unrecognized format \"" + format + "\"",
                      {},
                      "Known values are " + core::known_formats() + "."};
  const core::Picture picture =
      pg::load_picture(arguments.boolean_or(1, false), arguments.boolean_or(2, false));
  return pg::text_datum(core::render(picture, *known));
}
