#include "core/picture.hpp"

#include <gtest/gtest.h>

namespace mvo::core {
namespace {

Figure figure(std::string label, Kind kind = Kind::view, std::vector<Mark> marks = {}) {
  const std::size_t columns = label.size();
  return {std::move(label), columns, kind, std::move(marks)};
}

std::string described(const Picture& picture) {
  std::string text;
  for (Node node = 0; node < picture.figures().size(); ++node)
    text += picture.figures()[node].label + std::to_string(picture.level(node)) + " ";
  return text;
}

TEST(Picture, NumbersNodesLevelByLevel) {
  // a reads c, b reads nothing, c reads b.
  const Picture picture({figure("a"), figure("b"), figure("c"), figure("d")}, {{0, 2}, {2, 1}});
  EXPECT_EQ(described(picture), "b1 d1 c2 a3 ");
  EXPECT_EQ(picture.arrows(), (std::vector<Arrow>{{2, 0}, {3, 2}}));
  EXPECT_EQ(picture.highest_level(), 3);
}

TEST(Picture, LetsOtherThingsStandInTheLevelOfWhatTheyRead) {
  // a reads the plain view p, which reads b and the table t, which b reads, too.
  const Picture picture({figure("a"), figure("b"), figure("p", Kind::plain_view),
                         figure("t", Kind::source), figure("q", Kind::plain_view)},
                        {{0, 2}, {2, 1}, {2, 3}, {1, 3}, {0, 4}});
  EXPECT_EQ(described(picture), "t0 q0 b1 p1 a2 ");
}

TEST(Picture, CountsOfEqualArrowsTheSurest) {
  const Picture picture({figure("a"), figure("b"), figure("c")}, {{0, 1, Basis::declared},
                                                                  {0, 1, Basis::found},
                                                                  {0, 2, Basis::left_out},
                                                                  {0, 2, Basis::declared}});
  EXPECT_EQ(picture.arrows(), (std::vector<Arrow>{{2, 0, Basis::found}, {2, 1, Basis::declared}}));
}

TEST(Picture, LeavesWhatIsLeftOutWithoutEffect) {
  const Picture picture({figure("a"), figure("b")}, {{0, 1}, {1, 0, Basis::left_out}});
  EXPECT_EQ(described(picture), "b1 a2 ");
  EXPECT_TRUE(picture.cycles().empty());
  EXPECT_FALSE(picture.in_cycle(picture.arrows()[0]));
}

TEST(Picture, DrawsCycles) {
  // d reads c; a, b and c read each other in a ring above e; f reads itself.
  const Picture picture({figure("a"), figure("b", Kind::view, {Mark::failed, Mark::missing}),
                         figure("c"), figure("d"), figure("e"), figure("f")},
                        {{0, 1}, {1, 2}, {2, 0}, {3, 2}, {1, 4}, {5, 5}});
  EXPECT_EQ(described(picture), "e1 f1 a2 b2 c2 d3 ");
  EXPECT_EQ(picture.cycles(), (std::vector<std::vector<Node>>{{1}, {2, 3, 4}}));
  EXPECT_EQ(picture.figures()[3].marks,
            (std::vector<Mark>{Mark::failed, Mark::cycle, Mark::missing}));
  EXPECT_TRUE(picture.figures()[5].marks.empty());
  int in_cycles = 0;
  for (const Arrow& arrow : picture.arrows()) in_cycles += picture.in_cycle(arrow) ? 1 : 0;
  EXPECT_EQ(in_cycles, 4);
}

TEST(Picture, CanBeEmpty) {
  const Picture picture({}, {});
  EXPECT_EQ(picture.highest_level(), 0);
  EXPECT_TRUE(picture.cycles().empty());
}

}  // namespace
}  // namespace mvo::core
