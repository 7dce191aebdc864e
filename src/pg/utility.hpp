// Utility statements, given as parse trees: no text is put together, so nothing in a name or a
// definition can turn into another statement.
#pragma once

#include "core/name.hpp"
#include "pg/guard.hpp"

namespace mvo::pg {

RangeVar* range_var(const core::Name& name);

// Runs it as the server runs a statement inside a function: hooks and event triggers see it, and it
// sees all that was done before. `text` is what they and the log show. Returns the number of rows
// that the statement reports, 0 for one that reports none. SPI would do the same but keeps the
// count of a REFRESH to itself.
std::int64_t run_utility(Node* statement, const std::string& text);

}  // namespace mvo::pg
