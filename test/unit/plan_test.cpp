#include "core/plan.hpp"

#include <gtest/gtest.h>

namespace mvo::core {
namespace {

Views chain() {
  // c reads b reads a; d reads a. b is disabled.
  return Views({{{"s", "d"}},
                {{"s", "b"}, Mode::concurrent, false},
                {{"s", "a"}},
                {{"s", "c"}, Mode::concurrent}},
               {{{"s", "c"}, "s", "b"}, {{"s", "b"}, "s", "a"}, {{"s", "d"}, "s", "a"}});
}

std::vector<std::string> names(const Views& views, const std::vector<Node>& nodes) {
  std::vector<std::string> names;
  for (const Node node : nodes) names.push_back(views[node].name.name);
  return names;
}

using Names = std::vector<std::string>;

TEST(Plan, TakesEveryEnabledView) {
  const Views views = chain();
  EXPECT_EQ(names(views, enabled_views(views)), (Names{"a", "c", "d"}));
}

TEST(Plan, ScopeTakesAlongWhatItSays) {
  const Views views = chain();
  EXPECT_EQ(names(views, in_scope(views, 0, Scope::self)), (Names{"a"}));
  EXPECT_EQ(names(views, in_scope(views, 0, Scope::downstream)), (Names{"a", "c", "d"}));
  EXPECT_EQ(names(views, in_scope(views, 2, Scope::upstream)), (Names{"a", "c"}));
  EXPECT_EQ(names(views, in_scope(views, 1, Scope::both)), (Names{"a", "b", "c"}));
  EXPECT_EQ(names(views, in_scope(views, 1, Scope::upstream)), (Names{"a", "b"}));
}

TEST(Plan, OrdersTheChosenViewsAlone) {
  const Views views = chain();
  const auto plan = std::get<Plan>(plan_for(views, {2, 3}, std::nullopt, Mode::automatic));
  EXPECT_EQ(plan, (Plan{{2, 1, Mode::concurrent, Reason::registration}, {3, 1, Mode::automatic}}));
}

TEST(Plan, NamesACycleInTheViewsOwnNumbers) {
  const Views views({{{"s", "a"}}, {{"s", "b"}}, {{"s", "c"}}},
                    {{{"s", "b"}, "s", "c"}, {{"s", "c"}, "s", "b"}});
  EXPECT_EQ(std::get<Cycle>(plan_for(views, {1, 2}, std::nullopt, Mode::automatic)), (Cycle{1, 2}));
}

TEST(Plan, TellsWhatItsStepsRead) {
  const Views views = chain();
  const auto plan = std::get<Plan>(plan_for(views, {0, 2, 3}, std::nullopt, Mode::automatic));
  EXPECT_EQ(names(views, read_by(plan, views.graph())), (Names{"a", "b"}));
  EXPECT_EQ(read_by({}, views.graph()), std::vector<Node>{});
}

TEST(Plan, KnowsItsScopes) {
  EXPECT_EQ(parse_scope("both"), Scope::both);
  EXPECT_EQ(parse_scope("self"), Scope::self);
  EXPECT_EQ(parse_scope("Both"), std::nullopt);
}

}  // namespace
}  // namespace mvo::core
