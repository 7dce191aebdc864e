// Transactions of a process that no client talks to.
#pragma once

#include "core/name.hpp"
#include "core/run.hpp"
#include "pg/guard.hpp"

namespace mvo::pg {

class WorkerTransactions {
 public:
  WorkerTransactions();

  // Frees what was left behind in memory since the last begin().
  void begin();
  void end();
  // Ends it and begins the next, whatever comes of that; says why when it failed.
  std::optional<core::Failure> commit(const core::Name& view);
  // Whatever state it is in.
  void abandon();

 private:
  void start(MemoryContext memory);

  MemoryContext memory_;  // current from begin() to end(), and in what commit() begins
};

}  // namespace mvo::pg
