#include "pg/subtransaction.hpp"

namespace mvo::pg {

Subtransaction::Subtransaction() : memory_(CurrentMemoryContext), owner_(CurrentResourceOwner) {
  call([] { BeginInternalSubTransaction(nullptr); });
  open_ = true;
  MemoryContextSwitchTo(memory_);
}

Subtransaction::~Subtransaction() {
  if (!open_) return;
  // A rollback that fails leaves no state that anything could go on from.
  if (detail::raised([](void*) { RollbackAndReleaseCurrentSubTransaction(); }, nullptr))
    ereport(FATAL, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not roll back subtransaction")));
  restore_caller();
}

void Subtransaction::commit() {
  call([] { ReleaseCurrentSubTransaction(); });
  open_ = false;
  restore_caller();
}

void Subtransaction::roll_back() {
  call([] { RollbackAndReleaseCurrentSubTransaction(); });
  open_ = false;
  restore_caller();
}

void Subtransaction::restore_caller() {
  MemoryContextSwitchTo(memory_);
  CurrentResourceOwner = owner_;
}

}  // namespace mvo::pg
