// What is added to a server error on its way to the user.
#pragma once

#include "core/error.hpp"
#include "pg/guard.hpp"

namespace mvo::pg {

// A position in `query` rather than in the statement that the client sent.
void place_in_query(PgError& error, const std::string& query);

void set_hint(PgError& error, const std::string& hint);
// One more line of context, as SPI adds it.
void add_statement(PgError& error, const std::string& statement);

// "could not <operation> materialized view <name>: <message>", with the schema and table fields
// set. An interrupt keeps its message and says where it struck in its context.
void name_operation(PgError& error, const char* operation, const core::Name& view);

void name_operation(core::Error& error, const char* operation, const core::Name& view);

// Runs body(); an error is thrown on with the operation named.
template <class Body>
auto naming(const char* operation, const core::Name& view, Body body) {
  try {
    return body();
  } catch (PgError& error) {
    name_operation(error, operation, view);
    throw;
  } catch (core::Error& error) {
    name_operation(error, operation, view);
    throw;
  }
}

}  // namespace mvo::pg
