// Dependencies as their author declares them.
#pragma once

#include <vector>

#include "core/view.hpp"
#include "pg/identifier.hpp"

namespace mvo::pg {

// Reads what the view `name` is declared to depend on, each once. A name without a schema is that
// of a registered view, else of a live relation, along the caller's search_path; else it stays as
// written. 42602, 42622; 42P19 for the view itself.
std::vector<WrittenName> read_dependencies(const std::vector<std::string>& texts,
                                           const core::Name& name, const core::Views& views);

}  // namespace mvo::pg
