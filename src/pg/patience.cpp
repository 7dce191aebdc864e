#include "pg/patience.hpp"

#include <algorithm>

#include "pg/guc_scope.hpp"
#include "pg/subtransaction.hpp"

extern "C" {
#include <pgstat.h>
#include <storage/latch.h>
#include <storage/proc.h>
#include <utils/timestamp.h>
#include <utils/wait_event.h>
}

namespace mvo::pg {
namespace {

// Shorter than deadlock_timeout, after which the detector ends one of the sessions.
constexpr int moment_ms = 200;
constexpr int first_pause_ms = 10;
constexpr int longest_pause_ms = 500;

// Whether it ran to its end; otherwise a lock was not had.
bool look_once(const std::function<void()>& body) {
  Subtransaction looking;
  try {
    GucScope limit;
    limit.set("lock_timeout", std::to_string(moment_ms));
    body();
    limit.end();
  } catch (const PgError& error) {
    if (error.sqlstate() != ERRCODE_LOCK_NOT_AVAILABLE) throw;
    looking.roll_back();
    return false;
  }
  looking.roll_back();
  return true;
}

}  // namespace

void pause(int milliseconds) {
  call([&] {
    (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, milliseconds,
                    PG_WAIT_EXTENSION);
    ResetLatch(MyLatch);
    CHECK_FOR_INTERRUPTS();
  });
}

void look_without_holding_locks(bool wait, const std::function<void()>& body) {
  const TimestampTz end = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), LockTimeout);
  const bool limited = LockTimeout > 0;
  for (int pause_ms = first_pause_ms; !wait; pause_ms = std::min(2 * pause_ms, longest_pause_ms)) {
    if (limited && LockTimeout <= moment_ms) break;
    if (look_once(body)) return;
    if (limited && GetCurrentTimestamp() >= end) break;
    pause(pause_ms);
  }
  // The last time, or the only one: its error is the caller's.
  Subtransaction looking;
  body();
  looking.roll_back();
}

}  // namespace mvo::pg
