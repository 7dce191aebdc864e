// The text of a definition: taken apart by the server's parser, never by ours.
#pragma once

#include "pg/guard.hpp"
#include "pg/registration.hpp"

namespace mvo::pg {

// That the text is exactly one query without parameters, data-modifying WITH or INTO: raises
// 42601 or 42P02 with a position otherwise. Looks nothing up, so it needs nobody's identity.
void check_is_one_query(const std::string& definition);

// Parse analysis. It can run code of the text's author: both need the author's identity,
// restricted, and the recorded settings to be in force. Errors have a position in the text.
Query* analyse_query(const std::string& definition);
// As CREATE MATERIALIZED VIEW analyses it, with all that it refuses; `registration` gives name and
// storage.
CreateTableAsStmt* analyse_creation(const Registration& registration, bool with_data);

// Whether an error of an analysis says only that something is not there: it may come later.
bool means_not_yet(const PgError& error);

}  // namespace mvo::pg
