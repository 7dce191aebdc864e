#include <fmt/format.h>  // before the server, which redefines printf

#include <fmt/ranges.h>

#include "pg/checked_view.hpp"
#include "pg/function_names.hpp"
#include "pg/recorded_settings.hpp"

namespace mvo::pg {
namespace {

std::string setting_of(const std::vector<std::string>& search_path) {
  std::vector<std::string> schemas;
  for (const std::string& schema : search_path) schemas.push_back(print(schema));
  return fmt::format("{}", fmt::join(schemas, ", "));
}

}  // namespace

void report_unqualified(const CheckedView& view, const Calls& calls) {
  const auto path = recorded_search_path(view.registration.settings);
  for (const auto& [function, names] : find_unqualified_names(calls.functions, path))
    view.report(core::Kind::unqualified_in_function,
                fmt::format("Function {} probably names without a schema: {}. That is not found "
                            "where the search_path is locked: in a restore, and in every refresh "
                            "from PostgreSQL 17 on.",
                            function, fmt::join(names, ", ")),
                fmt::format("Name it with its schema, or: ALTER FUNCTION {} SET search_path = {};",
                            function, setting_of(path)));
}

}  // namespace mvo::pg
