#include "pg/declared.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "pg/relation.hpp"

namespace mvo::pg {
namespace {

using core::Code;
using core::Error;

[[noreturn]] void reject_self_dependency() {
  throw Error{Code::cycle, "it cannot depend on itself"};
}

// A registered view, else a live relation, along the search_path; else as written. The view that is
// being registered counts as registered.
WrittenName resolve(const WrittenName& written, const core::Name& self, const core::Views& views) {
  if (written.schema) return written;
  const auto path = caller_search_path();
  for (const std::string& schema : path) {
    if (self == core::Name{schema, written.name}) reject_self_dependency();
    if (views.find(core::Name{schema, written.name})) return {schema, written.name};
  }
  for (const std::string& schema : path)
    if (find_relation({schema, written.name})) return {schema, written.name};
  return written;
}

}  // namespace

std::vector<WrittenName> read_dependencies(const std::vector<std::string>& texts,
                                           const core::Name& name, const core::Views& views) {
  std::vector<WrittenName> dependencies;
  for (const std::string& text : texts) {
    const WrittenName dependency = resolve(parse_name(text, "dependency"), name, views);
    if (dependency.schema == name.schema && dependency.name == name.name) reject_self_dependency();
    const bool repeated = std::ranges::any_of(dependencies, [&](const WrittenName& other) {
      return other.schema == dependency.schema && other.name == dependency.name;
    });
    if (!repeated) dependencies.push_back(dependency);
  }
  return dependencies;
}

}  // namespace mvo::pg
