#include "core/run.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace mvo::core {
namespace {

const Plan three{{2, 1, Mode::plain}, {0, 1, Mode::concurrent}, {1, 2, Mode::plain}};

TEST(Run, TakesTheStepsInTheirOrder) {
  std::vector<Node> seen;
  const auto outcomes = run(
      three, Microseconds{0},
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
      three, Microseconds{40},
      [&](const Step&) {
        time += Microseconds{10};
        return Refreshed{};
      },
      [&] { return time; });
  EXPECT_EQ(outcomes[0].elapsed, Microseconds{70});
  EXPECT_EQ(outcomes[1].elapsed, Microseconds{10});
}

TEST(Run, EndsAtTheFirstError) {
  int steps = 0;
  const auto failing = [&](const Step&) -> Refreshed {
    if (++steps == 2) throw std::runtime_error("no");
    return {};
  };
  EXPECT_THROW(run(three, Microseconds{0}, failing, [] { return Microseconds{0}; }),
               std::runtime_error);
  EXPECT_EQ(steps, 2);
}

TEST(Run, SkipsEveryStepForOneReason) {
  const auto outcomes = skip(three, "busy");
  ASSERT_EQ(outcomes.size(), 3u);
  EXPECT_EQ(outcomes[2].status, Status::skipped);
  EXPECT_EQ(outcomes[2].result.detail, "busy");
  EXPECT_EQ(outcomes[2].result.rows, std::nullopt);
}

TEST(Run, PrintsItsStatuses) {
  EXPECT_EQ(to_string(Status::refreshed), "refreshed");
  EXPECT_EQ(to_string(Status::skipped), "skipped");
}

}  // namespace
}  // namespace mvo::core
