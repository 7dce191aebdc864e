// The one wrapper of every function that the server calls in us.
#pragma once

#include "pg/guard.hpp"

namespace mvo::pg {

namespace detail {

// Inside a catch: the exception in flight as a server error under `parent`, or null when there is
// no memory for that.
ErrorData* describe_exception(MemoryContext parent) noexcept;
[[noreturn]] void raise(ErrorData* error);

}  // namespace detail

// Runs body(). Whatever it throws is raised as a server error *after* the catch has been left: a
// longjmp out of a catch would leak the exception object.
template <class Body>
std::invoke_result_t<Body> entry(Body body) {
  const MemoryContext memory = CurrentMemoryContext;
  ErrorData* error = nullptr;
  try {
    return body();
  } catch (...) {
    error = detail::describe_exception(memory);
  }
  detail::raise(error);
}

}  // namespace mvo::pg

// Defines the SQL-callable function `name`; the braces after it are its body.
#define MVO_FUNCTION(name)                                      \
  extern "C" {                                                  \
  PGDLLEXPORT PG_FUNCTION_INFO_V1(name);                        \
  }                                                             \
  static Datum name##_body(FunctionCallInfo fcinfo);            \
  Datum name(PG_FUNCTION_ARGS) {                                \
    return mvo::pg::entry([&] { return name##_body(fcinfo); }); \
  }                                                             \
  static Datum name##_body([[maybe_unused]] FunctionCallInfo fcinfo)
