#include "core/discovery.hpp"

#include <algorithm>
#include <utility>

namespace mvo::core {

Discovery::Thing Discovery::add(std::string label, Reading reading) {
  things_.push_back({std::move(label), reading});
  return things_.size() - 1;
}

void Discovery::add_read(Thing reader, Thing read) {
  things_[reader].reads.push_back(read);
  things_[reader].sorted = false;
}

void Discovery::add_part(Thing whole, Thing part) {
  things_[whole].parts.push_back(part);
}

// By label, so that a walk that takes them in this order meets the smallest way first.
const std::vector<Discovery::Thing>& Discovery::reads_of(Thing thing) {
  Item& item = things_[thing];
  if (!item.sorted) {
    std::ranges::sort(item.reads, [&](Thing a, Thing b) {
      return std::pair(std::string_view(things_[a].label), a) <
             std::pair(std::string_view(things_[b].label), b);
    });
    const auto repeats = std::ranges::unique(item.reads);
    item.reads.erase(repeats.begin(), repeats.end());
    item.sorted = true;
  }
  return item.reads;
}

void Discovery::reach(Thing thing, std::size_t from, std::vector<Reached>& reached) {
  if (things_[thing].reached_by == walks_) return;
  things_[thing].reached_by = walks_;
  reached.push_back({thing, from});
  for (const Thing part : things_[thing].parts) reach(part, from, reached);
}

std::vector<Discovery::Thing> Discovery::way_to(std::size_t place,
                                                const std::vector<Reached>& reached) const {
  std::vector<Thing> via;
  for (std::size_t at = reached[place].from; at != none; at = reached[at].from)
    via.push_back(reached[at].thing);
  std::ranges::reverse(via);
  return via;
}

// Breadth first. What is reached stands in the order of the ways that lead there: shorter ones
// first, equally short ones by their labels; so the first way to a thing is the one that is asked
// for.
std::vector<Discovery::Way> Discovery::ways_from(Thing start) {
  ++walks_;
  std::vector<Reached> reached;
  for (const Thing read : reads_of(start)) reach(read, none, reached);
  for (std::size_t place = 0; place < reached.size(); ++place) {
    const Thing thing = reached[place].thing;
    if (things_[thing].reading != Reading::passes) continue;
    for (const Thing read : reads_of(thing)) reach(read, place, reached);
  }
  std::vector<Way> ways;
  ways.reserve(reached.size());
  for (std::size_t place = 0; place < reached.size(); ++place)
    ways.push_back({reached[place].thing, way_to(place, reached)});
  return ways;
}

}  // namespace mvo::core
