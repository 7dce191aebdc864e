#include "core/mode.hpp"

#include <gtest/gtest.h>

namespace mvo::core {
namespace {

TEST(Mode, IsReadAsItIsPrinted) {
  for (const Mode mode : {Mode::automatic, Mode::plain, Mode::concurrent, Mode::swap, Mode::diff})
    EXPECT_EQ(parse_mode(to_string(mode)), mode);
  EXPECT_EQ(parse_mode("Plain"), std::nullopt);
  EXPECT_EQ(parse_mode(""), std::nullopt);
}

TEST(Mode, TheCallComesBeforeTheRegistrationBeforeTheSetting) {
  EXPECT_EQ(choose_mode(Mode::plain, Mode::concurrent, Mode::concurrent),
            (Choice{Mode::plain, Reason::call}));
  EXPECT_EQ(choose_mode(std::nullopt, Mode::concurrent, Mode::plain),
            (Choice{Mode::concurrent, Reason::registration}));
  EXPECT_EQ(choose_mode(std::nullopt, Mode::automatic, Mode::concurrent),
            (Choice{Mode::concurrent, Reason::setting}));
}

TEST(Mode, AutoIsLeftToWhatIsKnownOfTheView) {
  const Choice open{Mode::automatic, Reason::nobody};
  EXPECT_EQ(choose_mode(std::nullopt, Mode::automatic, Mode::automatic), open);
  EXPECT_EQ(choose_mode(Mode::automatic, Mode::concurrent, Mode::concurrent), open);
}

TEST(Mode, PrintsItsReasons) {
  EXPECT_EQ(to_string(Reason::call), "given in the call");
  EXPECT_EQ(to_string(Reason::registration), "registered");
  EXPECT_EQ(to_string(Reason::setting), "setting mv_orchestrator.mode");
  EXPECT_EQ(to_string(Reason::nobody), "default");
  EXPECT_EQ(to_string(Reason::few_changes), "as long as few rows change");
  EXPECT_EQ(to_string(Reason{Reason::gave_up, 1}), "diff gave up, is tried again after 1 run");
  EXPECT_EQ(to_string(Reason{Reason::gave_up, 16}), "diff gave up, is tried again after 16 runs");
}

TEST(Mode, ListsWhatItKnows) {
  EXPECT_EQ(known_modes(), "\"auto\", \"plain\", \"concurrent\", \"swap\", \"diff\"");
}

}  // namespace
}  // namespace mvo::core
