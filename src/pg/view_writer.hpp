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
  // Puts a row in the place of an old one; both are deformed. They must not differ in a column of a
  // unique index: a row that is still to go or to be updated could have that value.
  void update(TupleTableSlot* old, TupleTableSlot* row);
  // Rows written: removed, added or updated.
  std::uint64_t changes() const { return changes_; }

  // What the server knows of the view's indexes.
  const ResultRelInfo* indexes();

 private:
  void open_indexes();
  Datum value_to_store(int i, const TupleTableSlot* old, const TupleTableSlot* row) const;

  Relation view_;
  EState* executor_;
  ResultRelInfo* target_;
  TupleTableSlot* slot_;
  BulkInsertState bulk_;
  std::uint64_t changes_;
};

}  // namespace mvo::pg
