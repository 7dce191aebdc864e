#include "core/order.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <random>

namespace mvo::core {
namespace {

std::vector<Node> nodes_of(const std::variant<Order, Cycle>& result) {
  std::vector<Node> nodes;
  for (const Position& position : std::get<Order>(result)) nodes.push_back(position.node);
  return nodes;
}

std::vector<int> levels_of(const std::variant<Order, Cycle>& result) {
  std::vector<int> levels;
  for (const Position& position : std::get<Order>(result)) levels.push_back(position.level);
  return levels;
}

TEST(Order, IsEmptyForAnEmptyGraph) {
  EXPECT_TRUE(nodes_of(order_of(Graph(0, {}))).empty());
}

TEST(Order, TakesTheSmallestReadyNodeAtEveryPlace) {
  // 0 reads 3, so 1 goes first, then 2, then 3 and only then 0.
  EXPECT_EQ(nodes_of(order_of(Graph(4, {{0, 3}}))), (std::vector<Node>{1, 2, 3, 0}));
}

TEST(Order, ReleasesANodeAsSoonAsItIsReady) {
  EXPECT_EQ(nodes_of(order_of(Graph(4, {{0, 1}}))), (std::vector<Node>{1, 0, 2, 3}));
}

TEST(Order, LevelIsOneMoreThanTheHighestLevelRead) {
  const auto result = order_of(Graph(4, {{1, 0}, {2, 1}, {3, 0}, {3, 2}}));
  EXPECT_EQ(nodes_of(result), (std::vector<Node>{0, 1, 2, 3}));
  EXPECT_EQ(levels_of(result), (std::vector<int>{1, 2, 3, 4}));
}

TEST(Order, NamesASelfDependencyAsACycleOfOne) {
  EXPECT_EQ(std::get<Cycle>(order_of(Graph(2, {{1, 1}}))), (Cycle{1}));
}

TEST(Order, NamesAShortestCycleFromItsSmallestNode) {
  // 0 -> 1 -> 2 -> 0 and 5 -> 4 -> 5: the second is shorter, and starts at 4.
  EXPECT_EQ(std::get<Cycle>(order_of(Graph(6, {{0, 1}, {1, 2}, {2, 0}, {5, 4}, {4, 5}}))),
            (Cycle{4, 5}));
}

TEST(Order, NamesTheCycleAndNotWhatReadsIt) {
  EXPECT_EQ(std::get<Cycle>(order_of(Graph(4, {{0, 1}, {1, 3}, {3, 1}, {2, 3}}))), (Cycle{1, 3}));
}

// The oracle knows nothing of heaps or searches: it tries every permutation, every path.
class Oracle {
 public:
  explicit Oracle(const std::vector<std::vector<bool>>& reads) : reads_(reads) {}

  // The first permutation, in ascending order, in which nothing stands before what it reads.
  std::optional<std::vector<Node>> smallest_order() const {
    std::vector<Node> nodes(reads_.size());
    std::iota(nodes.begin(), nodes.end(), 0);
    do {
      if (is_order(nodes)) return nodes;
    } while (std::ranges::next_permutation(nodes).found);
    return std::nullopt;
  }

  int level(Node node) const {
    int highest = 0;
    for (Node source = 0; source < reads_.size(); ++source)
      if (reads_[node][source]) highest = std::max(highest, level(source));
    return highest + 1;
  }

  // Every simple cycle, written from its smallest node; the shortest, and of these the smallest.
  std::vector<Node> shortest_cycle() const {
    std::vector<Node> best, path;
    for (Node start = 0; start < reads_.size(); ++start) {
      path = {start};
      extend(path, best);
    }
    return best;
  }

 private:
  bool is_order(const std::vector<Node>& nodes) const {
    for (std::size_t i = 0; i < nodes.size(); ++i)
      for (std::size_t j = i; j < nodes.size(); ++j)
        if (reads_[nodes[i]][nodes[j]]) return false;
    return true;
  }

  void extend(std::vector<Node>& path, std::vector<Node>& best) const {
    for (Node next = path.front(); next < reads_.size(); ++next) {
      if (!reads_[path.back()][next]) continue;
      if (next == path.front()) {
        if (best.empty() || path.size() < best.size() ||
            (path.size() == best.size() && path < best))
          best = path;
      } else if (std::ranges::find(path, next) == path.end()) {
        path.push_back(next);
        extend(path, best);
        path.pop_back();
      }
    }
  }

  const std::vector<std::vector<bool>>& reads_;
};

unsigned seed() {
  if (const char* given = std::getenv("MVO_SEED")) return std::strtoul(given, nullptr, 10);
  return std::random_device{}();
}

int rounds() {
  const char* given = std::getenv("MVO_ROUNDS");
  return given ? std::atoi(given) : 3000;
}

TEST(Order, AgreesWithABruteForceSearchOnRandomGraphs) {
  const unsigned chosen = seed();
  std::cout << "seed " << chosen << " (repeat with MVO_SEED)\n";
  std::mt19937 random(chosen);
  int orders = 0, cycles = 0;
  for (int round = 0; round < rounds(); ++round) {
    const std::size_t size = 1 + random() % 7;
    std::vector<std::vector<bool>> reads(size, std::vector<bool>(size, false));
    std::vector<Edge> edges;
    for (std::size_t i = random() % (2 * size); i > 0; --i) {
      const Node reader = random() % size, source = random() % size;
      if (reader == source && random() % 4 != 0) continue;
      reads[reader][source] = true;
      edges.push_back({reader, source});
    }
    const Oracle oracle(reads);
    const auto result = order_of(Graph(size, edges));
    const auto expected = oracle.smallest_order();
    ASSERT_EQ(std::holds_alternative<Order>(result), expected.has_value()) << "round " << round;
    if (expected) {
      ++orders;
      ASSERT_EQ(nodes_of(result), *expected) << "round " << round;
      for (const auto& [node, level] : std::get<Order>(result))
        ASSERT_EQ(level, oracle.level(node)) << "round " << round;
    } else {
      ++cycles;
      ASSERT_EQ(std::get<Cycle>(result), oracle.shortest_cycle()) << "round " << round;
    }
  }
  EXPECT_GT(orders, 0);
  EXPECT_GT(cycles, 0);
}

}  // namespace
}  // namespace mvo::core
