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

volatile std::sig_atomic_t struck = 0;     // the limit is over
volatile std::sig_atomic_t cancelled = 0;  // somebody else has asked for a cancel
bool running = false;
struct sigaction servers_action;

// In a signal handler, like those of the server's own timeouts.
void strike() {
  struck = 1;
  InterruptPending = true;
  QueryCancelPending = true;
}

// A lock_timeout comes this way too, but ends as an error of its own, which may be survived.
void note_cancel(int signal) {
  if (!get_timeout_indicator(LOCK_TIMEOUT, false)) cancelled = 1;
  servers_action.sa_handler(signal);
}

// Slots for timeouts are few and cannot be given back: one for each backend.
TimeoutId timeout() {
  static const TimeoutId id = call([] { return RegisterTimeout(USER_TIMEOUT, strike); });
  return id;
}

void listen_to_cancels() {
  sigaction(SIGINT, nullptr, &servers_action);
  struct sigaction ours = servers_action;
  ours.sa_handler = note_cancel;
  if (servers_action.sa_handler != SIG_IGN && servers_action.sa_handler != SIG_DFL)
    sigaction(SIGINT, &ours, nullptr);
}

}  // namespace

ViewTimer::ViewTimer(std::chrono::milliseconds limit) : armed_(limit.count() > 0 && !running) {
  if (!armed_) return;
  const TimeoutId id = timeout();
  struck = 0;
  cancelled = 0;
  running = true;
  listen_to_cancels();
  if (QueryCancelPending) cancelled = 1;  // asked for before, and not yet heeded
  const TimestampTz end =
      TimestampTzPlusMilliseconds(GetCurrentTimestamp(), static_cast<std::int64_t>(limit.count()));
  // Neither this nor what stops it can fail.
  enable_timeout_every(id, end, repeated_every_ms);
}

ViewTimer::~ViewTimer() {
  if (!armed_) return;
  disable_timeout(timeout(), false);
  if (struck && !cancelled) {
    // A lock_timeout at the same time is over, too: the next cancel would be taken for it.
    (void)get_timeout_indicator(LOCK_TIMEOUT, true);
    QueryCancelPending = false;
    // Who has asked in between those two lines is not forgotten.
    if (cancelled) {
      QueryCancelPending = true;
      InterruptPending = true;
    }
  }
  sigaction(SIGINT, &servers_action, nullptr);
  running = false;
}

bool ViewTimer::caused(const PgError& error) const {
  return armed_ && struck && !cancelled && error.sqlstate() == ERRCODE_QUERY_CANCELED &&
         error.is_own_interrupt();
}

void raise_view_timeout(std::chrono::milliseconds limit) {
  throw core::Error{core::Code::view_timeout, "canceled due to view timeout",
                    fmt::format("Its step may take {} ms.", limit.count()),
                    "The limit is the view's option view_timeout, or else "
                    "mv_orchestrator.view_timeout."};
}

}  // namespace mvo::pg
