// The errors that the extension raises on its own account. One code is one SQLSTATE; the mapping
// stands in pg/error_code.cpp, because the macros are the server's.
#pragma once

#include <optional>
#include <string>

#include "core/name.hpp"

namespace mvo::core {

enum class Code {
  name_invalid,
  name_too_long,
  null_not_allowed,
  parameter_invalid,
  syntax,
  parameter_in_definition,
  cycle,
  not_registered,
  author_missing,
  schema_missing,
  view_missing,
  column_missing,
  name_taken,
  not_a_view,
  rights_missing,
  overlap,
  changed_after_snapshot,
  mode_impossible,
  not_ready,
  in_use,
  deadlock,
  too_many_locks,
  view_timeout,
};

// Thrown where planning ends and acting begins; the planner itself returns values.
struct Error {
  Code code;
  std::string message;
  std::string detail = {};
  std::string hint = {};
  // Where in `query` the error is: 1-based, in characters; 0 when it has no place.
  int position = 0;
  std::string query = {};
  // The view that it is about, for the error's schema and table fields.
  std::optional<Name> view = {};
};

}  // namespace mvo::core
