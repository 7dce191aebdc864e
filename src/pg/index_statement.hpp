// The index statements of a registration, and the index that its unique key asks for.
#pragma once

#include "pg/registration.hpp"

namespace mvo::pg {

// That the text is one CREATE INDEX statement with an index name, on the view, not CONCURRENTLY:
// 42601, 42P17 or 22023 otherwise. Looks nothing up.
void check_index_statement(const std::string& text, const core::Name& view);

// Creates what the registration asks for and the view lacks; returns how many indexes. The caller
// has the owner's identity and the recorded settings in force. An index counts as there when one of
// its name is on the view; a unique key, when a plain unique index has just its columns.
int create_missing_indexes(const Registration& registration, Oid view);

}  // namespace mvo::pg
