#include "core/graph.hpp"

#include <gtest/gtest.h>

namespace mvo::core {
namespace {

using Nodes = std::vector<Node>;

// 3 reads 1 and 2, both read 0; 4 reads nothing and nothing reads it.
const Graph diamond(5, {{3, 2}, {3, 1}, {1, 0}, {2, 0}, {3, 1}});

TEST(Graph, CountsARepeatedEdgeOnce) {
  EXPECT_EQ(diamond.sources(3), (Nodes{1, 2}));
  EXPECT_EQ(diamond.readers(1), (Nodes{3}));
}

TEST(Graph, ListsAreAscending) {
  EXPECT_EQ(diamond.readers(0), (Nodes{1, 2}));
  EXPECT_EQ(diamond.sources(4), Nodes{});
}

TEST(Graph, FindsWhatANodeReadsAtAnyDistance) {
  EXPECT_EQ(diamond.with_sources({3}), (Nodes{0, 1, 2, 3}));
  EXPECT_EQ(diamond.with_sources({0}), (Nodes{0}));
  EXPECT_EQ(diamond.with_sources({1, 4}), (Nodes{0, 1, 4}));
}

TEST(Graph, FindsWhatReadsANodeAtAnyDistance) {
  EXPECT_EQ(diamond.with_readers({0}), (Nodes{0, 1, 2, 3}));
  EXPECT_EQ(diamond.with_readers({3}), (Nodes{3}));
}

TEST(Graph, ReachesThroughACycleOnce) {
  const Graph ring(3, {{0, 1}, {1, 2}, {2, 0}});
  EXPECT_EQ(ring.with_sources({1}), (Nodes{0, 1, 2}));
}

TEST(Graph, DropsEdgesThatLeaveTheSet) {
  const Graph part = diamond.restricted_to({0, 3});
  EXPECT_EQ(part.size(), 2u);
  EXPECT_EQ(part.sources(1), Nodes{});
}

TEST(Graph, RenumbersWhatItKeeps) {
  const Graph part = diamond.restricted_to({0, 2, 3});
  EXPECT_EQ(part.sources(2), (Nodes{1}));
  EXPECT_EQ(part.sources(1), (Nodes{0}));
}

TEST(Graph, KnowsItsEdges) {
  EXPECT_TRUE(diamond.has({3, 1}));
  EXPECT_FALSE(diamond.has({1, 3}));
  EXPECT_FALSE(diamond.has({3, 0}));
}

TEST(Graph, SeesACycle) {
  EXPECT_FALSE(has_cycle(diamond));
  EXPECT_TRUE(has_cycle(Graph(4, {{0, 1}, {1, 2}, {2, 1}, {2, 3}})));
  EXPECT_TRUE(has_cycle(Graph(1, {{0, 0}})));
  EXPECT_FALSE(has_cycle(Graph(0, {})));
}

TEST(Graph, ContradictsWhatIsKnownTheOtherWayRound) {
  // 3 reads 0 by way of others: that 0 reads 3 is contradicted, that 1 reads 2 is not.
  const Graph claimed(5, {{0, 3}, {1, 2}, {0, 4}, {0, 2}});
  EXPECT_EQ(contradicted_edges(claimed, diamond), (std::vector<Edge>{{0, 2}, {0, 3}}));
}

TEST(Graph, DoesNotContradictWhatItKnows) {
  const Graph ring(3, {{0, 1}, {1, 2}, {2, 0}});
  EXPECT_EQ(contradicted_edges(ring, ring), std::vector<Edge>{});
}

}  // namespace
}  // namespace mvo::core
