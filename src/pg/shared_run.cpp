#include "pg/shared_run.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "pg/clock.hpp"
#include "pg/stored_text.hpp"

extern "C" {
#include <pgstat.h>
#include <storage/latch.h>
#include <utils/wait_event.h>
}

namespace mvo::pg {
namespace {

constexpr std::int64_t not_said = -1;
constexpr long longest_wait_ms = 1000;

// Beginnings of the parts of a segment, one after the other.
class Layout {
 public:
  template <class Part>
  std::size_t add(std::size_t count) {
    const std::size_t place = size_;
    size_ = MAXALIGN(size_ + count * sizeof(Part));
    return place;
  }
  std::size_t size() const { return size_; }

 private:
  std::size_t size_ = MAXALIGN(sizeof(SharedHeader));
};

std::int64_t in_milliseconds(const std::optional<std::chrono::milliseconds>& time) {
  return time ? time->count() : not_said;
}

std::optional<std::chrono::milliseconds> as_time(std::int64_t milliseconds) {
  if (milliseconds == not_said) return std::nullopt;
  return std::chrono::milliseconds(milliseconds);
}

void write_step(SharedStep& shared, const core::Step& step, const core::View& view,
                bool read_later) {
  namestrcpy(&shared.schema, view.name.schema.c_str());
  namestrcpy(&shared.view, view.name.name.c_str());
  shared.mode = step.mode;
  shared.reason = step.reason.kind;
  shared.reason_runs = step.reason.runs;
  shared.level = step.level;
  shared.lock_timeout = in_milliseconds(view.limits.lock_timeout);
  shared.view_timeout = in_milliseconds(view.limits.view_timeout);
  shared.retries = view.limits.retries.value_or(not_said);
  shared.learned = view.learned;
  shared.read_later = read_later;
}

void write_steps(const SharedRun& shared, const RunToShare& run) {
  const core::Plan& plan = run.planned.plan;
  const auto read = core::read_by(plan, run.planned.views.graph());
  for (core::Place place = 0; place < plan.size(); ++place) {
    SharedStep& step = shared.step(place);
    const core::View& view = run.planned.views[plan[place].view];
    step = SharedStep{};
    write_step(step, plan[place], view, std::ranges::binary_search(read, plan[place].view));
    step.edit = run.edit(view.name);
  }
}

// Over the end of a transaction. A process that ends while it waits would otherwise look for itself
// among those that wait when the segment is no longer there.
void keep(dsm_segment* segment) {
  dsm_pin_mapping(segment);
  on_dsm_detach(
      segment, [](dsm_segment*, Datum) { ConditionVariableCancelSleep(); }, 0);
}

void write_header(SharedHeader& header, const RunToShare& run) {
  SpinLockInit(&header.mutex);
  ConditionVariableInit(&header.changed);
  header.on_error = run.on_error;
  header.workers = run.workers;
  header.run = run.run;
  header.extension = run.extension;
  header.session = MyProcPid;
  header.database = MyDatabaseId;
  header.user = GetAuthenticatedUserId();
  header.session_user = GetSessionUserId();
  header.current_user = GetUserId();
  const char* role = call([] { return GetConfigOption("role", false, false); });
  strlcpy(header.role, role, sizeof header.role);
  std::ranges::fill(header.taking, -1);
}

core::View read_view(const SharedStep& shared) {
  core::Limits limits{as_time(shared.lock_timeout), as_time(shared.view_timeout), std::nullopt};
  if (shared.retries != not_said) limits.retries = static_cast<int>(shared.retries);
  return {{NameStr(shared.schema), NameStr(shared.view)},
          core::Mode::automatic,
          true,
          shared.learned,
          limits};
}

}  // namespace

std::unique_ptr<SharedRun> SharedRun::make(const RunToShare& run) {
  const core::Plan& plan = run.planned.plan;
  Layout layout;
  const std::size_t jobs_at = layout.add<core::Job>(plan.size());
  const std::size_t readers_at = layout.add<core::Place>(run.jobs.readers.size());
  const std::size_t steps_at = layout.add<SharedStep>(plan.size());
  const std::size_t libraries_bytes = call([] { return EstimateLibraryStateSpace(); });
  const std::size_t libraries_at = layout.add<char>(libraries_bytes);
  const std::size_t session_bytes = call([] { return EstimateGUCStateSpace(); });
  const std::size_t session_at = layout.add<char>(session_bytes);
  dsm_segment* segment = call([&] {
    dsm_segment* made = dsm_create(layout.size(), DSM_CREATE_NULL_IF_MAXSEGMENTS);
    if (made != nullptr) keep(made);
    return made;
  });
  if (segment == nullptr) return nullptr;
  std::unique_ptr<SharedRun> shared(new SharedRun(segment));
  SharedHeader& header = shared->header();
  memset(&header, 0, sizeof header);
  header.steps = static_cast<std::uint32_t>(plan.size());
  header.readers = static_cast<std::uint32_t>(run.jobs.readers.size());
  header.jobs_at = jobs_at;
  header.readers_at = readers_at;
  header.steps_at = steps_at;
  header.libraries_at = libraries_at;
  header.session_at = session_at;
  write_header(header, run);
  std::ranges::copy(run.jobs.jobs, shared->jobs().begin());
  std::ranges::copy(run.jobs.readers, shared->readers());
  write_steps(*shared, run);
  call([&] {
    SerializeLibraryState(libraries_bytes, shared->libraries());
    SerializeGUCState(session_bytes, shared->session());
  });
  return shared;
}

SharedRun::SharedRun(dsm_handle handle) : segment_(call([&] { return dsm_attach(handle); })) {
  if (segment_ == nullptr)
    throw core::Error{core::Code::not_ready, "the run that this worker belongs to has ended"};
  call([&] { keep(segment_); });
}

SharedRun::~SharedRun() {
  dsm_detach(segment_);
}

SharedStep& SharedRun::step(core::Place place) const {
  return static_cast<SharedStep*>(at(header().steps_at))[place];
}

std::optional<core::Place> SharedRun::take(core::Schedule& schedule) const {
  const auto place = schedule.take();
  if (!place) return place;
  step(*place).process = MyProcPid;
  step(*place).began = now();
  return place;
}

void SharedRun::write_outcome(core::Place place, core::Status status,
                              const std::optional<core::Failure>& failure) const {
  SharedStep& shared = step(place);
  shared.status = status;
  shared.ended = now();
  if (!failure) return;
  strlcpy(shared.sqlstate, failure->sqlstate.c_str(), sizeof shared.sqlstate);
  strlcpy(shared.message, cut_text(failure->message, sizeof shared.message - 1).c_str(),
          sizeof shared.message);
}

void SharedRun::tell_all() const {
  call([&] { ConditionVariableBroadcast(&header().changed); });
}

void SharedRun::prepare_to_wait() const {
  call([&] { ConditionVariablePrepareToSleep(&header().changed); });
}

// On the latch itself, which the postmaster sets as well when a worker has died.
void SharedRun::wait() {
  call([] {
    (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, longest_wait_ms,
                    PG_WAIT_EXTENSION);
    ResetLatch(MyLatch);
  });
}

Planned SharedRun::planned() const {
  std::vector<core::View> views;
  for (core::Place place = 0; place < header().steps; ++place)
    views.push_back(read_view(step(place)));
  Planned planned{core::Views(std::move(views), {}), {}};
  for (core::Place place = 0; place < header().steps; ++place) {
    const SharedStep& shared = step(place);
    const core::Name name{NameStr(shared.schema), NameStr(shared.view)};
    planned.plan.push_back({planned.views.find(name).value(), shared.level, shared.mode,
                            core::Reason(shared.reason, shared.reason_runs)});
  }
  return planned;
}

}  // namespace mvo::pg
