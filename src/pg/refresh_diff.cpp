#include "core/error.hpp"
#include "pg/owner_run.hpp"
#include "pg/refresh.hpp"
#include "pg/row_hash.hpp"
#include "pg/row_pairs.hpp"
#include "pg/row_table.hpp"
#include "pg/settings.hpp"
#include "pg/stored_rows.hpp"
#include "pg/view_indexes.hpp"
#include "pg/view_query.hpp"
#include "pg/view_writer.hpp"

extern "C" {
#include <access/table.h>
#include <commands/matview.h>
#include <common/pg_prng.h>
#include <utils/tuplestore.h>
}

namespace mvo::pg {
namespace {

// So many ranges of hashes at most; a single value that fills memory cannot be divided anyhow.
constexpr std::uint32_t most_ranges = 1024;

// Of long values the first bytes are hashed, about what one fetch from a TOAST table brings.
constexpr std::size_t first_bytes = 1900;
constexpr std::size_t all_bytes = MaxAllocSize;
// Rows that differ behind those are compared with each other again and again. After so many vain
// comparisons it is cheaper to start anew with hashes of whole values.
constexpr std::uint32_t most_mistaken = 1000;

// Of diff_work_mem, in eighths.
constexpr std::size_t table_share = 4;
constexpr std::size_t pairs_share = 1;
constexpr std::size_t stores_share = 3;

constexpr std::size_t kilobyte = 1024;

std::size_t kilobytes_for(std::size_t share) {
  return static_cast<std::size_t>(diff_work_mem_kb()) * share / 8;
}

std::size_t rows_for(std::size_t share) {
  return kilobytes_for(share) * kilobyte / RowTable::bytes_a_row;
}

struct Difference;

// A receiver of the query's rows.
struct Comparer {
  DestReceiver base;
  Difference* difference;
};

// The work of one diff; made and used inside pg::call, so it holds nothing that needs a destructor.
// Old rows are kept by hash. Where memory does not hold them all, hashes are divided into ranges:
// the first is compared while the query runs, its rows of other ranges wait on disk for theirs.
struct Difference {
  Relation view;
  MemoryContext memory;
  std::uint64_t seed;
  RowHasher hasher;
  StoredRows stored;
  RowTable table;
  RowPairs pairs;
  ViewWriter writer;
  std::uint32_t most_entries;
  std::uint32_t ranges;
  Tuplestorestate** waiting;  // of each range but the first
  Tuplestorestate* added;     // rows that the view lacks
  TupleTableSlot* row;
  std::uint64_t rows;
  std::uint32_t mistaken;  // rows of one hash that differ
  std::uint32_t mistaken_allowed;

