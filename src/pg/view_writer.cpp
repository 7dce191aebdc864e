#include "pg/view_writer.hpp"

#include "pg/compat.hpp"

extern "C" {
#include <access/tableam.h>
}

namespace mvo::pg {

void ViewWriter::open(Relation view) {
  view_ = view;
  executor_ = nullptr;
  changes_ = 0;
}

void ViewWriter::close() {
  if (executor_ == nullptr) return;
  FreeBulkInsertState(bulk_);
  ExecDropSingleTupleTableSlot(slot_);
  ExecCloseIndices(target_);
  FreeExecutorState(executor_);
}

void ViewWriter::remove(ItemPointerData tid) {
  CHECK_FOR_INTERRUPTS();
  simple_heap_delete(view_, &tid);
  ++changes_;
}

// Only when there is something to add: most diffs find nothing.
void ViewWriter::open_indexes() {
  executor_ = CreateExecutorState();
  target_ = makeNode(ResultRelInfo);
  InitResultRelInfo(target_, view_, 1, nullptr, 0);
  ExecOpenIndices(target_, false);
  slot_ = table_slot_create(view_, nullptr);
  bulk_ = GetBulkInsertState();
}

void ViewWriter::add(TupleTableSlot* row) {
  if (executor_ == nullptr) open_indexes();
  ExecCopySlot(slot_, row);
  table_tuple_insert(view_, slot_, GetCurrentCommandId(true), 0, bulk_);
  if (target_->ri_NumIndices > 0) compat::insert_index_tuples(target_, slot_, executor_);
  ResetPerTupleExprContext(executor_);
  ExecClearTuple(slot_);
  ++changes_;
}

}  // namespace mvo::pg
