// Processes that take the steps of a run beside each other.
#pragma once

#include "pg/shared_run.hpp"

extern "C" {
#include <postmaster/bgworker.h>
}

namespace mvo::pg {

// Started and watched by the session that asked for the run, which they never outlive.
class Workers {
 public:
  explicit Workers(SharedRun& run) : run_(run) {}
  // Those that still work are terminated, and waited for.
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // Asks for so many; how many the server has room for.
  int start(int count);
  // Waits until all steps have ended, or no worker is left. The steps of workers that died have failed.
  void wait();

 private:
  struct Started {
    BackgroundWorkerHandle* handle;
    bool ended = false;
  };

  bool look_for_dead();
  void bury(std::size_t number);

  SharedRun& run_;
  std::vector<Started> workers_;
};

}  // namespace mvo::pg
