#include "core/text_difference.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <string>

namespace mvo::core {
namespace {

TEST(TextDifference, OfEqualTextsIsEmpty) {
  const auto [before, a, b] = text_difference("SELECT a FROM t", "SELECT a FROM t");
  EXPECT_EQ(a, "");
  EXPECT_EQ(b, "");
}

TEST(TextDifference, IsWhatIsBetweenTheWordsInCommon) {
  const auto [before, a, b] = text_difference("SELECT a FROM t WHERE (a > 1) GROUP BY a",
                                              "SELECT a FROM t WHERE (a > 20) GROUP BY a");
  EXPECT_EQ(before, "WHERE (a >");
  EXPECT_EQ(a, "1)");
  EXPECT_EQ(b, "20)");
}

TEST(TextDifference, NeverCutsAWord) {
  const auto [before, a, b] = text_difference("SELECT total FROM t", "SELECT totals FROM t");
  EXPECT_EQ(before, "SELECT");
  EXPECT_EQ(a, "total");
  EXPECT_EQ(b, "totals");
}

TEST(TextDifference, MayBeAllOfOneText) {
  EXPECT_EQ(text_difference("", "a b").b, "a b");
  EXPECT_EQ(text_difference("a b", "").a, "a b");
  EXPECT_EQ(text_difference("a", "a b").a, "");
  EXPECT_EQ(text_difference("a", "a b").b, "b");
  EXPECT_EQ(text_difference("b", "a b").b, "a");
  EXPECT_EQ(text_difference("a a", "a").a, "a");
}

// What is taken away in front and behind is the same in both.
TEST(TextDifference, LeavesTheRestEqual) {
  const char* given = std::getenv("SEED");
  const auto seed = given != nullptr ? std::stoul(given) : std::random_device{}();
  SCOPED_TRACE("SEED=" + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 2000; ++round) {
    const auto text = [&] {
      std::string words;
      for (auto left = random() % 6; left > 0; --left)
        words += std::string(words.empty() ? "" : " ") + "abc"[random() % 3];
      return words;
    };
    const std::string a = text(), b = text();
    const auto difference = text_difference(a, b);
    const auto rest = [](const std::string& whole, std::string_view part) {
      std::string rest = whole;
      if (!part.empty()) rest.erase(part.data() - whole.data(), part.size());
      std::erase(rest, ' ');
      return rest;
    };
    EXPECT_EQ(rest(a, difference.a), rest(b, difference.b)) << a << " | " << b;
    EXPECT_EQ(difference.a == difference.b, a == b) << a << " | " << b;
  }
}

}  // namespace
}  // namespace mvo::core
