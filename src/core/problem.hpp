// What mv_check() finds: each problem has a name that stays, and a severity.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/name.hpp"

namespace mvo::core {

enum class Severity {
  error,    // a call fails or will fail, or rows are not those of the registered definition
  warning,  // probably wrong, or will be on another server version
  info,
};

// In the order of docs/checks.md, which says what each means.
enum class Kind {
  missing,
  moved,
  name_taken,
  not_populated,
  drift,
  definition_invalid,
  owner_missing,
  cycle,
  invalid_index,
  duplicate_key,
  replaced,
  owner_differs,
  missing_index,
  null_in_key,
  unknown_dependency,
  reversed_dependency,
  unused_dependency,
  undeclared_dependency,
  unstable,
  unqualified_in_function,
  opaque_function,
  busy,
  check_failed,
};

std::string_view to_string(Severity severity);
std::string_view to_string(Kind kind);
// Unless a check says otherwise of one view.
Severity severity_of(Kind kind);

struct Problem {
  Severity severity;
  Name view;
  Kind kind;
  std::string detail;
  std::string hint;
};

// What is worst first; then by view, then by kind.
void sort(std::vector<Problem>& problems);

}  // namespace mvo::core
