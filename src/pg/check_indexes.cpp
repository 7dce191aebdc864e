#include <fmt/format.h>  // before the server, which redefines printf

#include "core/error.hpp"
#include "pg/checked_view.hpp"
#include "pg/guc_scope.hpp"
#include "pg/index_statement.hpp"
#include "pg/recorded_settings.hpp"
#include "pg/view_indexes.hpp"

namespace mvo::pg {
namespace {

using core::Kind;

void check_invalid(const CheckedView& view) {
  for (const std::string& index : invalid_indexes(view.live->oid))
    view.report(
        Kind::invalid_index,
        fmt::format("Index {} is not valid: mode \"swap\" and \"diff\" refuse the view.", index),
        fmt::format("REINDEX INDEX {};", index));
}

std::string first_of(const std::vector<std::string>& statements) {
  if (statements.size() == 1) return fmt::format("It lacks: {}", statements.front());
  return fmt::format("It lacks {} indexes, the first is: {}", statements.size(),
                     statements.front());
}

// Nothing is analysed, so this needs nobody's identity.
void check_missing(const CheckedView& view) {
  GucScope settings;
  put_in_force(settings, view.registration.settings);
  try {
    const auto missing = missing_index_statements(view.registration, view.live->oid);
    if (!missing.empty())
      view.report(Kind::missing_index, view.only_if_shown(first_of(missing)),
                  "Create what is missing: " + statement("mv_create", view.name()));
  } catch (const core::Error& error) {
    if (error.code != core::Code::name_taken) throw;
    view.report(Kind::missing_index, error.message + ".", error.hint);
  }
  settings.end();
}

}  // namespace

void check_indexes(const CheckedView& view) {
  if (!view.is_view()) return;
  check_invalid(view);
  check_missing(view);
}

}  // namespace mvo::pg
