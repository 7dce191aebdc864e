#include <fmt/format.h>  // before the server, which redefines printf

#include <fmt/ranges.h>

#include <algorithm>

#include "pg/checked_view.hpp"
#include "pg/datum.hpp"

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

// Each once: a name can be that of several functions.
std::vector<std::string> unstable_parts(const Calls& calls) {
  std::vector<std::string> parts = calls.unstable;
  for (const Oid function : calls.functions)
    if (is_builtin(function) && (reads_clock(function) || call([&] {
                                                            return func_volatile(function);
                                                          }) == PROVOLATILE_VOLATILE)) {
      std::string name = builtin_name(function);
      if (std::ranges::find(parts, name) == parts.end()) parts.push_back(std::move(name));
    }
  return parts;
}

}  // namespace

void report_unstable(const CheckedView& view, const Calls& calls) {
  const auto parts = unstable_parts(calls), functions = volatile_functions(calls);
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
