#include "core/view.hpp"

#include <gtest/gtest.h>

namespace mvo::core {
namespace {

TEST(Views, SortsBySchemaThenNameBytewise) {
  const Views views({{{"b", "a"}}, {{"a", "b"}}, {{"a", "B"}}, {{"a", "\xc3\xa9"}}}, {});
  std::vector<std::string> names;
  for (Node node = 0; node < views.size(); ++node) names.push_back(views[node].name.name);
  EXPECT_EQ(names, (std::vector<std::string>{"B", "b", "\xc3\xa9", "a"}));
}

TEST(Views, AnUnregisteredDependencyIsNoEdge) {
  const Views views({{{"s", "a"}}}, {{{"s", "a"}, "s", "table"}, {{"s", "gone"}, "s", "a"}});
  EXPECT_TRUE(views.graph().sources(0).empty());
}

TEST(Views, LooksUpAnUnresolvedDependencyAlongItsOwnPath) {
  const Views views({{{"s", "a"}}, {{"t", "x"}}, {{"u", "x"}}},
                    {{{"s", "a"}, std::nullopt, "x", {"nowhere", "u", "t"}}});
  EXPECT_EQ(views.graph().sources(0), (std::vector<Node>{2}));
}

TEST(Views, FindsByNameAndAlongAPath) {
  const Views views({{{"t", "x"}}, {{"s", "x"}}}, {});
  EXPECT_EQ(views.find(Name{"t", "x"}), 1u);
  EXPECT_EQ(views.find(Name{"u", "x"}), std::nullopt);
  EXPECT_EQ(views.find({"u", "t", "s"}, "x"), 1u);
  EXPECT_EQ(views.find({}, "x"), std::nullopt);
}

// Three views: "a" declares that it reads "b", "b" that it reads "c".
Views chain() {
  return Views({{{"s", "a"}}, {{"s", "b"}}, {{"s", "c"}}},
               {{{"s", "a"}, "s", "b"}, {{"s", "b"}, "s", "c"}});
}

TEST(Views, TheGraphHasWhatIsDeclaredAndWhatIsDiscovered) {
  Views views = chain();
  views.add_discovered({{0, 1}, {0, 2}});
  EXPECT_EQ(views.graph().sources(0), (std::vector<Node>{1, 2}));
  EXPECT_EQ(views.graph().sources(1), (std::vector<Node>{2}));
  EXPECT_TRUE(views.discovered().has({0, 2}));
  EXPECT_FALSE(views.discovered().has({1, 2}));
  EXPECT_TRUE(views.left_out().empty());
}

TEST(Views, LeavesOutWhatWasDeclaredTheWrongWayRound) {
  Views views = chain();
  views.add_discovered({{1, 0}});
  EXPECT_EQ(views.graph().sources(0), std::vector<Node>{});
  EXPECT_EQ(views.graph().sources(1), (std::vector<Node>{0, 2}));
  EXPECT_EQ(views.left_out(), (std::vector<Edge>{{0, 1}}));
}

// The facts alone have to lead back, not facts and words together.
TEST(Views, WordsDoNotContradictWords) {
  Views views = chain();
  views.add_discovered({{2, 0}});
  EXPECT_TRUE(views.left_out().empty());
  EXPECT_TRUE(has_cycle(views.graph()));
}

TEST(Views, ACycleOfFactsStays) {
  Views views = chain();
  views.add_discovered({{0, 1}, {1, 0}});
  EXPECT_TRUE(views.left_out().empty());
  EXPECT_TRUE(has_cycle(views.graph()));
}

}  // namespace
}  // namespace mvo::core
