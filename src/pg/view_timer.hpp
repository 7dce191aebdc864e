// A time limit for the step of one view. The server's statement_timeout cannot be it: set inside a
// running call it does not count for that call, and it is for the whole call.
#pragma once

#include <chrono>

#include "pg/cancel_watch.hpp"

namespace mvo::pg {

// While it lives, and once the limit is over, the backend is cancelled, again each second in case
// somebody's function survives that. Whether a cancel was this one or anybody else's is known for
// certain; another one that comes at the same time counts more. What runs within a limit, as an
// event trigger may call us again, has no limit of its own.
class ViewTimer {
 public:
  // Zero: no limit.
  explicit ViewTimer(std::chrono::milliseconds limit);
  // What has been asked for by the timer and was not yet heeded is forgotten.
  ~ViewTimer();
  ViewTimer(const ViewTimer&) = delete;
  ViewTimer& operator=(const ViewTimer&) = delete;

  // Whether the error is the timer's doing.
  bool caused(const PgError& error) const;
  // Whether the limit is over and nobody else has asked for a cancel.
  bool is_over() const;

 private:
  CancelWatch watch_;
  bool armed_;
};

[[noreturn]] void raise_view_timeout(std::chrono::milliseconds limit);

// Runs body(). 57014 when it takes longer than the limit, as an error of the view's step, also when
// somebody's function has survived the cancel; zero: it may take its time.
template <class Body>
auto within(std::chrono::milliseconds limit, Body body) {
  const ViewTimer timer(limit);
  try {
    if constexpr (std::is_void_v<std::invoke_result_t<Body>>) {
      body();
      if (!timer.is_over()) return;
    } else {
      auto result = body();
      if (!timer.is_over()) return result;
    }
  } catch (const PgError& error) {
    if (!timer.caused(error)) throw;
  }
  raise_view_timeout(limit);
}

}  // namespace mvo::pg
