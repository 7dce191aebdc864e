// A time limit for the step of one view. The server's statement_timeout cannot be it: set inside a
// running call it does not count for that call, and it is for the whole call.
#pragma once

#include <chrono>

#include "pg/guard.hpp"

namespace mvo::pg {

// While it lives, and once the limit is over, the backend is cancelled, again each second in case
// somebody's function survives that. Whether a cancel was this one or anybody else's is known for
// certain; another one that comes at the same time counts more. A view's function may refresh
// another view: within a limit that is the only one.
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

 private:
  bool armed_;
};

[[noreturn]] void raise_view_timeout(std::chrono::milliseconds limit);

// Runs body(). 57014 when it takes longer than the limit, as an error of the view's step; zero: it
// may take its time.
template <class Body>
auto within(std::chrono::milliseconds limit, Body body) {
  const ViewTimer timer(limit);
  try {
    return body();
  } catch (const PgError& error) {
    if (!timer.caused(error)) throw;
  }
  raise_view_timeout(limit);
}

}  // namespace mvo::pg
