#include <fmt/format.h>  // before the server, which redefines printf

#include <fmt/ranges.h>

#include "pg/checked_view.hpp"
#include "pg/datum.hpp"
#include "pg/definition.hpp"
#include "pg/guc_scope.hpp"
#include "pg/identity.hpp"
#include "pg/recorded_settings.hpp"
#include "pg/subtransaction.hpp"
#include "pg/view_calls.hpp"

extern "C" {
#include <catalog/pg_namespace.h>
#include <catalog/pg_proc.h>
#include <utils/fmgroids.h>
#include <utils/regproc.h>
}

namespace mvo::pg {
namespace {

using core::Kind;
using core::Severity;

// What an analysis finds missing, others report.
std::optional<Calls> calls_of_text(const Registration& registration) {
  try {
    const Identity identity(registration.author.role, Trust::restricted);
    GucScope settings;
    put_in_force(settings, registration.settings);
    const Calls calls = calls_of_query(analyse_query(registration.definition));
    settings.end();
    return calls;
  } catch (const PgError& error) {
    if (error.is_interrupt() || means_busy(error.sqlstate())) throw;
    return std::nullopt;
  }
}

std::optional<Calls> calls_of(const CheckedView& view) {
  if (view.is_view()) return calls_of_view(view.live->oid);
  if (view.registration.author.is_gone()) return std::nullopt;
  return calls_of_text(view.registration);
}

// STABLE, but only within a transaction.
bool reads_clock(Oid function) {
  return function == F_NOW || function == F_TRANSACTION_TIMESTAMP ||
         function == F_STATEMENT_TIMESTAMP || function == F_AGE_TIMESTAMP ||
         function == F_AGE_TIMESTAMPTZ;
}

bool is_builtin(Oid function) {
  return call([&] { return get_func_namespace(function) == PG_CATALOG_NAMESPACE; });
}

std::string builtin_name(Oid function) {
  return to_string(call([&] { return get_func_name(function); })) + "()";
}

std::string qualified_name(Oid function) {
  return to_string(call([&] { return format_procedure_qualified(function); }));
}

std::vector<std::string> volatile_functions(const Calls& calls) {
  std::vector<std::string> names;
  for (const Oid function : calls.functions)
    if (!is_builtin(function) &&
        call([&] { return func_volatile(function); }) == PROVOLATILE_VOLATILE)
      names.push_back(qualified_name(function));
  return names;
}

std::vector<std::string> unstable_parts(const Calls& calls) {
  std::vector<std::string> parts = calls.unstable;
  for (const Oid function : calls.functions)
    if (is_builtin(function) && (reads_clock(function) || call([&] {
                                                            return func_volatile(function);
                                                          }) == PROVOLATILE_VOLATILE))
      parts.push_back(builtin_name(function));
  return parts;
}

}  // namespace

void check_stability(const CheckedView& view) {
  const auto calls = calls_of(view);
  if (!calls) return;
  const auto parts = unstable_parts(*calls), functions = volatile_functions(*calls);
  if (!parts.empty())
    view.report(Kind::unstable,
                fmt::format("Its rows can change though nothing that it reads does: it has {}.",
                            fmt::join(parts, ", ")),
                "If that is not meant, say what the rows depend on: an ORDER BY over columns that "
                "identify a row, a date from a table.");
  if (!functions.empty())
    view.report(
        Severity::info, Kind::unstable,
        fmt::format("It calls volatile functions, whose results may change at any time: {}.",
                    fmt::join(functions, ", ")),
        "Where that is not so, declare it: ALTER FUNCTION ... STABLE, or IMMUTABLE.");
}

}  // namespace mvo::pg
