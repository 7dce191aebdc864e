#include "core/schedule.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace mvo::core {
namespace {

struct RandomGraph {
  Plan plan;
  std::vector<Edge> edges;
  std::vector<Microseconds> durations;

  // The views in a random topological order, so that places and nodes differ.
  RandomGraph(std::mt19937& random, std::size_t size) {
    std::vector<Node> order(size);
    for (Node node = 0; node < size; ++node) order[node] = node;
    std::ranges::shuffle(order, random);
    const double density = std::uniform_real_distribution(0.0, 0.4)(random);
    // So many that no two steps end at the same time.
    std::uniform_int_distribution<std::int64_t> duration(1, 1'000'000'000'000);
    for (std::size_t reader = 0; reader < size; ++reader) {
      plan.push_back({order[reader], 1, Mode::plain});
      durations.emplace_back(duration(random));
      for (std::size_t source = 0; source < reader; ++source)
        if (std::bernoulli_distribution(density)(random))
          edges.push_back({order[reader], order[source]});
    }
  }

  Graph graph() const { return Graph(plan.size(), edges); }
};

struct Event {
  Place place;
  Microseconds began, ended;
  bool succeeded;
};

// Workers with a clock of their own: whoever is free first takes the next step.
struct Simulation {
  Jobs jobs;
  std::vector<Event> events;
  Microseconds time{0};
  bool waited_for_ever = false;

