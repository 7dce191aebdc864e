#include "pg/patience.hpp"

#include <algorithm>

#include "pg/cancel_watch.hpp"
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

// We wait for less than deadlock_timeout, so that a session that comes to wait for us finds us gone
// when it looks for a deadlock; and we look for one at once, so that it is we who give way when we
// close the circle.
std::string longest_wait() {
  return std::to_string(std::max(1, DeadlockTimeout / 2));
}

constexpr const char* wait_before_check = "1ms";
constexpr int first_pause_ms = 10;
constexpr int longest_pause_ms = 500;

void look(const std::function<void()>& body) {
  Subtransaction looking;
  body();
  looking.roll_back();
}

void look_for_a_moment(const std::function<void()>& body) {
  look([&] {
    GucScope limit;
    limit.set("lock_timeout", longest_wait());
    limit.set("deadlock_timeout", wait_before_check, PGC_SUSET);
    body();
    limit.end();
  });
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
  if (wait) return look(body);
  const bool limited = LockTimeout > 0;
  const TimestampTz end = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), LockTimeout);
  int pause_ms = first_pause_ms;
  const CancelWatch watch;
  for (;;) {
    try {
      return look_for_a_moment(body);
    } catch (const PgError& error) {
      const bool circle = error.sqlstate() == ERRCODE_T_R_DEADLOCK_DETECTED;
      if (!circle && error.sqlstate() != ERRCODE_LOCK_NOT_AVAILABLE) throw;
      if (limited && GetCurrentTimestamp() >= end) throw;
      if (circle) pause_ms = std::min(2 * pause_ms, longest_pause_ms);
    }
    watch.raise_if_heard();
    pause(pause_ms);
  }
}

}  // namespace mvo::pg
