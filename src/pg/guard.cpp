#include "pg/guard.hpp"

#include <new>
#include <string_view>

extern "C" {
#include <tcop/tcopprot.h>
}

namespace mvo::pg {
namespace {

// The three globals that the server's PG_TRY saves, put back on every way out of the frame.
struct OuterHandlers {
  sigjmp_buf* const jump = PG_exception_stack;
  ErrorContextCallback* const context = error_context_stack;
  const MemoryContext memory = CurrentMemoryContext;

  ~OuterHandlers() {
    PG_exception_stack = jump;
    error_context_stack = context;
  }
};

struct Taken {
  MemoryContext memory = nullptr;
  ErrorData* data = nullptr;
};

void take_from_stack(void* opaque) {
  auto* taken = static_cast<Taken*>(opaque);
  // Under the top context: an error has to survive the rollback of the subtransaction it is in.
  taken->memory =
      AllocSetContextCreate(TopMemoryContext, "mv_orchestrator error", ALLOCSET_SMALL_SIZES);
  const MemoryContext caller = MemoryContextSwitchTo(taken->memory);
  taken->data = CopyErrorData();
  FlushErrorState();
  MemoryContextSwitchTo(caller);
}

}  // namespace

PgError::Owned::~Owned() {
  if (memory != nullptr) MemoryContextDelete(memory);
}

PgError PgError::take() {
  PgError error;
  Taken taken;
  if (detail::raised(take_from_stack, &taken)) {
    FlushErrorState();
    if (taken.memory != nullptr) MemoryContextDelete(taken.memory);
    throw std::bad_alloc();
  }
  error.owned_->memory = taken.memory;
  error.owned_->data = taken.data;
  return error;
}

const char* PgError::what() const noexcept {
  return data().message != nullptr ? data().message : "missing error text";
}

bool PgError::is_interrupt() const {
  return sqlstate() == ERRCODE_QUERY_CANCELED || sqlstate() == ERRCODE_ADMIN_SHUTDOWN ||
         sqlstate() == ERRCODE_CRASH_SHUTDOWN;
}

bool PgError::is_own_interrupt() const {
  return is_interrupt() && data().filename != nullptr &&
         std::string_view(data().filename) == "postgres.c";
}

ErrorData* PgError::hand_over(MemoryContext parent) {
  MemoryContextSetParent(owned_->memory, parent);
  owned_->memory = nullptr;
  return owned_->data;
}

namespace detail {

bool raised(void (*body)(void*), void* state) {
  const OuterHandlers outer;
  sigjmp_buf here;
  // 0: the signal mask is not saved, which would be a system call for each use.
  if (sigsetjmp(here, 0) != 0) {
    MemoryContextSwitchTo(outer.memory);
    return true;
  }
  PG_exception_stack = &here;
  body(state);
  return false;
}

void run_guarded(void (*body)(void*), void* state) {
  if (raised(body, state)) throw PgError::take();
}

}  // namespace detail
}  // namespace mvo::pg
