#include "core/schedule.hpp"

#include <algorithm>
#include <set>
#include <unordered_map>

namespace mvo::core {
namespace {

// For each step of the plan the places of the steps that read it.
std::vector<std::vector<Place>> readers_in(const Plan& plan, const Graph& graph) {
  std::unordered_map<Node, Place> places;
  for (Place place = 0; place < plan.size(); ++place) places.emplace(plan[place].view, place);
  std::vector<std::vector<Place>> readers(plan.size());
  for (Place place = 0; place < plan.size(); ++place)
    for (const Node source : graph.sources(plan[place].view))
      if (const auto found = places.find(source); found != places.end())
        readers[found->second].push_back(place);
  return readers;
}

}  // namespace

Jobs jobs_of(const Plan& plan, const Graph& graph, const std::vector<Microseconds>& expected) {
  const auto readers = readers_in(plan, graph);
  Jobs result{std::vector<Job>(plan.size()), {}};
  for (Place place = 0; place < plan.size(); ++place) {
    Job& job = result.jobs[place];
    job.first_reader = static_cast<std::uint32_t>(result.readers.size());
    job.readers = static_cast<std::uint32_t>(readers[place].size());
    result.readers.insert(result.readers.end(), readers[place].begin(), readers[place].end());
    for (const Place reader : readers[place]) ++result.jobs[reader].sources_left;
  }
  // A plan names what is read before who reads it.
  for (Place place = static_cast<Place>(plan.size()); place-- > 0;) {
    Job& job = result.jobs[place];
    for (const Place reader : readers[place])
      job.path = std::max(job.path, result.jobs[reader].path);
    job.path += expected[place].count();
    if (job.sources_left == 0) job.state = JobState::ready;
  }
  return result;
}

int most_at_once(Jobs jobs, const std::vector<Microseconds>& expected, int workers) {
  Schedule schedule(jobs.jobs, jobs.readers, OnError::proceed);
  std::set<std::pair<Microseconds, Place>> running;  // by their ends
  Microseconds now{0};
  std::size_t most = 0;
  while (!schedule.is_over()) {
    while (running.size() < static_cast<std::size_t>(workers)) {
      const auto place = schedule.take();
      if (!place) break;
      running.emplace(now + expected[*place], *place);
    }
    most = std::max(most, running.size());
    const auto [ended, place] = *running.begin();
    now = ended;
    running.erase(running.begin());
    schedule.end(place, true);
  }
  return static_cast<int>(most);
}

std::optional<Place> Schedule::take() {
  std::optional<Place> best;
  for (Place place = 0; place < jobs_.size(); ++place)
    if (jobs_[place].state == JobState::ready && (!best || jobs_[place].path > jobs_[*best].path))
      best = place;
  if (best) jobs_[*best].state = JobState::running;
  return best;
}

void Schedule::end(Place place, bool succeeded) {
  jobs_[place].state = succeeded ? JobState::done : JobState::failed;
  if (!succeeded) {
    leave_out_readers(place);
    if (on_error_ == OnError::stop) skip_the_rest(place);
    return;
  }
  for (const Place reader : readers_of(jobs_[place])) {
    Job& job = jobs_[reader];
    if (--job.sources_left == 0 && job.state == JobState::waiting) job.state = JobState::ready;
  }
}

// Places ascend along every edge, so that one pass tells about everything downstream. What has
// been left out for another failure before has its readers behind it.
void Schedule::leave_out_readers(Place failed) {
  for (Place place = failed; place < jobs_.size(); ++place) {
    const Job& job = jobs_[place];
    if (place != failed && (job.state != JobState::left_out || job.behind != failed)) continue;
    for (const Place reader : readers_of(job)) {
      if (jobs_[reader].state != JobState::waiting) continue;
      jobs_[reader].state = JobState::left_out;
      jobs_[reader].behind = failed;
    }
  }
}

void Schedule::skip_the_rest(Place failed) {
  for (Job& job : jobs_)
    if (job.state == JobState::waiting || job.state == JobState::ready) {
      job.state = JobState::skipped;
      job.behind = failed;
    }
}

bool Schedule::is_over() const {
  return std::ranges::none_of(jobs_, [](const Job& job) {
    return job.state == JobState::ready || job.state == JobState::running;
  });
}

}  // namespace mvo::core
