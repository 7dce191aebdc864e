#include "core/run.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <stdexcept>

namespace mvo::core {
namespace {

const Plan three{{2, 1, Mode::plain}, {0, 1, Mode::concurrent}, {1, 2, Mode::plain}};
const Graph unrelated(3, {});

// Views 0 .. 5 in this order; `failing` fail. Which were tried.
struct Tried {
  std::vector<Node> views;
  std::vector<Outcome> outcomes;

  Tried(const std::vector<Edge>& edges, const std::vector<Node>& failing) {
    Plan plan;
    for (Node node = 0; node < 6; ++node) plan.push_back({node, 1, Mode::plain});
    Microseconds time{0};
    outcomes = run(
        plan, Graph(6, edges), time,
        [&](const Step& step) -> Attempt {
          views.push_back(step.view);
          time += Microseconds{10};
          if (std::ranges::find(failing, step.view) == failing.end()) return Refreshed{1, 2};
          return Failure{"22012", "division by zero", "rows"};
        },
        [&] { return time; });
  }

  std::vector<Status> statuses() const {
    std::vector<Status> statuses;
    for (const Outcome& outcome : outcomes) statuses.push_back(outcome.status);
    return statuses;
  }
};

constexpr Status refreshed = Status::refreshed, failed = Status::failed,
                 upstream_failed = Status::upstream_failed;

TEST(Run, SaysOfADiffThatGaveUpThatItWasASwap) {
  const Plan hopeful{{0, 1, Mode::diff, Reason::few_changes},
                     {1, 1, Mode::diff, Reason::few_changes}};
  const auto outcomes = run(
      hopeful, unrelated, Microseconds{0},
      [](const Step& step) {
        return Refreshed{7, std::nullopt, "why", step.view == 1};
      },
      [] { return Microseconds{0}; });
  EXPECT_EQ(outcomes[0].step.mode, Mode::diff);
  EXPECT_EQ(outcomes[1].step.mode, Mode::swap);
  EXPECT_EQ(outcomes[1].step.reason, Reason{Reason::few_changes});
  EXPECT_EQ(outcomes[1].result.detail, "why");
}

TEST(Run, TakesTheStepsInTheirOrder) {
  std::vector<Node> seen;
  const auto outcomes = run(
      three, unrelated, Microseconds{0},
      [&](const Step& step) {
        seen.push_back(step.view);
        return Refreshed{7, std::nullopt};
      },
      [] { return Microseconds{0}; });
  EXPECT_EQ(seen, (std::vector<Node>{2, 0, 1}));
  ASSERT_EQ(outcomes.size(), 3u);
  EXPECT_EQ(outcomes[1].step, three[1]);
  EXPECT_EQ(outcomes[1].status, Status::refreshed);
  EXPECT_EQ(outcomes[1].result.rows, 7);
}

TEST(Run, CountsTheWaitBeforeItToTheFirstStep) {
  Microseconds time{100};
  const auto outcomes = run(
      three, unrelated, Microseconds{40},
      [&](const Step&) {
        time += Microseconds{10};
        return Refreshed{};
      },
      [&] { return time; });
  EXPECT_EQ(outcomes[0].elapsed, Microseconds{70});
  EXPECT_EQ(outcomes[0].started, Microseconds{40});
  EXPECT_EQ(outcomes[1].elapsed, Microseconds{10});
  EXPECT_EQ(outcomes[1].started, Microseconds{110});
}

TEST(Run, EndsAtTheFirstError) {
  int steps = 0;
  const auto failing = [&](const Step&) -> Refreshed {
    if (++steps == 2) throw std::runtime_error("no");
    return {};
  };
  EXPECT_THROW(run(three, unrelated, Microseconds{0}, failing, [] { return Microseconds{0}; }),
               std::runtime_error);
  EXPECT_EQ(steps, 2);
}

TEST(Run, SkipsEveryStepForOneReason) {
  const auto outcomes = skip(three, "busy", Microseconds{5});
  ASSERT_EQ(outcomes.size(), 3u);
  EXPECT_EQ(outcomes[2].status, Status::skipped);
  EXPECT_EQ(outcomes[2].result.detail, "busy");
  EXPECT_EQ(outcomes[2].result.rows, std::nullopt);
  EXPECT_EQ(outcomes[2].started, Microseconds{5});
  EXPECT_EQ(count_failed(outcomes), 0u);
}

// Views 0 .. 4 in this order; 1 fails; 3 reads 1, 4 reads 3.
struct Taken {
  std::vector<Node> taken, left_out;
  std::vector<Status> statuses;
  std::vector<std::optional<Node>> behind;

