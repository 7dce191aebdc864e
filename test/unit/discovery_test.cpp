#include "core/discovery.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace mvo::core {
namespace {

using Thing = Discovery::Thing;
using Labels = std::vector<std::string>;

// Things by their labels: "t..." stores rows, "v..." is passed through, "o..." is opaque.
class Scene {
 public:
  Scene& reads(const std::string& reader, const Labels& read) {
    for (const std::string& label : read) graph_.add_read(thing(reader), thing(label));
    return *this;
  }
  Scene& parts(const std::string& whole, const Labels& parts) {
    for (const std::string& label : parts) graph_.add_part(thing(whole), thing(label));
    return *this;
  }
  // "t1" or "t1 by v1,v2", in the order in which they are found.
  Labels from(const std::string& start) {
    Labels ways;
    for (const Discovery::Way& way : graph_.ways_from(thing(start))) {
      std::string text = graph_.label(way.to);
      for (std::size_t i = 0; i < way.via.size(); ++i)
        text += (i == 0 ? " by " : ",") + graph_.label(way.via[i]);
      ways.push_back(text);
    }
    return ways;
  }

 private:
  Thing thing(const std::string& label) {
    const auto found = things_.find(label);
    if (found != things_.end()) return found->second;
    const Reading reading = label[0] == 't'   ? Reading::stores
                            : label[0] == 'v' ? Reading::passes
                                              : Reading::opaque;
    return things_[label] = graph_.add(label, reading);
  }

  Discovery graph_;
  std::map<std::string, Thing> things_;
};

TEST(Discovery, StopsAtWhatStoresRows) {
  Scene scene;
  scene.reads("t0", {"t1"}).reads("t1", {"t2"});
  EXPECT_EQ(scene.from("t0"), (Labels{"t1"}));
}

TEST(Discovery, PassesThroughToAnyDepth) {
  Scene scene;
  scene.reads("t0", {"v1"}).reads("v1", {"v2"}).reads("v2", {"v3"}).reads("v3", {"t1"});
  EXPECT_EQ(scene.from("t0"), (Labels{"v1", "v2 by v1", "v3 by v1,v2", "t1 by v1,v2,v3"}));
}

TEST(Discovery, FindsWhatIsOpaqueAndGoesNoFurther) {
  Scene scene;
  scene.reads("t0", {"v1"}).reads("v1", {"o1"}).reads("o1", {"t1"});
  EXPECT_EQ(scene.from("t0"), (Labels{"v1", "o1 by v1"}));
}

TEST(Discovery, TakesTheShortestWay) {
  Scene scene;
  scene.reads("t0", {"v1", "v9"}).reads("v1", {"v2"}).reads("v2", {"t1"}).reads("v9", {"t1"});
  EXPECT_EQ(scene.from("t0"), (Labels{"v1", "v9", "v2 by v1", "t1 by v9"}));
}

TEST(Discovery, TakesTheSmallestOfEquallyShortWays) {
  Scene scene;
  scene.reads("t0", {"vb", "va"}).reads("vb", {"v1"}).reads("va", {"v2"});
  scene.reads("v1", {"t1"}).reads("v2", {"t1"});
  EXPECT_EQ(scene.from("t0"), (Labels{"va", "vb", "v2 by va", "v1 by vb", "t1 by va,v2"}));
}

TEST(Discovery, ReadsAWholeWithItsParts) {
  Scene scene;
  scene.reads("t0", {"v1"}).reads("v1", {"t1"}).parts("t1", {"t2"}).parts("t2", {"t3"});
  EXPECT_EQ(scene.from("t0"), (Labels{"v1", "t1 by v1", "t2 by v1", "t3 by v1"}));
}

TEST(Discovery, APartThatIsReadDirectlyIsReadDirectly) {
  Scene scene;
  scene.reads("t0", {"v1", "t2"}).reads("v1", {"t1"}).parts("t1", {"t2"});
  EXPECT_EQ(scene.from("t0"), (Labels{"t2", "v1", "t1 by v1"}));
}

TEST(Discovery, EndsInACycleAndFindsTheWayBack) {
  Scene scene;
  scene.reads("t0", {"v1"}).reads("v1", {"v2"}).reads("v2", {"v1", "t0"});
  EXPECT_EQ(scene.from("t0"), (Labels{"v1", "v2 by v1", "t0 by v1,v2"}));
}

TEST(Discovery, OneWalkLeavesNothingToTheNext) {
  Scene scene;
  scene.reads("t0", {"v1", "v1"}).reads("t9", {"v1"}).reads("v1", {"t1"});
  EXPECT_EQ(scene.from("t0"), scene.from("t9"));
  scene.reads("v1", {"t0"});
  EXPECT_EQ(scene.from("t0"), (Labels{"v1", "t0 by v1", "t1 by v1"}));
}

// Every way there is, by brute force: the shortest and smallest to each thing.
class Oracle {
 public:
  Oracle(const std::vector<std::vector<Thing>>& reads, std::size_t stored)
      : reads_(reads), stored_(stored) {}

  std::map<Thing, std::vector<Thing>> from(Thing start) {
    best_.clear();
    walk(start, {});
    return best_;
  }

 private:
  void walk(Thing thing, std::vector<Thing> via) {
    for (const Thing read : reads_[thing]) {
      const auto [place, is_new] = best_.try_emplace(read, via);
      if (!is_new && std::pair(via.size(), via) < std::pair(place->second.size(), place->second))
        place->second = via;
      if (read < stored_ || std::ranges::find(via, read) != via.end()) continue;
      std::vector<Thing> further = via;
      further.push_back(read);
      walk(read, further);
    }
  }

  const std::vector<std::vector<Thing>>& reads_;
  std::size_t stored_;
  std::map<Thing, std::vector<Thing>> best_;
};

// Labels ascend as things do, so that ways compare alike.
TEST(Discovery, AgreesWithBruteForce) {
  std::mt19937 random(20261122);
  for (int round = 0; round < 300; ++round) {
    const std::size_t stored = 1 + random() % 4, size = stored + 1 + random() % 6;
    Discovery graph;
    for (Thing thing = 0; thing < size; ++thing)
      graph.add(std::string(1, static_cast<char>('a' + thing)),
                thing < stored ? Reading::stores : Reading::passes);
    std::vector<std::vector<Thing>> reads(size);
    for (std::size_t i = random() % (2 * size) + 1; i > 0; --i) {
      const Thing reader = random() % size, read = random() % size;
      reads[reader].push_back(read);
      graph.add_read(reader, read);
    }
    Oracle oracle(reads, stored);
    for (Thing start = 0; start < stored; ++start) {
      std::map<Thing, std::vector<Thing>> found;
      for (const Discovery::Way& way : graph.ways_from(start))
        EXPECT_TRUE(found.emplace(way.to, way.via).second) << "found twice";
      EXPECT_EQ(found, oracle.from(start)) << "round " << round << ", start " << start;
    }
  }
}

}  // namespace
}  // namespace mvo::core
