// Functions that make the error bridge meet each kind of trouble; called from sql/bridge.sql. Built
// for the tests alone, never installed.
#include <new>
#include <stdexcept>

#include "core/error.hpp"
#include "pg/entry.hpp"
#include "pg/subtransaction.hpp"

extern "C" {
#include <executor/spi.h>
}

using namespace mvo;

extern "C" {
PG_MODULE_MAGIC;
}

namespace {

// How many of these are alive: an unwound frame must leave none.
int alive = 0;

struct Counted {
  Counted() { ++alive; }
  Counted(const Counted&) { ++alive; }
  ~Counted() { --alive; }
};

void raise_server_error() {
  ereport(ERROR, (errcode(ERRCODE_RAISE_EXCEPTION), errmsg("message 100%%"), errdetail("detail"),
                  errhint("hint"), errcontext("context"),
                  err_generic_string(PG_DIAG_SCHEMA_NAME, "schema"),
                  err_generic_string(PG_DIAG_TABLE_NAME, "table")));
}

void run_sql(const char* sql) {
  pg::call([&] {
    SPI_connect();
    SPI_execute(sql, false, 0);
    SPI_finish();
  });
}

}  // namespace

MVO_FUNCTION(bridge_alive) {
  return Int32GetDatum(alive);
}

// A server error through C++ frames that own objects.
MVO_FUNCTION(bridge_server_error) {
  const Counted outer;
  const std::vector<Counted> many(3);
  pg::call([] { raise_server_error(); });
  return Datum{0};
}

MVO_FUNCTION(bridge_nested_guards) {
  const Counted outer;
  try {
    const Counted inner;
    pg::call([] { raise_server_error(); });
  } catch (pg::PgError& error) {
    // The guard works again while an error is in flight.
    pg::call([&] {
      error.data().message = MemoryContextStrdup(error.memory(), "message changed on the way");
    });
    throw;
  }
  return Datum{0};
}

MVO_FUNCTION(bridge_cancel) {
  const Counted outer;
  pg::call([] {
    InterruptPending = true;
    QueryCancelPending = true;
  });
  pg::check_for_interrupts();
  return Datum{0};
}

MVO_FUNCTION(bridge_exception) {
  const Counted outer;
  const std::string kind = pg::call([&] { return text_to_cstring(PG_GETARG_TEXT_PP(0)); });
  if (kind == "core")
    throw core::Error{
        core::Code::not_registered, "core message 100%", "core detail", "core hint", 3, "the query",
        core::Name{"s", "v"}};
  if (kind == "runtime_error") throw std::runtime_error("standard message 100%");
  if (kind == "bad_alloc") throw std::bad_alloc();
  if (kind == "int") throw 42;
  return Datum{0};
}

// An exception that passes through the guard itself leaves the server's handlers as they were.
MVO_FUNCTION(bridge_exception_in_guard) {
  try {
    pg::call([] { throw std::runtime_error("thrown inside"); });
  } catch (const std::runtime_error&) {
  }
  pg::call([] { raise_server_error(); });
  return Datum{0};
}

// Survives an error of the given statement; what was done before stays, what the subtransaction did
// does not. Returns the SQLSTATE survived.
MVO_FUNCTION(bridge_survive) {
  const std::string sql = pg::call([&] { return text_to_cstring(PG_GETARG_TEXT_PP(0)); });
  run_sql("INSERT INTO bridge_log VALUES ('before')");
  const MemoryContext memory = CurrentMemoryContext;
  std::string survived = "none";
  try {
    pg::Subtransaction attempt;
    run_sql("INSERT INTO bridge_log VALUES ('inside')");
    run_sql(sql.c_str());
    attempt.commit();
  } catch (const pg::PgError& error) {
    if (error.is_interrupt()) throw;
    survived = unpack_sql_state(error.sqlstate());
  }
  if (memory != CurrentMemoryContext) throw std::runtime_error("memory context not restored");
  run_sql("INSERT INTO bridge_log VALUES ('after')");
  return pg::call([&] { return CStringGetTextDatum(survived.c_str()); });
}

// An error whose texts are whatever bytes are given.
MVO_FUNCTION(bridge_raise) {
  const auto text_of = [&](int place) {
    const bytea* bytes = pg::call([&] { return PG_GETARG_BYTEA_PP(place); });
    return std::string(VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
  };
  const std::string message = text_of(0), detail = text_of(1);
  pg::call([&] {
    ereport(ERROR, (errcode(ERRCODE_RAISE_EXCEPTION), errmsg_internal("%s", message.c_str()),
                    errdetail_internal("%s", detail.c_str())));
  });
  return Datum{0};
}
