// The rows that a view holds now, read by scan and by place.
#pragma once

#include "pg/guard.hpp"

extern "C" {
#include <access/tableam.h>
#include <executor/tuptable.h>
#include <storage/bufmgr.h>
#include <utils/rel.h>
#include <utils/snapmgr.h>
}

namespace mvo::pg {

// Reads with a fresh snapshot, taken when it is opened: after the lock, so nobody changes the rows.
// Only server code that may raise: use it inside pg::call.
class StoredRows {
 public:
  void open(Relation view);
  void close();

  // Calls visit(slot) for each row; its values are deformed and good until the next one.
  template <class Visit>
  void scan(Visit visit);

  // The row at a place that a scan visited, deformed; good until the next call.
  TupleTableSlot* at(const ItemPointerData& tid);

 private:
  Relation view_;
  Snapshot snapshot_;
  TupleTableSlot* scanned_;
  TupleTableSlot* fetched_;
  Buffer buffer_;  // pinned: the page of the last row that was fetched
  HeapTupleData tuple_;
};

template <class Visit>
void StoredRows::scan(Visit visit) {
  // From the first page on, not from where another scan is: the order is that of the places.
  TableScanDesc scan = table_beginscan_strat(view_, snapshot_, 0, nullptr, true, false);
  while (table_scan_getnextslot(scan, ForwardScanDirection, scanned_)) {
    CHECK_FOR_INTERRUPTS();
    slot_getallattrs(scanned_);
    visit(scanned_);
  }
  table_endscan(scan);
}

}  // namespace mvo::pg