  Simulation(const RandomGraph& graph, int workers, OnError on_error,
             const std::vector<bool>& fails)
      : jobs(jobs_of(graph.plan, graph.graph(), graph.durations)) {
    Schedule schedule(jobs.jobs, jobs.readers, on_error);
    std::multimap<Microseconds, Event> running;
    while (!schedule.is_over()) {
      while (static_cast<int>(running.size()) < workers) {
        const auto place = schedule.take();
        if (!place) break;
        const Microseconds end = time + graph.durations[*place];
        running.emplace(end, Event{*place, time, end, !fails[*place]});
      }
      if (running.empty()) {
        waited_for_ever = true;
        return;
      }
      const auto first = running.begin();
      time = first->first;
      events.push_back(first->second);
      schedule.end(first->second.place, first->second.succeeded);
      running.erase(first);
    }
  }
};

class ScheduleTest : public testing::Test {
 protected:
  const unsigned seed = std::random_device{}();
  std::mt19937 random{seed};
  const testing::ScopedTrace trace{__FILE__, __LINE__, "seed " + std::to_string(seed)};
};

// What each place reads, directly or not, by the edges alone.
std::vector<std::vector<bool>> upstream_of(const RandomGraph& graph) {
  const std::size_t size = graph.plan.size();
  std::vector<std::vector<bool>> reads(size, std::vector<bool>(size));
  for (Place reader = 0; reader < size; ++reader)
    for (const Edge& edge : graph.edges) {
      if (edge.reader != graph.plan[reader].view) continue;
      for (Place source = 0; source < reader; ++source) {
        if (graph.plan[source].view != edge.source) continue;
        reads[reader][source] = true;
        for (Place above = 0; above < source; ++above)
          if (reads[source][above]) reads[reader][above] = true;
      }
    }
  return reads;
}

// All work shared evenly, and the longest way through the edges: no order of the steps is faster.
Microseconds lower_bound(const RandomGraph& graph, int workers) {
  Microseconds work{0}, path{0};
  std::map<Node, Microseconds> ended;
  for (Place place = 0; place < graph.plan.size(); ++place) {
    const Node view = graph.plan[place].view;
    Microseconds began{0};
    for (const Edge& edge : graph.edges)
      if (edge.reader == view) began = std::max(began, ended[edge.source]);
    ended[view] = began + graph.durations[place];
    work += graph.durations[place];
    path = std::max(path, ended[view]);
  }
  return std::max(work / workers, path);
}

TEST_F(ScheduleTest, NothingBeginsBeforeWhatItReadsAndEachOnce) {
  for (int round = 0; round < 300; ++round) {
    const RandomGraph graph(random, 1 + random() % 40);
    const auto upstream = upstream_of(graph);
    const Simulation run(graph, 1 + random() % 6, OnError::proceed,
                         std::vector<bool>(graph.plan.size()));
    ASSERT_FALSE(run.waited_for_ever);
    ASSERT_EQ(run.events.size(), graph.plan.size());
    std::vector<Microseconds> ended(graph.plan.size(), Microseconds{-1});
    for (const Event& event : run.events) {
      EXPECT_EQ(ended[event.place], Microseconds{-1});
      ended[event.place] = event.ended;
    }
    for (const Event& event : run.events)
      for (Place source = 0; source < graph.plan.size(); ++source)
        if (upstream[event.place][source]) {
          EXPECT_LE(ended[source], event.began);
        }
  }
}

TEST_F(ScheduleTest, NothingRunsAfterAFailedUpstreamAndAllElseDoes) {
  for (int round = 0; round < 300; ++round) {
    const RandomGraph graph(random, 1 + random() % 40);
    const auto upstream = upstream_of(graph);
    std::vector<bool> fails(graph.plan.size());
    for (Place place = 0; place < fails.size(); ++place)
      fails[place] = std::bernoulli_distribution(0.2)(random);
    const Simulation run(graph, 1 + random() % 4, OnError::proceed, fails);
    ASSERT_FALSE(run.waited_for_ever);
    for (Place place = 0; place < fails.size(); ++place) {
      bool below = false;
      for (Place source = 0; source < place; ++source)
        below = below || (upstream[place][source] && fails[source]);
      const Job& job = run.jobs.jobs[place];
      if (below) {
        EXPECT_EQ(job.state, JobState::left_out);
        EXPECT_TRUE(upstream[place][job.behind]);
        EXPECT_EQ(run.jobs.jobs[job.behind].state, JobState::failed);
      } else {
        EXPECT_EQ(job.state, fails[place] ? JobState::failed : JobState::done);
      }
    }
  }
}

TEST_F(ScheduleTest, WithStopNothingBeginsAfterAFailure) {
  for (int round = 0; round < 300; ++round) {
    const RandomGraph graph(random, 1 + random() % 40);
    std::vector<bool> fails(graph.plan.size());
    for (Place place = 0; place < fails.size(); ++place)
      fails[place] = std::bernoulli_distribution(0.1)(random);
    const Simulation run(graph, 1 + random() % 4, OnError::stop, fails);
    ASSERT_FALSE(run.waited_for_ever);
    std::optional<Microseconds> first;
    for (const Event& event : run.events)
      if (!event.succeeded && !first) first = event.ended;
    for (const Event& event : run.events)
      if (first) {
        EXPECT_LT(event.began, *first);
      }
    for (const Job& job : run.jobs.jobs) EXPECT_TRUE(first || job.state == JobState::done);
  }
}

TEST_F(ScheduleTest, TakesLittleLongerThanAnyOrderCould) {
  for (int round = 0; round < 300; ++round) {
    const RandomGraph graph(random, 20 + random() % 60);  // a few are puzzles of their own
    const Simulation run(graph, 2, OnError::proceed, std::vector<bool>(graph.plan.size()));
    const Microseconds bound = lower_bound(graph, 2);
    EXPECT_GE(run.time, bound);
    EXPECT_LE(3 * run.time, 4 * bound) << "of " << graph.plan.size();
  }
}

// Counted by the times at which the simulation's steps begin and end.
TEST_F(ScheduleTest, KnowsHowManyAreUnderWayAtOnce) {
  for (int round = 0; round < 300; ++round) {
    const RandomGraph graph(random, 1 + random() % 40);
    const int workers = 1 + random() % 6;
    const Simulation run(graph, workers, OnError::proceed, std::vector<bool>(graph.plan.size()));
    int most = 0;
    for (const Event& event : run.events)
      most = std::max(most,
                      static_cast<int>(std::ranges::count_if(run.events, [&](const Event& other) {
                        return other.began <= event.began && event.began < other.ended;
                      })));
    EXPECT_EQ(
        most_at_once(jobs_of(graph.plan, graph.graph(), graph.durations), graph.durations, workers),
        most);
  }
}

TEST(Schedule, OfAChainOneIsUnderWay) {
  const Plan chain{{0, 1, Mode::plain}, {1, 2, Mode::plain}, {2, 3, Mode::plain}};
  const std::vector<Microseconds> expected(3, Microseconds{5});
  EXPECT_EQ(most_at_once(jobs_of(chain, Graph(3, {{1, 0}, {2, 1}}), expected), expected, 4), 1);
  EXPECT_EQ(most_at_once(jobs_of(chain, Graph(3, {{1, 0}}), expected), expected, 4), 2);
  EXPECT_EQ(most_at_once(jobs_of(chain, Graph(3, {}), expected), expected, 4), 3);
  EXPECT_EQ(most_at_once({}, {}, 4), 0);
}

TEST(Schedule, TakesTheLongestWayFirst) {
  // 1 reads 0 and takes long; 2 and 3 stand alone.
  const Plan plan{
      {0, 1, Mode::plain}, {2, 1, Mode::plain}, {3, 1, Mode::plain}, {1, 2, Mode::plain}};
  auto jobs = jobs_of(plan, Graph(4, {{1, 0}}),
                      {Microseconds{1}, Microseconds{5}, Microseconds{7}, Microseconds{9}});
  EXPECT_EQ(jobs.jobs[0].path, 10);
  Schedule schedule(jobs.jobs, jobs.readers, OnError::proceed);
  EXPECT_EQ(schedule.take(), Place{0});
  EXPECT_EQ(schedule.take(), Place{2});
  schedule.end(0, true);
  EXPECT_EQ(schedule.take(), Place{3});
  EXPECT_EQ(schedule.take(), Place{1});
  EXPECT_EQ(schedule.take(), std::nullopt);
  EXPECT_FALSE(schedule.is_over());
}

TEST(Schedule, IsOverWhenThereIsNothing) {
  Jobs none;
  Schedule schedule(none.jobs, none.readers, OnError::proceed);
  EXPECT_TRUE(schedule.is_over());
  EXPECT_EQ(schedule.take(), std::nullopt);
}

}  // namespace
}  // namespace mvo::core
