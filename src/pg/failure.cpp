#include <fmt/format.h>  // before the server, which redefines printf

#include "pg/failure.hpp"

#include "pg/datum.hpp"
#include "pg/identifier.hpp"

namespace mvo::pg {
namespace {

char* kept(PgError& error, const std::string& text) {
  return call([&] { return MemoryContextStrdup(error.memory(), text.c_str()); });
}

}  // namespace

void place_in_query(PgError& error, const std::string& query) {
  ErrorData& data = error.data();
  if (data.cursorpos <= 0) return;
  data.internalpos = data.cursorpos;
  data.cursorpos = 0;
  data.internalquery = kept(error, query);
}

void name_operation(PgError& error, const char* operation, const core::Name& view) {
  ErrorData& data = error.data();
  const std::string what = fmt::format("{} materialized view {}", operation, print(view));
  if (error.is_interrupt()) {
    data.context = kept(error, fmt::format("{}{}while trying to {}", to_string(data.context),
                                           data.context == nullptr ? "" : "\n", what));
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
