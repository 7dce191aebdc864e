// Steps that are committed one by one: what a run in its own session and the workers of a run in
// several do alike.
#pragma once

#include <functional>

#include "core/run.hpp"
#include "pg/plan.hpp"
#include "pg/progress.hpp"

namespace mvo::pg {

// What is the same for all steps of a run.
struct StepsOfRun {
  const Planned& planned;
  std::vector<core::Node> read;  // by later steps; ascending
  // What else there is to say of a view that is refreshed.
  std::function<std::string(const core::Name&)> detail;
  std::int64_t run;
  Oid extension;
  // What a cancel that strikes this step is about, if it is no one else's wish; may be empty.
  std::function<std::optional<core::Failure>(const core::Step&)> reason_of_cancel = {};
};

class StepTaker {
 public:
  // Ends the transaction and begins the next; says why when that failed.
  using Commit = std::function<std::optional<core::Failure>(const core::Name& view)>;

  StepTaker(StepsOfRun run, Commit commit, Progress& progress)
      : run_(std::move(run)), commit_(std::move(commit)), progress_(progress) {}

  // Takes it, again where another transaction made it fail, and writes down what became of it. All
  // is committed when this returns. An interrupt is written down and thrown on.
  core::Outcome take(const core::Step& step, core::Microseconds began);
  // In a transaction of its own. SERIALIZABLE, it may have to be repeated.
  void write_down(const core::Outcome& outcome);
  // Of one that was not taken, or by another process.
  void write_down_untaken(const core::Outcome& outcome, int process = MyProcPid);
  // What became of it as far as that is written down, by whichever process.
  std::optional<std::string> recorded(const core::Step& step) const;

 private:
  core::Outcome try_step(const core::Step& step, core::Microseconds began, int retries);
  core::Attempt attempt_step(const core::Step& step, core::Outcome& outcome, int retries);
  core::Refreshed refresh(const core::Step& step, core::Outcome& outcome, int retries);
  void wait_before_retry(int retry, const core::Outcome& failed);
  [[noreturn]] void end_interrupted(core::Outcome outcome, const PgError& interrupt);
  void record_step(core::Outcome outcome);
  void keep_extension() const;
  std::size_t place_of(const core::Step& step) const;

  StepsOfRun run_;
  Commit commit_;
  Progress& progress_;
  int process_ = MyProcPid;  // whose step is written down
  Oid owner_ = InvalidOid;   // of the step's view; its name can have come to another's since
};

// The extension as it is now; InvalidOid when there is none.
Oid extension();
// Of the relation of that name; InvalidOid when there is none.
Oid owner_of(const core::Name& view);

}  // namespace mvo::pg
