#include "core/problem.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace mvo::core {
namespace {

// A switch, so that the compiler tells when a kind has none.
constexpr std::pair<std::string_view, Severity> describe(Kind kind) {
  switch (kind) {
    case Kind::missing:
      return {"missing", Severity::error};
    case Kind::moved:
      return {"moved", Severity::error};
    case Kind::name_taken:
      return {"name_taken", Severity::error};
    case Kind::not_populated:
      return {"not_populated", Severity::error};
    case Kind::drift:
      return {"drift", Severity::error};
    case Kind::definition_invalid:
      return {"definition_invalid", Severity::error};
    case Kind::owner_missing:
      return {"owner_missing", Severity::error};
    case Kind::cycle:
      return {"cycle", Severity::error};
    case Kind::invalid_index:
      return {"invalid_index", Severity::error};
    case Kind::duplicate_key:
      return {"duplicate_key", Severity::error};
    case Kind::replaced:
      return {"replaced", Severity::info};
    case Kind::owner_differs:
      return {"owner_differs", Severity::warning};
    case Kind::missing_index:
      return {"missing_index", Severity::warning};
    case Kind::null_in_key:
      return {"null_in_key", Severity::warning};
    case Kind::unknown_dependency:
      return {"unknown_dependency", Severity::warning};
    case Kind::reversed_dependency:
      return {"reversed_dependency", Severity::warning};
    case Kind::unused_dependency:
      return {"unused_dependency", Severity::warning};
    case Kind::undeclared_dependency:
      return {"undeclared_dependency", Severity::info};
    case Kind::unstable:
      return {"unstable", Severity::warning};
    case Kind::unqualified_in_function:
      return {"unqualified_in_function", Severity::warning};
    case Kind::opaque_function:
      return {"opaque_function", Severity::info};
    case Kind::busy:
      return {"busy", Severity::info};
    case Kind::check_failed:
      return {"check_failed", Severity::error};
  }
  return {"unknown", Severity::error};
}

}  // namespace

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::error:
      return "error";
    case Severity::warning:
      return "warning";
    case Severity::info:
      return "info";
  }
  return "unknown";
}

std::string_view to_string(Kind kind) {
  return describe(kind).first;
}

Severity severity_of(Kind kind) {
  return describe(kind).second;
}

void sort(std::vector<Problem>& problems) {
  std::ranges::stable_sort(problems, [](const Problem& a, const Problem& b) {
    return std::tie(a.severity, a.view, a.kind) < std::tie(b.severity, b.view, b.kind);
  });
}

}  // namespace mvo::core
