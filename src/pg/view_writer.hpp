// Writing single rows of a materialized view, with its indexes: what the server's executor refuses.
#pragma once

#include "pg/guard.hpp"

extern "C" {
#include <access/heapam.h>
#include <executor/executor.h>
#include <utils/rel.h>
}

namespace mvo::pg {

// Unique indexes are enforced as a row is added. Only server code that may raise: use it inside
// pg::call.
class ViewWriter {
 public:
  void open(Relation view);
  void close();

  void remove(ItemPointerData tid);
  void add(TupleTableSlot* row);
  std::uint64_t changes() const { return changes_; }

 private:
  void open_indexes();

  Relation view_;
  EState* executor_;
  ResultRelInfo* target_;
  TupleTableSlot* slot_;
  BulkInsertState bulk_;
  std::uint64_t changes_;
};

}  // namespace mvo::pg
