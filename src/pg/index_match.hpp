// Whether two CREATE INDEX statements can mean the same index.
#pragma once

#include "pg/guard.hpp"

namespace mvo::pg {

// Compares what is written one way only: unique, access method, columns with their order, INCLUDE,
// whether there is a predicate. Expressions and predicates themselves are not compared: the server
// prints them in words of its own. No user code runs.
bool may_be_same_index(const IndexStmt* a, const IndexStmt* b);

}  // namespace mvo::pg
