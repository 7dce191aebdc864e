// The worker processes of a run, as the session that asked for it has them.
#pragma once

#include "pg/shared_run.hpp"

extern "C" {
#include <postmaster/bgworker.h>
}

namespace mvo::pg {

// Whatever ends the run, an error or the session's own end among it, the workers that are left are
// terminated and waited for. One at a time in a session.
class Workers {
 public:
  // Asks for so many; the server may have room for fewer.
  Workers(const SharedRun& run, int count);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  int started() const { return static_cast<int>(workers_.size()); }
  bool any_left() const;
  // Numbers of those that have ended since the last call.
  std::vector<int> ended();
  void cancel(int number);
  // Waits until they end by themselves, as the run is over.
  void wait_for_end();
  void terminate() noexcept;

 private:
  explicit Workers(const SharedRun& run) : run_(run) {}
  static void end_with_session(int code, Datum argument);

  static inline Workers* of_session = nullptr;

  const SharedRun& run_;
  std::vector<BackgroundWorkerHandle*> workers_;  // null: ended
};

}  // namespace mvo::pg
