// A run that several processes share: its steps, what became of them, and the state of the session
// that asked for it, in a segment of dynamic shared memory. Plain data alone: no pointers, as the
// segment may be mapped at different addresses.
#pragma once

#include "core/schedule.hpp"
#include "pg/plan.hpp"

extern "C" {
#include <storage/condition_variable.h>
#include <storage/dsm.h>
#include <storage/spin.h>
}

namespace mvo::pg {

constexpr int most_workers = 64;

struct SharedStep {
  NameData schema, view;
  core::Mode mode;
  core::Reason::Kind reason;
  int reason_runs, level;
  std::int64_t lock_timeout, view_timeout, retries;  // -1: the settings
  core::Learned learned;
  bool read_later;
  int edit;  // what UnappliedEdits has to say, by its number

  // Written by who takes it, read when it has ended.
  core::Status status;
  char sqlstate[6];
  char message[512];  // whole characters
};

struct SharedWorker {
  pid_t pid;            // 0: has not begun
  std::int64_t taking;  // its step; -1: none
};

struct SharedHeader {
  slock_t mutex;  // over all jobs and workers, for moments
  ConditionVariable changed;
  bool given_up;  // the session that asked for it is gone
  core::OnError on_error;
  int workers;
  std::uint32_t steps, readers;
  std::size_t jobs_at, readers_at, steps_at, session_at;  // from the beginning

  std::int64_t run;
  Oid extension, database, user;  // who logged in
  char role[NAMEDATALEN];         // whom he has become by SET ROLE; empty: nobody
  SharedWorker worker[most_workers];
};

class SharedRun {
 public:
  // Makes the segment, with all that the workers need to know. It stays over the end of a
  // transaction.
  SharedRun(const Planned& planned, const core::Jobs& jobs, core::OnError on_error, int workers);
  // Attaches to it, as a worker.
  explicit SharedRun(dsm_handle handle);
  ~SharedRun();
  SharedRun(const SharedRun&) = delete;
  SharedRun& operator=(const SharedRun&) = delete;

  dsm_handle handle() const { return dsm_segment_handle(segment_); }
  SharedHeader& header() const { return *static_cast<SharedHeader*>(dsm_segment_address(segment_)); }
  SharedStep& step(core::Place place) const;
  void* session() const { return at(header().session_at); }

  // Runs body(schedule) alone of all processes; it may neither fail nor allocate.
  template <class Body>
  auto locked(Body body) const {
    core::Schedule schedule({jobs(), header().steps}, {readers(), header().readers},
                            header().on_error);
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

  // The plan, as a worker needs it: the views without what connects them.
  Planned planned() const;

 private:
  void* at(std::size_t offset) const { return reinterpret_cast<char*>(&header()) + offset; }
  core::Job* jobs() const { return static_cast<core::Job*>(at(header().jobs_at)); }
  core::Place* readers() const { return static_cast<core::Place*>(at(header().readers_at)); }

  dsm_segment* segment_;
};

}  // namespace mvo::pg
