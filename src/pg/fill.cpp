#include "pg/fill.hpp"

extern "C" {
#include <access/heapam.h>
#include <access/tableam.h>
#include <executor/tuptable.h>
}

namespace mvo::pg {
namespace {

constexpr int most_rows = 1000;
constexpr std::size_t most_bytes = 64 * 1024;
constexpr int insert_options = TABLE_INSERT_SKIP_FSM | TABLE_INSERT_FROZEN;

struct Filler {
  DestReceiver base;
  Relation table;
  BulkInsertState bulk;
  CommandId command;
  MemoryContext batch_memory;  // what an insert leaves behind
  int count;
  std::size_t bytes;
  TupleTableSlot* slots[most_rows];
};

void flush(Filler* filler) {
  if (filler->count == 0) return;
  const MemoryContext caller = MemoryContextSwitchTo(filler->batch_memory);
  table_multi_insert(filler->table, filler->slots, filler->count, filler->command, insert_options,
                     filler->bulk);
  MemoryContextSwitchTo(caller);
  MemoryContextReset(filler->batch_memory);
  for (int i = 0; i < filler->count; ++i) ExecClearTuple(filler->slots[i]);
  filler->count = 0;
  filler->bytes = 0;
}

void startup(DestReceiver* self, int, TupleDesc) {
  auto* filler = reinterpret_cast<Filler*>(self);
  filler->command = GetCurrentCommandId(true);
  filler->bulk = GetBulkInsertState();
}

bool receive(TupleTableSlot* row, DestReceiver* self) {
  auto* filler = reinterpret_cast<Filler*>(self);
  TupleTableSlot*& slot = filler->slots[filler->count];
  // A slot of this kind keeps a copy, not a pin on the page that the row comes from.
  if (slot == nullptr)
    slot = MakeSingleTupleTableSlot(RelationGetDescr(filler->table), &TTSOpsHeapTuple);
  ExecCopySlot(slot, row);
  filler->bytes += reinterpret_cast<HeapTupleTableSlot*>(slot)->tuple->t_len;
  if (++filler->count == most_rows || filler->bytes >= most_bytes) flush(filler);
  return true;
}

void shutdown(DestReceiver* self) {
  auto* filler = reinterpret_cast<Filler*>(self);
  flush(filler);
  FreeBulkInsertState(filler->bulk);
  table_finish_bulk_insert(filler->table, insert_options);
  for (TupleTableSlot* slot : filler->slots)
    if (slot != nullptr) ExecDropSingleTupleTableSlot(slot);
}

void destroy(DestReceiver* self) {
  auto* filler = reinterpret_cast<Filler*>(self);
  MemoryContextDelete(filler->batch_memory);
  pfree(filler);
}

}  // namespace

DestReceiver* fill_receiver(Relation table) {
  auto* filler = static_cast<Filler*>(palloc0(sizeof(Filler)));
  filler->base.receiveSlot = receive;
  filler->base.rStartup = startup;
  filler->base.rShutdown = shutdown;
  filler->base.rDestroy = destroy;
  filler->base.mydest = DestTransientRel;
  filler->table = table;
  filler->batch_memory =
      AllocSetContextCreate(CurrentMemoryContext, "mv_orchestrator fill", ALLOCSET_DEFAULT_SIZES);
  return &filler->base;
}

}  // namespace mvo::pg
