#include "pg/stored_rows.hpp"

namespace mvo::pg {

void StoredRows::open(Relation view) {
  view_ = view;
  snapshot_ = RegisterSnapshot(GetLatestSnapshot());
  scanned_ = table_slot_create(view, nullptr);
  fetched_ = MakeSingleTupleTableSlot(RelationGetDescr(view), &TTSOpsHeapTuple);
  buffer_ = InvalidBuffer;
}

void StoredRows::close() {
  ExecDropSingleTupleTableSlot(scanned_);
  ExecDropSingleTupleTableSlot(fetched_);
  if (BufferIsValid(buffer_)) ReleaseBuffer(buffer_);
  UnregisterSnapshot(snapshot_);
}

// The row was seen by our scan and nobody else removes it while the view is locked, so it is not
// checked again. The pin keeps its page from being rearranged; who began to before it was there has
// the page locked until he is done.
TupleTableSlot* StoredRows::at(const ItemPointerData& tid) {
  const BlockNumber block = ItemPointerGetBlockNumber(&tid);
  if (!BufferIsValid(buffer_) || BufferGetBlockNumber(buffer_) != block) {
    ExecClearTuple(fetched_);
    buffer_ = ReleaseAndReadBuffer(buffer_, view_, block);
    LockBuffer(buffer_, BUFFER_LOCK_SHARE);
    LockBuffer(buffer_, BUFFER_LOCK_UNLOCK);
  }
  Page page = BufferGetPage(buffer_);
  ItemId item = PageGetItemId(page, ItemPointerGetOffsetNumber(&tid));
  tuple_.t_data = reinterpret_cast<HeapTupleHeader>(PageGetItem(page, item));
  tuple_.t_len = ItemIdGetLength(item);
  tuple_.t_self = tid;
  tuple_.t_tableOid = RelationGetRelid(view_);
  ExecStoreHeapTuple(&tuple_, fetched_, false);
  slot_getallattrs(fetched_);
  return fetched_;
}

}  // namespace mvo::pg
