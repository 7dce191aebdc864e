#include "pg/entry.hpp"

#include <new>

#include "core/error.hpp"
#include "pg/error_code.hpp"

namespace mvo::pg::detail {
namespace {

const char* or_null(const std::string& text) {
  return text.empty() ? nullptr : text.c_str();
}

// Raised in a guard, so that the server itself fills the fields and adds the caller's context.
ErrorData* describe(const core::Error& error, MemoryContext parent) {
  const char *message = error.message.c_str(), *query = or_null(error.query);
  const char *detail = or_null(error.detail), *hint = or_null(error.hint);
  const char* schema = error.view ? or_null(error.view->schema) : nullptr;
  const char* table = error.view ? error.view->name.c_str() : nullptr;
  const int code = sqlstate_of(error.code), position = error.position;
  try {
    call([&] {
      ereport(ERROR, (errcode(code), errmsg("%s", message), detail ? errdetail("%s", detail) : 0,
                      hint ? errhint("%s", hint) : 0, query ? internalerrquery(query) : 0,
                      position > 0 ? internalerrposition(position) : 0,
                      schema ? err_generic_string(PG_DIAG_SCHEMA_NAME, schema) : 0,
                      table ? err_generic_string(PG_DIAG_TABLE_NAME, table) : 0));
    });
  } catch (PgError& raised) {
    return raised.hand_over(parent);
  }
  return nullptr;
}

ErrorData* describe(const char* what, MemoryContext parent) {
  try {
    call([&] { ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("%s", what))); });
  } catch (PgError& raised) {
    return raised.hand_over(parent);
  }
  return nullptr;
}

ErrorData* describe_in_flight(MemoryContext parent) {
  try {
    throw;
  } catch (PgError& error) {
    return error.hand_over(parent);
  } catch (const core::Error& error) {
    return describe(error, parent);
  } catch (const std::bad_alloc&) {
    return nullptr;
  } catch (const std::exception& error) {
    return describe(error.what(), parent);
  } catch (...) {
    return describe("unknown exception", parent);
  }
}

}  // namespace

ErrorData* describe_exception(MemoryContext parent) noexcept {
  try {
    return describe_in_flight(parent);
  } catch (...) {
    return nullptr;
  }
}

void raise(ErrorData* error) {
  if (error != nullptr) ReThrowError(error);
  ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
  pg_unreachable();
}

}  // namespace mvo::pg::detail
