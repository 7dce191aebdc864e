// Old rows that are about to go, until a new row comes that can take the place of one.
#pragma once

#include "pg/guard.hpp"
#include "pg/row_hash.hpp"
#include "pg/row_table.hpp"
#include "pg/stored_rows.hpp"

extern "C" {
#include <nodes/execnodes.h>
}

namespace mvo::pg {

// A pair is alike, byte for byte, in all columns of all unique indexes, those of their expressions
// and predicates among them. So it does not matter to any unique index when the row is updated, as
// it would where values move from row to row. Without a unique index a pair is alike in all indexed
// columns, so that the update can be HOT; without any index there are no pairs.
//
// Only server code that may raise: use it inside pg::call.
class RowPairs {
 public:
  // The places of at most `most` rows are held, in the current memory context.
  void open(StoredRows* stored, const ResultRelInfo* indexes, std::uint64_t seed, std::size_t most);

  // False where the row cannot be paired: there is no room or nothing to know a pair by.
  bool hold(const ItemPointerData& place);
  bool empty() const { return table_.size() == 0; }

  // An old row whose place the new one can take; it is held no longer. Deformed, good until the
  // stored rows are read again. Null if there is none. The new row is deformed.
  TupleTableSlot* take(const TupleTableSlot* row);

  // Calls visit(place) for each row that is still held.
  template <class Visit>
  void for_each_left(Visit visit);

 private:
  StoredRows* stored_;
  TupleDesc columns_;
  RowHasher hasher_;
  Bitmapset* key_;  // columns, counted from 0; null: no pairs
  RowTable table_;
  std::size_t most_;
};

template <class Visit>
void RowPairs::for_each_left(Visit visit) {
  for (std::uint32_t i = 0; i < table_.size(); ++i)
    if (!table_[i].matched) visit(table_[i].tid);
}

}  // namespace mvo::pg
