// What views read in the end, found by walking from one thing to the next. What stores rows ends a
// walk; a plain view or a function whose body the server has parsed is passed through; a function
// whose body is a string is opaque: nobody can look into it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace mvo::core {

enum class Reading { stores, passes, opaque };

class Discovery {
 public:
  // A thing's number, in the order of add().
  using Thing = std::size_t;

  // `label` is what it is called on a way, and what equally short ways are compared by.
  Thing add(std::string label, Reading reading);
  // Repeated reads count once.
  void add_read(Thing reader, Thing read);
  // A partition or a child: who reads the whole reads it as well.
  void add_part(Thing whole, Thing part);

  const std::string& label(Thing thing) const { return things_[thing].label; }
  Reading reading(Thing thing) const { return things_[thing].reading; }

  // What it reads directly, by label, each once.
  const std::vector<Thing>& reads_of(Thing thing);

  struct Way {
    Thing to;
    // What is passed on the shortest way there; among equally short ones on the smallest, label
    // by label, bytewise. Empty when it is read directly.
    std::vector<Thing> via;

    bool operator==(const Way&) const = default;
  };

  // Everything that `start` reads and passes up to what stores rows, each once, nearest first. A
  // way that leads back to the start is among them. O(V + E) of what is reached, beside sorting.
  std::vector<Way> ways_from(Thing start);

 private:
  struct Item {
    std::string label;
    Reading reading;
    std::vector<Thing> reads = {};
    std::vector<Thing> parts = {};
    bool sorted = false;
    std::size_t reached_by = 0;  // number of the walk that came here last
  };

  struct Reached {
    Thing thing;
    std::size_t from;  // place of the one before it, `none` for what is read directly
  };
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  void reach(Thing thing, std::size_t from, std::vector<Reached>& reached);
  std::vector<Thing> way_to(std::size_t place, const std::vector<Reached>& reached) const;

  std::vector<Item> things_;
  std::size_t walks_ = 0;
};

}  // namespace mvo::core
