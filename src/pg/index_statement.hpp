// The index statements of a registration, and the index that its unique key asks for.
#pragma once

#include "pg/registration.hpp"

namespace mvo::pg {

// That the text is one CREATE INDEX statement with an index name, on the view, not CONCURRENTLY:
// 42601, 42P17 or 22023 otherwise. Looks nothing up.
void check_index_statement(const std::string& text, const core::Name& view);

// Whether the registration asks for an index that the view lacks. An index counts as there when one
// of its name is on the view (42P07 when that is plainly another); a unique key, when a plain
// unique index has just its columns. Nothing is analysed, so nobody's code runs; the recorded
// settings are in force.
bool has_missing_indexes(const Registration& registration, Oid view);

// The statements for what the view lacks; of the same kind as above.
std::vector<std::string> missing_index_statements(const Registration& registration, Oid view);

// Whether a valid unique index has just the columns of the unique key.
bool has_unique_key(const Registration& registration, Oid view);

// Creates them. The caller has the identity in force that the statements' author and the view's
// owner share, restricted: analysis runs the author's code; and the recorded settings.
void create_missing_indexes(const Registration& registration, Oid view);

}  // namespace mvo::pg