  explicit Taken(OnError on_error) {
    Plan plan;
    for (Node node = 0; node < 5; ++node) plan.push_back({node, 1, Mode::plain});
    const auto outcomes = take_steps(
        plan, Graph(5, {{3, 1}, {4, 3}}), on_error,
        [&](const Step& step) {
          taken.push_back(step.view);
          Attempt attempt = Refreshed{};
          if (step.view == 1) attempt = Failure{"22012", "division by zero", ""};
          return outcome_of(step, std::move(attempt), Microseconds{1}, Microseconds{3});
        },
        [&](const Outcome& outcome) { left_out.push_back(outcome.step.view); },
        [] { return Microseconds{9}; });
    for (const Outcome& outcome : outcomes) {
      statuses.push_back(outcome.status);
      behind.push_back(outcome.failed_source);
    }
  }
};

TEST(TakeSteps, TellsOfWhatIsLeftOutAsItGoes) {
  const Taken run(OnError::proceed);
  EXPECT_EQ(run.taken, (std::vector<Node>{0, 1, 2}));
  EXPECT_EQ(run.left_out, (std::vector<Node>{3, 4}));
  EXPECT_EQ(run.statuses,
            (std::vector{refreshed, failed, refreshed, upstream_failed, upstream_failed}));
  EXPECT_EQ(run.behind,
            (std::vector<std::optional<Node>>{std::nullopt, std::nullopt, std::nullopt, 1, 1}));
}

TEST(TakeSteps, StopsAtTheFirstFailure) {
  const Taken run(OnError::stop);
  EXPECT_EQ(run.taken, (std::vector<Node>{0, 1}));
  EXPECT_EQ(run.left_out, (std::vector<Node>{2, 3, 4}));
  EXPECT_EQ(run.statuses,
            (std::vector{refreshed, failed, Status::skipped, upstream_failed, upstream_failed}));
  EXPECT_EQ(run.behind, (std::vector<std::optional<Node>>{std::nullopt, std::nullopt, 1, 1, 1}));
}

TEST(Run, GoesOnWithoutWhatReadsAFailedView) {
  // 3 reads 1, 4 reads 3; 2 and 5 read 0.
  const Tried tried({{3, 1}, {4, 3}, {2, 0}, {5, 0}}, {1});
  EXPECT_EQ(tried.statuses(), (std::vector{refreshed, failed, refreshed, upstream_failed,
                                           upstream_failed, refreshed}));
  EXPECT_EQ(tried.views, (std::vector<Node>{0, 1, 2, 5}));
  EXPECT_EQ(count_failed(tried.outcomes), 3u);
}

TEST(Run, SaysWhatFailedAndBehindWhom) {
  const Tried tried({{3, 1}, {4, 3}, {4, 2}, {5, 4}}, {1, 2});
  const Outcome& broken = tried.outcomes[1];
  ASSERT_TRUE(broken.failure);
  EXPECT_EQ(broken.failure->sqlstate, "22012");
  EXPECT_EQ(broken.failure->message, "division by zero");
  EXPECT_EQ(broken.failure->detail, "rows");
  EXPECT_EQ(broken.result.rows, std::nullopt);
  EXPECT_EQ(broken.elapsed, Microseconds{10});
  EXPECT_EQ(broken.failed_source, std::nullopt);
  EXPECT_EQ(tried.outcomes[3].failed_source, Node{1});
  EXPECT_EQ(tried.outcomes[4].failed_source, Node{2});  // the smallest of what it reads
  EXPECT_EQ(tried.outcomes[5].failed_source, Node{2});
  EXPECT_FALSE(tried.outcomes[5].failure);
  EXPECT_EQ(tried.outcomes[5].elapsed, Microseconds{0});
  EXPECT_EQ(tried.outcomes[5].started, Microseconds{30});
}

TEST(Run, CanFailAltogether) {
  const Tried tried({}, {0, 1, 2, 3, 4, 5});
  EXPECT_EQ(tried.views.size(), 6u);
  EXPECT_EQ(count_failed(tried.outcomes), 6u);
}

TEST(Run, OnlyWhatIsInThePlanPassesAFailureOn) {
  // 2 reads 1 reads 0, and 1 is no step.
  const auto outcomes = run(
      {{0, 1, Mode::plain}, {2, 1, Mode::plain}}, Graph(3, {{2, 1}, {1, 0}}), Microseconds{0},
      [](const Step& step) -> Attempt {
        if (step.view == 0) return Failure{};
        return Refreshed{};
      },
      [] { return Microseconds{0}; });
  EXPECT_EQ(outcomes[1].status, refreshed);
}

// Whether `reader` reads `source` through any number of others: all ways are tried.
bool reads(const std::vector<Edge>& edges, Node reader, Node source) {
  return std::ranges::any_of(edges, [&](const Edge& edge) {
    return edge.reader == reader && (edge.source == source || reads(edges, edge.source, source));
  });
}

TEST(Run, LeavesOutWhatReadsAFailedViewAndNothingElse) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 500; ++round) {
    std::vector<Edge> edges;
    std::vector<Node> failing;
    for (Node node = 0; node < 6; ++node) {
      if (random() % 4 == 0) failing.push_back(node);
      for (Node source = 0; source < node; ++source)
        if (random() % 3 == 0) edges.push_back({node, source});
    }
    const Tried tried(edges, failing);
    for (Node node = 0; node < 6; ++node) {
      const bool behind =
          std::ranges::any_of(failing, [&](Node source) { return reads(edges, node, source); });
      const bool fails = std::ranges::find(failing, node) != failing.end();
      EXPECT_EQ(tried.outcomes[node].status, behind ? upstream_failed : fails ? failed : refreshed);
    }
  }
}

