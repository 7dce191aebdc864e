#include "pg/comparison.hpp"

#include <algorithm>

#include "core/automatic.hpp"
#include "pg/compat.hpp"
#include "pg/diff_memory.hpp"
#include "pg/view_query.hpp"

extern "C" {
#include <common/pg_prng.h>
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

void start(DestReceiver*, int, TupleDesc) {}
void finish(DestReceiver*) {}

}  // namespace

// Of the query's rows.
struct Comparison::Receiver {
  DestReceiver base;
  Comparison* comparison;
  DestReceiver* to;  // who wants what is left
};

void Comparison::open(Relation view, bool may_give_up) {
  view_ = view;
  memory_ = CurrentMemoryContext;
  seed_ = pg_prng_uint64(&pg_global_prng_state);
  may_give_up_ = may_give_up;
  most_entries_ = rows_for(DiffShare::table);
  row_ = MakeSingleTupleTableSlot(RelationGetDescr(view), &TTSOpsMinimalTuple);
  stored_.open(view);
  table_.initialize(memory_, most_entries_);
}

void Comparison::close() {
  if (stopped_) query_.close();
  close_stores();
  stored_.close();
  ExecDropSingleTupleTableSlot(row_);
}

void Comparison::load(std::uint32_t range) {
  table_.clear();
  stored_.scan([&](TupleTableSlot* slot) {
    const std::uint64_t hash = hasher_.hash(slot);
    if (range_of(hash) != range) return;
    // Only the first load can find that there is too much: then ranges are halved as it goes on.
    while (range == 0 && table_.size() >= most_entries_ && ranges_ < most_ranges) {
      ranges_ *= 2;
      table_.filter([&](std::uint64_t kept) { return range_of(kept) == 0; });
    }
    if (range_of(hash) == range) table_.add(hash, slot->tts_tid);
  });
}

// Hashes are divided evenly, so a range has its share of all rows and of what changed.
void Comparison::set_limits() {
  matched_ = unmatched_ = 0;
  found_ = Found::little;
  const std::uint64_t old_rows = std::uint64_t{table_.size()} * ranges_;
  List* indexes = RelationGetIndexList(view_);
  most_unmatched_ = core::most_added(old_rows, list_length(indexes)) / ranges_;
  list_free(indexes);
  const std::uint64_t most_removed = core::most_removed(old_rows) / ranges_;
  least_matched_ = table_.size() - std::min<std::uint64_t>(table_.size(), most_removed);
}

// The old row that it equals, null if there is none.
const ItemPointerData* Comparison::compare(TupleTableSlot* slot, std::uint64_t hash) {
  const TupleDesc columns = RelationGetDescr(view_);
  const ItemPointerData* place = nullptr;
  (void)table_.match(hash, [&](const ItemPointerData& tid) {
    const bool same = same_row(columns, stored_.at(tid), slot);
    mistaken_ += !same;
    if (same) place = &tid;
    return same;
  });
  if (place == nullptr) tuplestore_puttupleslot(added_, slot);
  return place;
}

void Comparison::compare_first(TupleTableSlot* slot, std::uint64_t hash) {
  const ItemPointerData* place = compare(slot, hash);
  ++(place != nullptr ? matched_ : unmatched_);
  if (!may_give_up_) return;
  place != nullptr ? arrivals_.add(*place) : arrivals_.add_stored(0);
  if (unmatched_ > most_unmatched_) give_up(Found::much_to_add);
}

// Where the rows are to be found again is known without their hashes.
void Comparison::give_up(Found found) {
  found_ = found;
  table_.release();
}

// False when no further row is wanted.
bool Comparison::receive(TupleTableSlot* slot) {
  ++rows_;
  if (gave_up()) {
    tuplestore_puttupleslot(added_, slot);
    return true;
  }
  slot_getallattrs(slot);
  const std::uint64_t hash = hasher_.hash(slot);
  const std::uint32_t range = range_of(hash);
  if (range == 0) {
    compare_first(slot, hash);
  } else {
    tuplestore_puttupleslot(waiting_[range], slot);
    if (may_give_up_) arrivals_.add_stored(range);
  }
  return gave_up() ? !query_.can_go_on() : mistaken_ <= mistaken_allowed_;
}

bool Comparison::compare_row(TupleTableSlot* slot, DestReceiver* self) {
  Comparison* comparison = reinterpret_cast<Receiver*>(self)->comparison;
  const MemoryContext caller = MemoryContextSwitchTo(comparison->memory_);
  const bool go_on = comparison->receive(slot);
  MemoryContextSwitchTo(caller);
  return go_on;
}

