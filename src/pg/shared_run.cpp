#include "pg/shared_run.hpp"

#include "core/error.hpp"

extern "C" {
#include <mb/pg_wchar.h>
#include <storage/ipc.h>
#include <storage/shmem.h>
}

namespace mvo::pg {
namespace {

constexpr std::int64_t not_said = -1;

// Beginnings of the parts of a segment, one after the other.
class Layout {
 public:
  template <class Part>
  std::size_t add(std::size_t count) {
    return add_bytes(count * sizeof(Part));
  }
  std::size_t add_bytes(std::size_t bytes) {
    const std::size_t place = size_;
    size_ = MAXALIGN(size_ + bytes);
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

SharedRun::SharedRun(const Planned& planned, const core::Jobs& jobs, core::OnError on_error,
                     int workers) {
  Layout layout;
  const std::size_t session_bytes = call([] { return EstimateGUCStateSpace(); });
  const std::size_t jobs_at = layout.add<core::Job>(jobs.jobs.size());
  const std::size_t readers_at = layout.add<core::Place>(jobs.readers.size());
  const std::size_t steps_at = layout.add<SharedStep>(planned.plan.size());
  const std::size_t session_at = layout.add_bytes(session_bytes);
  segment_ = call([&] {
    dsm_segment* segment = dsm_create(layout.size(), 0);
    dsm_pin_mapping(segment);
    return segment;
  });
  SharedHeader& header = this->header();
  memset(&header, 0, sizeof header);
  SpinLockInit(&header.mutex);
  ConditionVariableInit(&header.changed);
  header.on_error = on_error;
  header.workers = workers;
  header.steps = static_cast<std::uint32_t>(planned.plan.size());
  header.readers = static_cast<std::uint32_t>(jobs.readers.size());
  header.jobs_at = jobs_at;
  header.readers_at = readers_at;
  header.steps_at = steps_at;
  header.session_at = session_at;
  for (SharedWorker& worker : header.worker) worker.taking = not_said;
  std::ranges::copy(jobs.jobs, this->jobs());
  std::ranges::copy(jobs.readers, readers());
  const auto read = core::read_by(planned.plan, planned.views.graph());
  for (core::Place place = 0; place < planned.plan.size(); ++place) {
    const core::Step& step = planned.plan[place];
    write_step(this->step(place), step, planned.views[step.view],
               std::ranges::binary_search(read, step.view));
  }
  call([&] { SerializeGUCState(session_bytes, static_cast<char*>(session())); });
}

SharedRun::SharedRun(dsm_handle handle) : segment_(call([&] { return dsm_attach(handle); })) {
  if (segment_ == nullptr)
    throw core::Error{core::Code::not_ready, "the run that this worker belongs to has ended"};
  call([&] { dsm_pin_mapping(segment_); });
}

SharedRun::~SharedRun() {
  dsm_detach(segment_);
}

SharedStep& SharedRun::step(core::Place place) const {
  return static_cast<SharedStep*>(at(header().steps_at))[place];
}

Planned SharedRun::planned() const {
  std::vector<core::View> views;
  for (core::Place place = 0; place < header().steps; ++place) views.push_back(read_view(step(place)));
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