TEST(Run, KnowsWhatAnErrorMayDo) {
  EXPECT_EQ(parse_on_error("stop"), OnError::stop);
  EXPECT_EQ(parse_on_error("continue"), OnError::proceed);
  EXPECT_EQ(parse_on_error("Continue"), std::nullopt);
  EXPECT_EQ(parse_on_error(""), std::nullopt);
}

TEST(Run, SaysThatNothingChangedWhereThatIsKnown) {
  std::int64_t changed = 0;
  const auto outcomes = run(
      three, unrelated, Microseconds{0},
      [&](const Step&) {
        return Refreshed{7, changed++};
      },
      [] { return Microseconds{0}; });
  EXPECT_EQ(outcomes[0].status, Status::unchanged);
  EXPECT_EQ(outcomes[1].status, Status::refreshed);
}

TEST(Run, PrintsItsStatuses) {
  EXPECT_EQ(to_string(Status::unchanged), "unchanged");
  EXPECT_EQ(to_string(Status::refreshed), "refreshed");
  EXPECT_EQ(to_string(Status::skipped), "skipped");
  EXPECT_EQ(to_string(Status::failed), "failed");
  EXPECT_EQ(to_string(Status::upstream_failed), "upstream_failed");
}

}  // namespace
}  // namespace mvo::core
