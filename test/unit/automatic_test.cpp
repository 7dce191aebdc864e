#include "core/automatic.hpp"

#include <gtest/gtest.h>

namespace mvo::core {
namespace {

constexpr LiveState usable{};
const Reason hopeful = Reason::few_changes;

TEST(Automatic, HopesForFewChanges) {
  EXPECT_EQ(choose_automatic(usable, {}), (Choice{Mode::diff, Reason::few_changes}));
}

TEST(Automatic, TakesPlainWhereNothingElseCanBeHad) {
  EXPECT_EQ(choose_automatic({.heap = false}, {}), (Choice{Mode::plain, Reason::not_heap}));
  EXPECT_EQ(choose_automatic({.indexes_valid = false}, {}),
            (Choice{Mode::plain, Reason::index_invalid}));
  EXPECT_EQ(choose_automatic({false, false, false}, {3, 3}),
            (Choice{Mode::plain, Reason::not_heap}));
  EXPECT_EQ(choose_automatic({true, false, false}, {}),
            (Choice{Mode::plain, Reason::index_invalid}));
}

TEST(Automatic, SwapsWhatIsNotPopulatedAndLearnsNothingFromThat) {
  const Choice choice = choose_automatic({.populated = false}, {2, 1});
  EXPECT_EQ(choice, (Choice{Mode::swap, Reason::unpopulated}));
  EXPECT_EQ(learn({2, 1}, choice.reason, false), (Learned{2, 1}));
}

TEST(Automatic, LearnsNothingFromWhatItDidNotChoose) {
  for (const Reason reason : {Reason::call, Reason::registration, Reason::setting, Reason::not_heap,
                              Reason::index_invalid})
    EXPECT_EQ(learn({2, 1}, reason, false), (Learned{2, 1}));
}

// Every step of the runs until the next diff is tried.
int runs_until_diff(Learned& learned) {
  int runs = 0;
  for (;; ++runs) {
    const auto [mode, reason] = choose_automatic(usable, learned);
    if (mode == Mode::diff) return runs;
    EXPECT_EQ(mode, Mode::swap);
    EXPECT_EQ(reason, (Reason{Reason::gave_up, learned.runs_left}));
    learned = learn(learned, reason, false);
  }
}

TEST(Automatic, TriesADiffAgainAfterTwiceAsManyRunsEachTime) {
  Learned learned;
  for (const int runs : {1, 2, 4, 8, 16, 16, 16}) {
    learned = learn(learned, choose_automatic(usable, learned).reason, true);
    EXPECT_EQ(runs_until_diff(learned), runs);
    EXPECT_EQ(choose_automatic(usable, learned).reason, Reason{Reason::tried_again});
  }
}

TEST(Automatic, ForgetsWhenADiffIsCarriedThrough) {
  EXPECT_EQ(learn({5, 0}, Reason::tried_again, false), Learned{});
  EXPECT_EQ(learn({}, hopeful, false), Learned{});
  EXPECT_EQ(learn({}, hopeful, true), (Learned{1, 1}));
}

TEST(Automatic, GivesUpAloneWhatItChose) {
  EXPECT_TRUE(may_give_up(Reason::few_changes));
  EXPECT_TRUE(may_give_up(Reason::tried_again));
  for (const Reason reason : {Reason::call, Reason::registration, Reason::setting, Reason::gave_up})
    EXPECT_FALSE(may_give_up(reason));
}

TEST(Automatic, AllowsMoreWhereASwapHasMoreIndexesToBuild) {
  EXPECT_EQ(most_added(1'000'000, 0), 50'000u);
  EXPECT_EQ(most_added(1'000'000, 1), 100'000u);
  EXPECT_EQ(most_added(1'000'000, 3), 200'000u);
  EXPECT_EQ(most_added(1'000'000, 30), 200'000u);
  EXPECT_EQ(most_removed(1'000'000), 500'000u);
}

TEST(Automatic, WritesFewRowsWhateverPartOfTheViewTheyAre) {
  EXPECT_EQ(most_added(0, 3), most_added(10, 0));
  EXPECT_GT(most_added(0, 0), 100u);
  EXPECT_EQ(most_removed(0), most_added(0, 0));
}

}  // namespace
}  // namespace mvo::core
