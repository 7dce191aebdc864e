// mv_export
#include "pg/export.hpp"

#include "pg/entry.hpp"
#include "pg/rows.hpp"

#include "api/only_api.hpp"

using namespace mvo;

// mv_export() -> the lines of a script
MVO_FUNCTION(mv_export) {
  const auto script = pg::export_registry();
  pg::ResultRows rows(fcinfo);
  for (const std::string& line : script) rows.add({pg::column(line)});
  return Datum{0};
}
