// Utility statements, given as parse trees: no text is put together, so nothing in a name or a
// definition can turn into another statement.
#pragma once

#include "core/name.hpp"
#include "pg/guard.hpp"

namespace mvo::pg {

RangeVar* range_var(const core::Name& name);

// What a statement leaves behind in memory is freed at its end: there are hundreds in one call.
// After an error it is left to the rollback, which first releases what points into it.
class StatementMemory {
 public:
  StatementMemory();
  ~StatementMemory();
  StatementMemory(const StatementMemory&) = delete;
  StatementMemory& operator=(const StatementMemory&) = delete;

 private:
  int exceptions_ = std::uncaught_exceptions();
  MemoryContext caller_ = CurrentMemoryContext;
  MemoryContext own_;
};

// Runs it as the server runs a statement inside a function: hooks and event triggers see it, and it
// sees all that was done before. `text` is what they and the log show.
void run_utility(Node* statement, const std::string& text);

}  // namespace mvo::pg
