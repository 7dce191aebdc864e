#include <fmt/format.h>  // before the server, which redefines printf

#include "pg/view_timer.hpp"

#include <csignal>

#include "core/error.hpp"

extern "C" {
#include <utils/timeout.h>
#include <utils/timestamp.h>
}

namespace mvo::pg {
namespace {

constexpr int repeated_every_ms = 1000;

bool in_force = false;                  // while a limit is
volatile std::sig_atomic_t struck = 0;  // the limit is over

// In a signal handler, like those of the server's own timeouts.
void strike() {
  struck = 1;
  InterruptPending = true;
  QueryCancelPending = true;
}

// Slots for timeouts are few and cannot be given back: one for each backend.
TimeoutId timeout() {
  static const TimeoutId id = call([] { return RegisterTimeout(USER_TIMEOUT, strike); });
  return id;
}

}  // namespace

ViewTimer::ViewTimer(std::chrono::milliseconds limit) : armed_(limit.count() > 0 && !in_force) {
  if (!armed_) return;
  check_for_interrupts();  // what was asked for before is not taken for ours
  const TimeoutId id = timeout();
  in_force = true;
  struck = 0;
  const TimestampTz end =
      TimestampTzPlusMilliseconds(GetCurrentTimestamp(), static_cast<std::int64_t>(limit.count()));
  // Neither this nor what stops it can fail.
  enable_timeout_every(id, end, repeated_every_ms);
}

ViewTimer::~ViewTimer() {
  if (!armed_) return;
  disable_timeout(timeout(), false);
  if (is_over()) {
    // A lock_timeout at the same time is over, too: the next cancel would be taken for it.
    (void)get_timeout_indicator(LOCK_TIMEOUT, true);
    QueryCancelPending = false;
    // Who has asked in between those two lines is not forgotten.
    if (watch_.heard()) {
      QueryCancelPending = true;
      InterruptPending = true;
    }
  }
  in_force = false;
}

bool ViewTimer::is_over() const {
  return armed_ && struck && !watch_.heard();
}

bool ViewTimer::caused(const PgError& error) const {
  return is_over() && error.sqlstate() == ERRCODE_QUERY_CANCELED && error.is_own_interrupt();
}

void raise_view_timeout(std::chrono::milliseconds limit) {
  throw core::Error{core::Code::view_timeout, "canceled due to view timeout",
                    fmt::format("Its step may take {} ms.", limit.count()),
                    "The limit is the view's option view_timeout, or else "
                    "mv_orchestrator.view_timeout."};
}

}  // namespace mvo::pg
