#include <fmt/format.h>  // before the server, which redefines printf

#include "pg/failure.hpp"

#include "pg/identifier.hpp"

namespace mvo::pg {
namespace {

char* kept(PgError& error, const std::string& text) {
  return call([&] { return MemoryContextStrdup(error.memory(), text.c_str()); });
}

void add_context(PgError& error, const std::string& line) {
  ErrorData& data = error.data();
  data.context = kept(error, data.context == nullptr ? line : data.context + ("\n" + line));
}

}  // namespace

void place_in_query(PgError& error, const std::string& query) {
  ErrorData& data = error.data();
  if (data.cursorpos <= 0) return;
  data.internalpos = data.cursorpos;
  data.cursorpos = 0;
  data.internalquery = kept(error, query);
}

void set_hint(PgError& error, const std::string& hint) {
  error.data().hint = kept(error, hint);
}

void add_statement(PgError& error, const std::string& statement) {
  add_context(error, fmt::format("SQL statement \"{}\"", statement));
}

void name_operation(PgError& error, const char* operation, const core::Name& view) {
  ErrorData& data = error.data();
  // The server has no other error of this code for a full lock table than with this hint.
  if (error.sqlstate() == ERRCODE_OUT_OF_MEMORY && data.hint != nullptr &&
      std::string_view(data.hint).find("max_locks_per_transaction") != std::string_view::npos)
    set_hint(error,
             "Raise max_locks_per_transaction, or name fewer views in one call; mv_plan() says "
             "how many locks a run takes.");
  const std::string what = fmt::format("{} materialized view {}", operation, print(view));
  if (error.is_own_interrupt()) {
    add_context(error, "while trying to " + what);
    return;
  }
  data.message = kept(error, fmt::format("could not {}: {}", what, error.what()));
  data.schema_name = kept(error, view.schema);
  data.table_name = kept(error, view.name);
}

void name_operation(core::Error& error, const char* operation, const core::Name& view) {
  error.message =
      fmt::format("could not {} materialized view {}: {}", operation, print(view), error.message);
  error.view = view;
}

}  // namespace mvo::pg
