#include "core/mode.hpp"

#include <gtest/gtest.h>

namespace mvo::core {
namespace {

TEST(Mode, IsReadAsItIsPrinted) {
  for (const Mode mode : {Mode::automatic, Mode::plain, Mode::concurrent})
    EXPECT_EQ(parse_mode(to_string(mode)), mode);
  EXPECT_EQ(parse_mode("Plain"), std::nullopt);
  EXPECT_EQ(parse_mode(""), std::nullopt);
}

TEST(Mode, TheCallComesBeforeTheRegistrationBeforeTheSetting) {
  EXPECT_EQ(choose_mode(Mode::plain, Mode::concurrent, Mode::concurrent), Mode::plain);
  EXPECT_EQ(choose_mode(std::nullopt, Mode::concurrent, Mode::plain), Mode::concurrent);
  EXPECT_EQ(choose_mode(std::nullopt, Mode::automatic, Mode::concurrent), Mode::concurrent);
}

TEST(Mode, AutoMeansPlain) {
  EXPECT_EQ(choose_mode(std::nullopt, Mode::automatic, Mode::automatic), Mode::plain);
  EXPECT_EQ(choose_mode(Mode::automatic, Mode::concurrent, Mode::concurrent), Mode::plain);
}

TEST(Mode, ListsWhatItKnows) {
  EXPECT_EQ(known_modes(), "\"auto\", \"plain\", \"concurrent\"");
}

}  // namespace
}  // namespace mvo::core
