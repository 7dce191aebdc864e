// What the query of a view does on the way to its rows, found without running or analysing it.
#pragma once

#include "pg/guard.hpp"

namespace mvo::pg {

struct Calls {
  std::vector<Oid> functions;  // every function called, those behind operators too; once each
  // What makes its rows depend on more than what it reads: "LIMIT without ORDER BY".
  std::vector<std::string> unstable;
};

// Of a live view and the plain views that it reads, at any depth; and of functions that have a
// BEGIN ATOMIC body. Locks each view AccessShareLock.
Calls calls_of_view(Oid view);
// Of a query that was analysed.
Calls calls_of_query(Query* query);

}  // namespace mvo::pg
