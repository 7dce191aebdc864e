// Functions with string bodies that name things without a schema: they break where the search_path
// is locked, as the server itself does from 17 on, and in a restore.
#pragma once

#include "pg/guard.hpp"

namespace mvo::pg {

struct UnqualifiedNames {
  std::string function;            // with its schema and argument types
  std::vector<std::string> names;  // as SQL writes them, functions with ()
};

// Of these functions and those that they seem to call, in SQL and PL/pgSQL, that have no
// search_path of their own. A name counts when it names something along the path and nothing of the
// server's. The bodies are cut into words; they are never parsed, analysed or run.
std::vector<UnqualifiedNames> find_unqualified_names(const std::vector<Oid>& functions,
                                                     const std::vector<std::string>& search_path);

}  // namespace mvo::pg
