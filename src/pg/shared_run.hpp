// A run that several processes share: its steps, what became of them, and the state of the session
// that asked for it, in a segment of dynamic shared memory. Plain data alone: no pointers, as the
// segment is mapped at different addresses.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "core/schedule.hpp"
#include "pg/plan.hpp"
#include "pg/settings.hpp"

extern "C" {
#include <storage/condition_variable.h>
#include <storage/dsm.h>
#include <storage/spin.h>
}

namespace mvo::pg {

// What the session that asks for the run hands over.
struct RunToShare {
  const Planned& planned;
  const core::Jobs& jobs;
  core::OnError on_error;
  int workers;
  std::int64_t run;
  Oid extension;
  // By its number, what there is to say of a view's definition.
  std::function<int(const core::Name&)> edit;
};

struct SharedStep {
  NameData schema, view;
  core::Mode mode;
  core::Reason::Kind reason;
  int reason_runs, level;
  std::int64_t lock_timeout, view_timeout, retries;  // -1: the settings
  core::Learned learned;
  bool read_later;
  int edit;

  bool in_deadlock;  // as the session has found: its cancel is no other's wish

  // Written by the process that takes it, read when it has ended.
  pid_t process;
  core::Microseconds began, ended;
  core::Status status;
  char sqlstate[6];   // empty: it has not failed
  char message[512];  // whole characters
};

struct SharedHeader {
  slock_t mutex;  // over all jobs and workers, for moments
  ConditionVariable changed;
  bool given_up;  // nobody waits for the run's end any more
  core::OnError on_error;
  int workers;  // that were asked for
  std::uint32_t steps, readers;
  std::size_t jobs_at, readers_at, steps_at, libraries_at, session_at;  // from the beginning

  std::int64_t run;
  int session;                        // the process that asked for it
  Oid extension, database, user;      // who logged in
  Oid session_user, current_user;     // a role's name, which settings have, can come to another's
  char role[NAMEDATALEN];             // the setting
  std::int64_t taking[most_workers];  // the step that each worker is at; -1: none
};

class SharedRun {
 public:
  // Makes the segment, with all that the workers need to know; nothing when the server has none to
  // give. It stays over the end of a transaction.
  static std::unique_ptr<SharedRun> make(const RunToShare& run);
  // Attaches to it, as a worker.
  explicit SharedRun(dsm_handle handle);
  ~SharedRun();
  SharedRun(const SharedRun&) = delete;
  SharedRun& operator=(const SharedRun&) = delete;

  dsm_handle handle() const { return dsm_segment_handle(segment_); }
  SharedHeader& header() const {
    return *static_cast<SharedHeader*>(dsm_segment_address(segment_));
  }
  SharedStep& step(core::Place place) const;
  // The libraries that the session has loaded, and its settings.
  char* libraries() const { return static_cast<char*>(at(header().libraries_at)); }
  char* session() const { return static_cast<char*>(at(header().session_at)); }
  // The next step, if any is ready, as this process's own. Under the lock.
  std::optional<core::Place> take(core::Schedule& schedule) const;
  // What became of it is for the others to read from now on.
  void write_outcome(core::Place place, core::Status status,
                     const std::optional<core::Failure>& failure) const;

  // Runs body(schedule) alone of all processes; it may neither fail nor allocate.
  template <class Body>
  auto locked(Body body) const {
    core::Schedule schedule(jobs(), {readers(), header().readers}, header().on_error);
    SpinLockAcquire(&header().mutex);
    if constexpr (std::is_void_v<decltype(body(schedule))>) {
      body(schedule);
      SpinLockRelease(&header().mutex);
    } else {
      auto result = body(schedule);
      SpinLockRelease(&header().mutex);
      return result;
    }
  }
  // Has all that wait look again.
  void tell_all() const;
  // Until somebody has told since prepare_to_wait(), or a process that we are notified of has
  // ended; for a second at most, as one may die without a word. Interrupts are the caller's to look
  // for.
  void prepare_to_wait() const;
  static void wait();

  // Under the lock, or once all have ended.
  std::span<core::Job> jobs() const {
    return {static_cast<core::Job*>(at(header().jobs_at)), header().steps};
  }

  // The plan, as a worker needs it: the views without what connects them.
  Planned planned() const;

 private:
  explicit SharedRun(dsm_segment* segment) : segment_(segment) {}

  void* at(std::size_t offset) const { return reinterpret_cast<char*>(&header()) + offset; }
  core::Place* readers() const { return static_cast<core::Place*>(at(header().readers_at)); }

  dsm_segment* segment_;
};

}  // namespace mvo::pg
