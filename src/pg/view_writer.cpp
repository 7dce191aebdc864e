#include "pg/view_writer.hpp"

#include "pg/compat.hpp"
#include "pg/row_hash.hpp"

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

const ResultRelInfo* ViewWriter::indexes() {
  if (executor_ == nullptr) open_indexes();
  return target_;
}

// Only when there is something to write: most diffs find nothing.
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

// The old row's value where it is stored in another form than a new one would be and means the
// same: what is out of line is not written again, and the server, which compares stored forms, sees
// that an indexed column has not changed.
Datum ViewWriter::value_to_store(int i, const TupleTableSlot* old,
                                 const TupleTableSlot* row) const {
  const Datum stored = old->tts_values[i];
  const TupleDesc columns = RelationGetDescr(view_);
  if (TupleDescAttr(columns, i)->attlen != -1 || old->tts_isnull[i] || row->tts_isnull[i])
    return row->tts_values[i];
  const auto* value = reinterpret_cast<const varlena*>(DatumGetPointer(stored));
  const bool plain = !VARATT_IS_EXTERNAL(value) && !VARATT_IS_COMPRESSED(value);
  return plain || !same_column(columns, i, old, row) ? row->tts_values[i] : stored;
}

void ViewWriter::update(TupleTableSlot* old, TupleTableSlot* row) {
  if (executor_ == nullptr) open_indexes();
  ExecClearTuple(slot_);
  for (int i = 0; i < RelationGetDescr(view_)->natts; ++i) {
    slot_->tts_isnull[i] = row->tts_isnull[i];
    slot_->tts_values[i] = value_to_store(i, old, row);
  }
  ExecStoreVirtualTuple(slot_);
  compat::update_row(target_, &old->tts_tid, slot_, executor_);
  ResetPerTupleExprContext(executor_);
  ExecClearTuple(slot_);
  ++changes_;
}

}  // namespace mvo::pg
