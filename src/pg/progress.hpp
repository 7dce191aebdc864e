// What a run is doing, for other sessions to see while it works: in what the session reports as its
// query in pg_stat_activity, which asks for no shared memory of our own. The view
// mv_orchestrator.progress takes it apart again.
#pragma once

#include "core/name.hpp"
#include "pg/guard.hpp"

namespace mvo::pg {

// The query that is reported begins, while it lives, with a comment:
//
//   /* mv_orchestrator run 12, step 3 of 20, index 2 of 3: public.daily */ CALL mv_run()
//
// Afterwards it is the caller's own again. Costs no system call and cannot fail.
class Progress {
 public:
  // The run waits for its locks.
  Progress();
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // A run that writes its history as it goes.
  void number(std::int64_t run) { run_ = run; }
  // Step `step` of `steps` begins.
  void begin(std::size_t step, std::size_t steps, const core::Name& view);
  // What follows concerns all views.
  void end_steps();
  // What the innermost run does now: "query", "index 2 of 3". Says nothing outside of a run.
  static void phase(std::string_view what);

 private:
  void report(std::string_view phase) const;

  static inline Progress* innermost = nullptr;

  Progress* outer_ = innermost;
  std::string callers_;
  std::uint64_t query_id_ = 0;
  std::optional<std::int64_t> run_;
  std::string step_, view_;
};

}  // namespace mvo::pg
