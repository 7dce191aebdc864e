#include "pg/declared.hpp"

#include <algorithm>

#include "core/error.hpp"

namespace mvo::pg {
namespace {

using core::Code;
using core::Error;

[[noreturn]] void reject_self_dependency() {
  throw Error{Code::cycle, "it cannot depend on itself"};
}

}  // namespace

std::vector<WrittenName> read_dependencies(const std::vector<std::string>& texts,
                                           const core::Name& name, const core::Views& views) {
  const auto path = caller_search_path();
  std::vector<WrittenName> dependencies;
  for (const std::string& text : texts) {
    // The view itself counts as registered.
    const WrittenName dependency = meaning_of(
        parse_name(text, "dependency"), path,
        [&](const core::Name& candidate) { return candidate == name || views.find(candidate); });
    if (dependency.schema == name.schema && dependency.name == name.name) reject_self_dependency();
    const bool repeated = std::ranges::any_of(dependencies, [&](const WrittenName& other) {
      return other.schema == dependency.schema && other.name == dependency.name;
    });
    if (!repeated) dependencies.push_back(dependency);
  }
  return dependencies;
}

}  // namespace mvo::pg
