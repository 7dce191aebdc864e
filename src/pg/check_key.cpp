#include <fmt/format.h>  // before the server, which redefines printf

#include <fmt/ranges.h>

#include "pg/checked_view.hpp"
#include "pg/guc_scope.hpp"
#include "pg/identity.hpp"
#include "pg/index_statement.hpp"
#include "pg/spi.hpp"

namespace mvo::pg {
namespace {

using core::Kind;

// Each column with what follows it, joined.
std::string conditions(const std::vector<std::string>& columns, const char* condition,
                       const char* between) {
  std::string text;
  for (const std::string& column : columns)
    text += (text.empty() ? "" : between) + print(column) + condition;
  return text;
}

// IS NOT DISTINCT FROM, as IS NULL of a row asks for its fields.
std::string query_for_nulls(const CheckedView& view) {
  return fmt::format(
      "SELECT FROM {} WHERE {} LIMIT 1", print(view.name()),
      conditions(view.registration.unique_key, " IS NOT DISTINCT FROM NULL", " OR "));
}

// As a unique index sees it: NULLs are no duplicates.
std::string query_for_duplicates(const CheckedView& view) {
  const auto& key = view.registration.unique_key;
  return fmt::format("SELECT FROM {} WHERE {} GROUP BY {} HAVING count(*) > 1 LIMIT 1",
                     print(view.name()), conditions(key, " IS DISTINCT FROM NULL", " AND "),
                     conditions(key, "", ", "));
}

// Names of columns are all that the text has of anybody's. Comparing them can run the owner's code.
bool finds_rows(const CheckedView& view, const std::string& sql) {
  const Identity owner(view.live->owner, Trust::restricted);
  GucScope settings;
  settings.set("search_path", "pg_catalog, pg_temp");
  SpiConnection connection;
  const bool found = query(sql.c_str(), {}, Sees::latest).size() > 0;
  settings.end();
  return found;
}

bool all_columns_exist(const CheckedView& view) {
  for (const std::string& column : view.registration.unique_key)
    if (call([&] { return get_attnum(view.live->oid, column.c_str()); }) <= 0) return false;
  return true;
}

std::string print_key(const CheckedView& view) {
  return conditions(view.registration.unique_key, "", ", ");
}

}  // namespace

void check_key(const CheckedView& view) {
  if (view.registration.unique_key.empty() || !view.is_view() || !view.live->populated) return;
  if (!all_columns_exist(view)) return;  // then the definition has drifted
  if (!has_unique_key(view.registration, view.live->oid) &&
      finds_rows(view, query_for_duplicates(view)))
    view.report(Kind::duplicate_key,
                fmt::format("Several rows have the same unique key ({}).", print_key(view)),
                "Register it again with columns that identify a row, or with a definition that "
                "gives each key once.");
  if (finds_rows(view, query_for_nulls(view)))
    view.report(Kind::null_in_key,
                fmt::format("There are NULLs in the unique key ({}): mode \"concurrent\" writes "
                            "such rows anew each time, changed or not.",
                            print_key(view)),
                "Use mode \"diff\" or \"swap\", or a key without NULLs.");
}

}  // namespace mvo::pg
