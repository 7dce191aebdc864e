#include "pg/difference.hpp"

#include "pg/diff_memory.hpp"
#include "pg/row_pairs.hpp"
#include "pg/view_writer.hpp"

extern "C" {
#include <commands/matview.h>
}

namespace mvo::pg {
namespace {

// Holds nothing that needs a destructor.
class Writing {
 public:
  explicit Writing(Comparison* comparison) : comparison_(comparison) {
    writer_.open(comparison->view());
  }

  std::uint64_t write();

 private:
  void open_pairs();
  void drop_unmatched();
  void update_pairs();
  void write_added();

  Comparison* comparison_;
  RowPairs pairs_{};
  ViewWriter writer_{};
};

void Writing::open_pairs() {
  pairs_.open(comparison_->stored(), writer_.indexes(), comparison_->seed(),
              rows_for(DiffShare::pairs));
}

// Rows that have no equal: they wait for one to take their place or go at once.
void Writing::drop_unmatched() {
  comparison_->for_each_unmatched([&](const ItemPointerData& place) {
    if (!pairs_.hold(place)) writer_.remove(place);
  });
}

// Those of the added rows that no old row can become are left; what waited in vain goes.
void Writing::update_pairs() {
  Tuplestorestate* rest = comparison_->open_store();
  while (TupleTableSlot* row = comparison_->next_added()) {
    CHECK_FOR_INTERRUPTS();
    slot_getallattrs(row);
    if (TupleTableSlot* old = pairs_.take(row))
      writer_.update(old, row);
    else
      tuplestore_puttupleslot(rest, row);
  }
  comparison_->replace_added(rest);
  pairs_.for_each_left([&](const ItemPointerData& place) { writer_.remove(place); });
}

// After all removals: a unique index would otherwise see rows that are about to go.
void Writing::write_added() {
  while (TupleTableSlot* row = comparison_->next_added()) {
    CHECK_FOR_INTERRUPTS();
    writer_.add(row);
  }
}

std::uint64_t Writing::write() {
  if (comparison_->ranges() > 1 || comparison_->count_added() > 0) open_pairs();
  drop_unmatched();
  for (std::uint32_t range = 1; range < comparison_->ranges(); ++range) {
    comparison_->run_waiting(range);
    drop_unmatched();
  }
  if (!pairs_.empty()) update_pairs();
  write_added();
  writer_.close();
  return writer_.changes();
}

}  // namespace

Difference::Difference(Relation view, bool may_give_up)
    : memory_(call([] {
        return AllocSetContextCreate(CurrentMemoryContext, "mv_orchestrator diff",
                                     ALLOCSET_DEFAULT_SIZES);
      })) {
  call([&] {
    const MemoryContext caller = MemoryContextSwitchTo(memory_);
    comparison_.open(view, may_give_up);
    comparison_.run();
    MemoryContextSwitchTo(caller);
  });
}

std::uint64_t Difference::write() {
  return call([&] {
    const MemoryContext caller = MemoryContextSwitchTo(memory_);
    const std::uint64_t changes = Writing(&comparison_).write();
    // Whoever has an older snapshot must learn that the view changed; REFRESH CONCURRENTLY leaves
    // the same trace. Nothing changed leaves none.
    if (changes > 0) SetMatViewPopulatedState(comparison_.view(), true);
    MemoryContextSwitchTo(caller);
    return changes;
  });
}

void Difference::end() {
  call([&] {
    comparison_.close();
    MemoryContextDelete(memory_);
  });
}

}  // namespace mvo::pg
