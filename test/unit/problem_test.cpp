#include "core/problem.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace mvo::core {
namespace {

constexpr int last_kind = static_cast<int>(Kind::check_failed);

TEST(Problem, EachKindHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (int kind = 0; kind <= last_kind; ++kind) {
    const std::string_view name = to_string(static_cast<Kind>(kind));
    EXPECT_TRUE(std::ranges::all_of(name, [](char c) {
      return c == '_' || (c >= 'a' && c <= 'z');
    })) << name;
    EXPECT_NE(name, "unknown");
    names.insert(name);
  }
  EXPECT_EQ(names.size(), last_kind + 1u);
}

TEST(Problem, TheWorstComeFirstThenByViewThenByKind) {
  const auto problem = [](Severity severity, const char* name, Kind kind) {
    return Problem{severity, {"s", name}, kind, "", ""};
  };
  std::vector<Problem> problems{
      problem(Severity::info, "a", Kind::busy),        problem(Severity::error, "b", Kind::drift),
      problem(Severity::warning, "a", Kind::unstable), problem(Severity::error, "b", Kind::missing),
      problem(Severity::error, "a", Kind::cycle),
  };
  sort(problems);
  std::string order;
  for (const Problem& one : problems)
    order += one.view.name + std::string(to_string(one.kind)) + " ";
  EXPECT_EQ(order, "acycle bmissing bdrift aunstable abusy ");
}

}  // namespace
}  // namespace mvo::core
