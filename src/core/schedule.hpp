// Which view is next when several are refreshed at once. The state is plain memory that whoever
// runs the workers provides, so that they can share it; each call is made under their lock.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/plan.hpp"
#include "core/run.hpp"

namespace mvo::core {

// A place in the plan.
using Place = std::uint32_t;

// left_out: what it reads failed; skipped: the run had stopped.
enum class JobState : std::uint8_t { waiting, ready, running, done, failed, left_out, skipped };

// One step. No pointers: it may live at different addresses in different processes.
struct Job {
  JobState state = JobState::waiting;
  std::uint32_t sources_left = 0;  // that are not done yet
  std::uint32_t first_reader = 0;  // in the list of readers
  std::uint32_t readers = 0;
  std::int64_t path = 0;  // the longest way from its beginning to the end of the run, microseconds
  Place behind = 0;       // left out or skipped: the failed step that is the reason
};

// The jobs of a plan, and the list of the places of their readers.
struct Jobs {
  std::vector<Job> jobs;
  std::vector<Place> readers;
};

// `expected`: how long each step takes, in the order of the plan; `graph` is of the plan's nodes.
Jobs jobs_of(const Plan& plan, const Graph& graph, const std::vector<Microseconds>& expected);

// How many of the steps are under way at once, at most, when that many workers take them and each
// takes as long as expected.
int most_at_once(Jobs jobs, const std::vector<Microseconds>& expected, int workers);

class Schedule {
 public:
  Schedule(std::span<Job> jobs, std::span<const Place> readers, OnError on_error)
      : jobs_(jobs), readers_(readers), on_error_(on_error) {}

  // The ready step with the longest way to the end, now running; nothing when none is ready.
  std::optional<Place> take();
  // A running step has ended. After a failure what reads it is left out and, with OnError::stop,
  // what has not begun skipped. Allocates nothing.
  void end(Place job, bool succeeded);
  // Nothing is ready or running, and so nothing ever will be.
  bool is_over() const;

 private:
  std::span<const Place> readers_of(const Job& job) const {
    return readers_.subspan(job.first_reader, job.readers);
  }
  void leave_out_readers(Place failed);
  void skip_the_rest(Place failed);

  std::span<Job> jobs_;
  std::span<const Place> readers_;
  OnError on_error_;
};

}  // namespace mvo::core
