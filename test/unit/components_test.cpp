#include "core/components.hpp"

#include <gtest/gtest.h>

#include <array>

namespace mvo::core {
namespace {

TEST(Components, AreNumberedFromReadersToSources) {
  // 0 reads 1, 1 and 2 read each other, 2 reads 3; 4 stands alone.
  const auto component = components_of(Graph(5, {{0, 1}, {1, 2}, {2, 1}, {2, 3}}));
  EXPECT_EQ(component[1], component[2]);
  EXPECT_LT(component[0], component[1]);
  EXPECT_LT(component[2], component[3]);
  EXPECT_NE(component[4], component[0]);
  EXPECT_NE(component[4], component[3]);
}

TEST(Components, OfNothingAreNone) {
  EXPECT_TRUE(components_of(Graph(0, {})).empty());
}

TEST(Components, NeedNoStack) {
  std::vector<Edge> chain;
  for (Node node = 0; node + 1 < 1'000'000; ++node) chain.push_back({node, node + 1});
  EXPECT_EQ(components_of(Graph(1'000'000, chain)).back(), 999'999u);
}

using Matrix = std::array<std::array<bool, 4>, 4>;

Matrix reachability(const std::vector<Edge>& edges) {
  Matrix reaches{};
  for (Node node = 0; node < 4; ++node) reaches[node][node] = true;
  for (const auto& [reader, source] : edges) reaches[reader][source] = true;
  for (Node k = 0; k < 4; ++k)
    for (Node i = 0; i < 4; ++i)
      for (Node j = 0; j < 4; ++j)
        reaches[i][j] = reaches[i][j] || (reaches[i][k] && reaches[k][j]);
  return reaches;
}

// Against what the words say, for every graph of four nodes: two nodes share a component when each
// reaches the other.
TEST(Components, AreThoseThatReachEachOther) {
  int wrong = 0;
  for (unsigned bits = 0; bits < 1u << 16; ++bits) {
    std::vector<Edge> edges;
    for (unsigned edge = 0; edge < 16; ++edge)
      if (bits >> edge & 1) edges.push_back({edge / 4, edge % 4});
    const Matrix reaches = reachability(edges);
    const auto component = components_of(Graph(4, edges));
    for (Node i = 0; i < 4; ++i)
      for (Node j = 0; j < 4; ++j) {
        wrong += (component[i] == component[j]) != (reaches[i][j] && reaches[j][i]);
        wrong += reaches[i][j] && component[i] > component[j];
      }
  }
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace mvo::core
