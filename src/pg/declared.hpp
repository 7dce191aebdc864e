// Dependencies as their author declares them.
#pragma once

#include <vector>

#include "core/view.hpp"
#include "pg/identifier.hpp"
#include "pg/relation.hpp"

namespace mvo::pg {

// What a name in a declaration means: a registered view, else a live relation, the first of them
// along the path; else it stays as written.
template <class IsView>
WrittenName meaning_of(const WrittenName& written, const std::vector<std::string>& path,
                       IsView is_view) {
  if (written.schema) return written;
  auto name = look_up(written, path, is_view);
  if (!name)
    name = look_up(written, path, [](const core::Name& candidate) {
      return find_relation(candidate).has_value();
    });
  return name ? WrittenName{name->schema, name->name} : written;
}

// Reads what the view `name` is declared to depend on, each once. A name without a schema is that
// of a registered view, else of a live relation, along the caller's search_path; else it stays as
// written. 42602, 42622; 42P19 for the view itself.
std::vector<WrittenName> read_dependencies(const std::vector<std::string>& texts,
                                           const core::Name& name, const core::Views& views);

}  // namespace mvo::pg
