// Comparing the rows that a view holds with those that its query gives. Nothing is written here.
#pragma once

#include "pg/arrivals.hpp"
#include "pg/guard.hpp"
#include "pg/row_hash.hpp"
#include "pg/row_table.hpp"
#include "pg/stored_rows.hpp"
#include "pg/view_query.hpp"

extern "C" {
#include <utils/tuplestore.h>
}

namespace mvo::pg {

// Old rows are kept by hash. Where memory does not hold them all, hashes are divided into ranges:
// the first is compared while the query runs, its rows of other ranges wait on disk for theirs.
//
// It can give up when it finds too much to write: what the first range shows stands for all. The
// query is then stopped in the middle and goes on where its rows are wanted, or, where parallel
// workers are at it and it cannot be stopped, what it still gives is stored.
//
// It holds nothing that needs a destructor. Only server code that may raise: use it inside
// pg::call, always in the same memory context.
class Comparison {
 public:
  void open(Relation view, bool may_give_up);
  void close();

  // Runs the query and compares what fits into memory.
  void run();
  // Too much differs to write it row by row: as many rows are to be added, or to be removed.
  bool gave_up() const { return found_ != Found::little; }
  bool too_much_to_add() const { return found_ == Found::much_to_add; }
  // What the query gave so far.
  std::uint64_t rows() const { return rows_; }

  // Where it gave up: all rows of the query in the order in which they came.
  void replay(DestReceiver* receiver);

  // Where it did not: compares what waits of another range than the first.
  void run_waiting(std::uint32_t range);
  std::uint32_t ranges() const { return ranges_; }
  // Calls visit(place) for each old row of the last range that equals none of the query.
  template <class Visit>
  void for_each_unmatched(Visit visit);
  // Rows that equal no old one.
  std::uint64_t count_added() const { return tuplestore_tuple_count(added_); }
  // The next of them; null at the end.
  TupleTableSlot* next_added() { return next_of(added_); }
  // Others in the place of those that have been read.
  void replace_added(Tuplestorestate* rows);

  // Room for rows in the memory that is meant for them.
  Tuplestorestate* open_store() const;
  StoredRows* stored() { return &stored_; }
  Relation view() const { return view_; }
  std::uint64_t seed() const { return seed_; }

 private:
  enum class Found { little, much_to_add, much_to_remove };
  struct Receiver;
  static bool compare_row(TupleTableSlot* row, DestReceiver* self);
  static bool forward_row(TupleTableSlot* row, DestReceiver* self);

  bool run(std::size_t prefix);
  void open_stores();
  void close_stores();
  void forget_arrivals();
  void load(std::uint32_t range);
  void set_limits();
  void run_query(bool (*receive)(TupleTableSlot*, DestReceiver*), DestReceiver* to);
  bool receive(TupleTableSlot* row);
  const ItemPointerData* compare(TupleTableSlot* row, std::uint64_t hash);
  void compare_first(TupleTableSlot* row, std::uint64_t hash);
  void give_up(Found found);
  TupleTableSlot* next_of(Tuplestorestate* rows);
  TupleTableSlot* next_of_store(std::uint32_t range);
  std::uint32_t range_of(std::uint64_t hash) const { return (hash >> 40) & (ranges_ - 1); }

  Relation view_;
  MemoryContext memory_;
  std::uint64_t seed_;
  ViewQuery query_;
  RowHasher hasher_;
  StoredRows stored_;
  RowTable table_;
  std::uint32_t most_entries_;
  std::uint32_t ranges_;
  Tuplestorestate** waiting_;  // of each range but the first
  Tuplestorestate* added_;
  TupleTableSlot* row_;
  std::uint64_t rows_;
  std::uint32_t mistaken_;  // rows of one hash that differ
  std::uint32_t mistaken_allowed_;

  bool may_give_up_;
  Found found_;
  bool stopped_;                       // the query is open and has more rows
  std::uint64_t matched_, unmatched_;  // so many rows of the query, in the first range
  std::uint64_t most_unmatched_, least_matched_;
  Arrivals arrivals_;  // only where it may give up
};

template <class Visit>
void Comparison::for_each_unmatched(Visit visit) {
  for (std::uint32_t i = 0; i < table_.size(); ++i) {
    CHECK_FOR_INTERRUPTS();
    if (!table_[i].matched) visit(table_[i].tid);
  }
}

}  // namespace mvo::pg
