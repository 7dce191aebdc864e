#include "core/statistics.hpp"

#include <gtest/gtest.h>

namespace mvo::core {
namespace {

constexpr AnalyzeLimits limits{50, 0.1};
constexpr bool read = true, not_read = false;

Refill refill_of(std::optional<std::int64_t> rows, std::optional<std::int64_t> changed,
                 std::uint64_t before, std::uint64_t after) {
  return {true, true, rows, changed, false, before, after};
}

TEST(Statistics, AreMadeOfAViewThatWasEmptyWhoeverReadsIt) {
  Refill first = refill_of(0, std::nullopt, 0, 0);
  first.was_populated = false;
  EXPECT_TRUE(needs_analyze(first, not_read, limits));
  EXPECT_TRUE(needs_analyze(first, read, limits));
}

TEST(Statistics, AreOtherwiseMadeForALaterStepAlone) {
  EXPECT_FALSE(needs_analyze(refill_of(1000, 1000, 10, 20), not_read, limits));
  EXPECT_TRUE(needs_analyze(refill_of(1000, 1000, 10, 20), read, limits));
}

TEST(Statistics, ThatAreMissingAreMadeThoughNothingChanged) {
  Refill none = refill_of(1000, 0, 10, 10);
  none.has_statistics = false;
  EXPECT_TRUE(needs_analyze(none, read, limits));
  EXPECT_FALSE(needs_analyze(none, not_read, limits));
}

TEST(Statistics, FollowTheNumberOfChangedRows) {
  EXPECT_FALSE(needs_analyze(refill_of(1000, 150, 10, 99), read, limits));
  EXPECT_TRUE(needs_analyze(refill_of(1000, 151, 10, 10), read, limits));
  EXPECT_FALSE(needs_analyze(refill_of(0, 50, 10, 0), read, limits));
}

TEST(Statistics, FollowTheSizeWhereChangesAreNotKnown) {
  EXPECT_FALSE(needs_analyze(refill_of(1000, std::nullopt, 100, 110), read, limits));
  EXPECT_FALSE(needs_analyze(refill_of(1000, std::nullopt, 100, 90), read, limits));
  EXPECT_TRUE(needs_analyze(refill_of(1000, std::nullopt, 100, 111), read, limits));
  EXPECT_TRUE(needs_analyze(refill_of(1000, std::nullopt, 100, 89), read, limits));
  EXPECT_TRUE(needs_analyze(refill_of(1000, std::nullopt, 0, 1), read, limits));
  EXPECT_FALSE(needs_analyze(refill_of(0, std::nullopt, 0, 0), read, limits));
}

TEST(Statistics, FollowADiffThatFoundTooMuchWhateverTheSize) {
  Refill swapped = refill_of(1000, std::nullopt, 10, 10);
  swapped.much_changed = true;
  EXPECT_TRUE(needs_analyze(swapped, read, limits));
  EXPECT_FALSE(needs_analyze(swapped, not_read, limits));
}

}  // namespace
}  // namespace mvo::core