  std::uint32_t range_of(std::uint64_t hash) const { return (hash >> 40) & (ranges - 1); }
  void load(std::uint32_t range);
  void compare(TupleTableSlot* row, std::uint64_t hash);
  bool receive(TupleTableSlot* row);
  bool run(std::size_t prefix);
  Tuplestorestate* open_store() const;
  void open_pairs();
  void drop_unmatched();
  void compare_waiting(std::uint32_t range);
  void update_pairs();
  void write_added();
};

void Difference::load(std::uint32_t range) {
  table.clear();
  stored.scan([&](TupleTableSlot* slot) {
    const std::uint64_t hash = hasher.hash(slot);
    if (range_of(hash) != range) return;
    // Only the first load can find that there is too much: then ranges are halved as it goes on.
    while (range == 0 && table.size() >= most_entries && ranges < most_ranges) {
      ranges *= 2;
      table.filter([&](std::uint64_t kept) { return range_of(kept) == 0; });
    }
    if (range_of(hash) == range) table.add(hash, slot->tts_tid);
  });
}

void Difference::compare(TupleTableSlot* slot, std::uint64_t hash) {
  const TupleDesc columns = RelationGetDescr(view);
  const bool found = table.match(hash, [&](const ItemPointerData& tid) {
    const bool same = same_row(columns, stored.at(tid), slot);
    mistaken += !same;
    return same;
  });
  if (!found) tuplestore_puttupleslot(added, slot);
}

// False when no further row is wanted.
bool Difference::receive(TupleTableSlot* slot) {
  slot_getallattrs(slot);
  const std::uint64_t hash = hasher.hash(slot);
  const std::uint32_t range = range_of(hash);
  if (range == 0)
    compare(slot, hash);
  else
    tuplestore_puttupleslot(waiting[range], slot);
  return mistaken <= mistaken_allowed;
}

// One for each range, and one more while pairs are made.
Tuplestorestate* Difference::open_store() const {
  const std::size_t kilobytes = kilobytes_for(stores_share) / (ranges + 1);
  return tuplestore_begin_heap(false, false, static_cast<int>(std::max(kilobytes, std::size_t{1})));
}

void Difference::open_pairs() {
  pairs.open(&stored, writer.indexes(), seed, rows_for(pairs_share));
}

// Rows that have no equal: they wait for one to take their place or go at once.
void Difference::drop_unmatched() {
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    CHECK_FOR_INTERRUPTS();
    if (!table[i].matched && !pairs.hold(table[i].tid)) writer.remove(table[i].tid);
  }
}

void Difference::compare_waiting(std::uint32_t range) {
  load(range);
  while (tuplestore_gettupleslot(waiting[range], true, false, row)) {
    CHECK_FOR_INTERRUPTS();
    slot_getallattrs(row);
    compare(row, hasher.hash(row));
  }
  tuplestore_clear(waiting[range]);
  drop_unmatched();
}

// Those of the added rows that no old row can become are left; what waited in vain goes.
void Difference::update_pairs() {
  Tuplestorestate* rest = open_store();
  while (tuplestore_gettupleslot(added, true, false, row)) {
    CHECK_FOR_INTERRUPTS();
    slot_getallattrs(row);
    if (TupleTableSlot* old = pairs.take(row))
      writer.update(old, row);
    else
      tuplestore_puttupleslot(rest, row);
  }
  tuplestore_end(added);
  added = rest;
  pairs.for_each_left([&](const ItemPointerData& place) { writer.remove(place); });
}

// After all removals: a unique index would otherwise see rows that are about to go.
void Difference::write_added() {
  while (tuplestore_gettupleslot(added, true, false, row)) {
    CHECK_FOR_INTERRUPTS();
    writer.add(row);
  }
}

bool receive_row(TupleTableSlot* slot, DestReceiver* self) {
  Difference* difference = reinterpret_cast<Comparer*>(self)->difference;
  const MemoryContext caller = MemoryContextSwitchTo(difference->memory);
  const bool go_on = difference->receive(slot);
  MemoryContextSwitchTo(caller);
  return go_on;
}

void start(DestReceiver*, int, TupleDesc) {}
void finish(DestReceiver*) {}

std::uint64_t run_query(Difference& difference) {
  Comparer comparer{};
  comparer.base.receiveSlot = receive_row;
  comparer.base.rStartup = start;
  comparer.base.rShutdown = finish;
  comparer.base.rDestroy = finish;
  comparer.base.mydest = DestTransientRel;
  comparer.difference = &difference;
  return run_view_query(difference.view, &comparer.base);
}

void open_stores(Difference& difference) {
  difference.added = difference.open_store();
  difference.waiting =
      static_cast<Tuplestorestate**>(palloc0(sizeof(Tuplestorestate*) * difference.ranges));
  for (std::uint32_t range = 1; range < difference.ranges; ++range)
    difference.waiting[range] = difference.open_store();
}

void close_stores(Difference& difference) {
  tuplestore_end(difference.added);
  for (std::uint32_t range = 1; range < difference.ranges; ++range)
    tuplestore_end(difference.waiting[range]);
}

// Runs the query and compares what fits into memory; nothing is written yet. False when the hashed
// prefixes do not tell the rows apart, or not all that wait on disk can be compared with one
// reading: then it has to be done again with whole values.
bool Difference::run(std::size_t prefix) {
  hasher = RowHasher(RelationGetDescr(view), seed, prefix);
  mistaken = 0;
  mistaken_allowed = prefix == all_bytes ? ~std::uint32_t{0} : most_mistaken;
  ranges = 1;
  load(0);
  if (ranges > 1 && prefix != all_bytes) return false;
  open_stores(*this);
  rows = run_query(*this);
  if (mistaken <= mistaken_allowed) return true;
  close_stores(*this);
  return false;
}

void write_difference(Difference& difference) {
  difference.memory = CurrentMemoryContext;
  difference.most_entries = rows_for(table_share);
  difference.row = MakeSingleTupleTableSlot(RelationGetDescr(difference.view), &TTSOpsMinimalTuple);
  difference.stored.open(difference.view);
  difference.table.initialize(CurrentMemoryContext, difference.most_entries);
  difference.writer.open(difference.view);

  if (!difference.run(first_bytes)) (void)difference.run(all_bytes);
  if (difference.ranges > 1 || tuplestore_tuple_count(difference.added) > 0)
    difference.open_pairs();
  difference.drop_unmatched();
  for (std::uint32_t range = 1; range < difference.ranges; ++range)
    difference.compare_waiting(range);
  if (!difference.pairs.empty()) difference.update_pairs();
  difference.write_added();

  close_stores(difference);
  difference.writer.close();
  difference.stored.close();
  ExecDropSingleTupleTableSlot(difference.row);
}

core::Refreshed diff(Relation view) {
  Difference difference{};
  call([&] {
    const MemoryContext caller = CurrentMemoryContext;
    const MemoryContext own =
        AllocSetContextCreate(caller, "mv_orchestrator diff", ALLOCSET_DEFAULT_SIZES);
    MemoryContextSwitchTo(own);
    difference.view = view;
    difference.seed = pg_prng_uint64(&pg_global_prng_state);
    write_difference(difference);
    // Whoever has an older snapshot must learn that the view changed; REFRESH CONCURRENTLY leaves
    // the same trace. Nothing changed leaves none.
    if (difference.writer.changes() > 0) SetMatViewPopulatedState(view, true);
    MemoryContextSwitchTo(caller);
    MemoryContextDelete(own);
  });
  return {static_cast<std::int64_t>(difference.rows),
          static_cast<std::int64_t>(difference.writer.changes())};
}

}  // namespace

core::Refreshed refresh_diff(const LiveRelation& view, const std::vector<std::string>& settings) {
  if (!view.populated)
    throw core::Error{core::Code::not_ready,
                      "mode \"diff\" needs a materialized view that is populated",
                      {},
                      "Refresh it once in mode \"plain\" or \"swap\"."};
  OwnerRun as_owner(view, settings);
  Relation relation = open_to_write(view, "diff");
  (void)lock_indexes(relation);
  core::Refreshed result = diff(relation);
  call([&] { table_close(relation, NoLock); });
  as_owner.end();
  return result;
}

}  // namespace mvo::pg