bool Comparison::forward_row(TupleTableSlot* slot, DestReceiver* self) {
  const auto* receiver = reinterpret_cast<Receiver*>(self);
  const MemoryContext caller = MemoryContextSwitchTo(receiver->comparison->memory_);
  ++receiver->comparison->rows_;
  const bool go_on = receiver->to->receiveSlot(slot, receiver->to);
  MemoryContextSwitchTo(caller);
  return go_on;
}

void Comparison::run_query(bool (*receive)(TupleTableSlot*, DestReceiver*), DestReceiver* to) {
  Receiver receiver{};
  receiver.base.receiveSlot = receive;
  receiver.base.rStartup = start;
  receiver.base.rShutdown = finish;
  receiver.base.rDestroy = finish;
  receiver.base.mydest = DestTransientRel;
  receiver.comparison = this;
  receiver.to = to;
  (void)query_.run(&receiver.base);
}

// False when the hashed prefixes do not tell the rows apart, or not all that wait on disk can be
// compared with one reading: then it has to be done again with whole values.
bool Comparison::run(std::size_t prefix) {
  hasher_ = RowHasher(RelationGetDescr(view_), seed_, prefix);
  mistaken_ = 0;
  mistaken_allowed_ = prefix == all_bytes ? ~std::uint32_t{0} : most_mistaken;
  ranges_ = 1;
  load(0);
  if (ranges_ > 1 && prefix != all_bytes) return false;
  set_limits();
  open_stores();
  rows_ = 0;
  query_.open(view_);
  run_query(compare_row, nullptr);
  stopped_ = gave_up() && query_.can_go_on();
  if (!stopped_) query_.close();
  if (!gave_up() && mistaken_ > mistaken_allowed_) {
    close_stores();
    return false;
  }
  if (may_give_up_ && !gave_up()) {
    if (matched_ < least_matched_)
      give_up(Found::much_to_remove);
    else
      forget_arrivals();
  }
  return true;
}

void Comparison::run() {
  if (!run(first_bytes)) (void)run(all_bytes);
}

void Comparison::run_waiting(std::uint32_t range) {
  load(range);
  while (next_of(waiting_[range]) != nullptr) {
    CHECK_FOR_INTERRUPTS();
    slot_getallattrs(row_);
    (void)compare(row_, hasher_.hash(row_));
  }
  tuplestore_clear(waiting_[range]);
}

// The stores hold their rows in the order in which they came; what was stored after it gave up is
// not among the arrivals.
void Comparison::replay(DestReceiver* receiver) {
  const auto give = [&](TupleTableSlot* slot) {
    CHECK_FOR_INTERRUPTS();
    receiver->receiveSlot(slot, receiver);
  };
  arrivals_.replay([&](const ItemPointerData& place) { give(stored_.at(place)); },
                   [&](std::uint32_t range) { give(next_of_store(range)); });
  while (next_added() != nullptr) give(row_);
  if (stopped_) run_query(forward_row, receiver);
}

TupleTableSlot* Comparison::next_of(Tuplestorestate* rows) {
  return tuplestore_gettupleslot(rows, true, false, row_) ? row_ : nullptr;
}

TupleTableSlot* Comparison::next_of_store(std::uint32_t range) {
  TupleTableSlot* row = next_of(range == 0 ? added_ : waiting_[range]);
  if (row == nullptr) elog(ERROR, "a row that was compared is missing");
  return row;
}

void Comparison::replace_added(Tuplestorestate* rows) {
  tuplestore_end(added_);
  added_ = rows;
}

// One for each range, and one more while pairs are made.
Tuplestorestate* Comparison::open_store() const {
  const std::size_t kilobytes = kilobytes_for(DiffShare::stores) / (ranges_ + 1);
  return tuplestore_begin_heap(false, false, static_cast<int>(std::max(kilobytes, std::size_t{1})));
}

void Comparison::open_stores() {
  added_ = open_store();
  waiting_ = static_cast<Tuplestorestate**>(palloc0(sizeof(Tuplestorestate*) * ranges_));
  for (std::uint32_t range = 1; range < ranges_; ++range) waiting_[range] = open_store();
  // Pairs are made when it is known that it does not give up.
  if (may_give_up_) arrivals_.open(kilobytes_for(DiffShare::pairs) * 1024);
}

void Comparison::forget_arrivals() {
  arrivals_.close();
  may_give_up_ = false;
}

void Comparison::close_stores() {
  tuplestore_end(added_);
  for (std::uint32_t range = 1; range < ranges_; ++range) tuplestore_end(waiting_[range]);
  if (may_give_up_) arrivals_.close();
}

}  // namespace mvo::pg
