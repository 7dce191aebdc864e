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

// While we wait we stand in somebody's way, and his deadlock check may come just then.
constexpr int moment_ms = 1;
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
    limit.set("lock_timeout", std::to_string(moment_ms));
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
  for (int pause_ms = first_pause_ms;; pause_ms = std::min(2 * pause_ms, longest_pause_ms)) {
    try {
      return look_for_a_moment(body);
    } catch (const PgError& error) {
      if (error.sqlstate() != ERRCODE_LOCK_NOT_AVAILABLE) throw;
      if (limited && GetCurrentTimestamp() >= end) throw;
    }
    pause(pause_ms);
  }
}

}  // namespace mvo::pg
