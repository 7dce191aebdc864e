// What the text of a definition names: of a view that does not exist there is nothing else to go
// by. The text is parsed and not analysed, so nobody's code runs and nobody's identity is needed.
#pragma once

#include "core/view.hpp"
#include "pg/identifier.hpp"

namespace mvo::pg {

// The relations that a definition names, in the order of their first appearance, each once. Names
// of WITH queries are left out where the server takes them for that: where they are in scope, and
// without a schema. `settings`: the recorded ones.
// Raises what the parser raises; leaves its memory to the caller's context.
std::vector<WrittenName> relations_named_in(const std::string& definition,
                                            const std::vector<std::string>& settings);

// The schemas in which creation looks for a name without one: those of the recorded search_path,
// pg_catalog before them unless they name it. As the server does, without those that `author` may
// not use; nobody's rights are asked for when he is InvalidOid.
std::vector<std::string> schemas_searched(const std::vector<std::string>& settings, Oid author);

}  // namespace mvo::pg
