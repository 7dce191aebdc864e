// What a drawing of the graph shows, whatever draws it.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/graph.hpp"

namespace mvo::core {

// Nobody can look into an opaque function.
enum class Kind { view, plain_view, function, opaque_function, source };

// What is to be seen at once; the worst first.
enum class Mark { failed, cycle, missing, unpopulated, upstream_failed, disabled };
std::string_view to_string(Mark mark);
inline constexpr std::array all_marks{Mark::failed,      Mark::cycle,           Mark::missing,
                                      Mark::unpopulated, Mark::upstream_failed, Mark::disabled};

// A node of the drawing.
struct Figure {
  std::string label;        // printable: without control characters
  std::size_t columns = 0;  // that the label takes on a screen
  Kind kind = Kind::view;
  std::vector<Mark> marks = {};  // ascending

  bool has(Mark mark) const;
  // The marks, and what else there is to say.
  std::vector<std::string_view> words() const;
};

// How we know that one reads the other, the surest first.
enum class Basis {
  found,     // in the definition
  declared,  // only; nothing is known to read it
  left_out,  // declared, against what was found: no order goes by it
};

// "reader reads source"
struct Arrow {
  Node reader;
  Node source;
  Basis basis = Basis::found;

  bool operator==(const Arrow&) const = default;
};

class Picture {
 public:
  // Arrows are between places in `figures`; of those between the same two the surest counts. The
  // picture has its own nodes: level by level, within a level in the order of `figures`. Marks what
  // is in a cycle.
  Picture(std::vector<Figure> figures, const std::vector<Arrow>& arrows);

  const std::vector<Figure>& figures() const { return figures_; }
  // By reader, then source.
  const std::vector<Arrow>& arrows() const { return arrows_; }
  // Whether there is such an arrow.
  bool has(Basis basis) const;
  // Without the arrows that are left out.
  const Graph& graph() const { return graph_; }
  // Of a view 1 + the highest level among what it reads, of anything else that highest level, 0 for
  // what reads nothing. Views that read each other in a cycle share one.
  int level(Node node) const { return levels_[node]; }
  int highest_level() const;
  bool in_cycle(const Arrow& arrow) const;
  // The nodes that are in cycles, those together that read each other; all ascending.
  std::vector<std::vector<Node>> cycles() const;

 private:
  void mark_cycles();

  std::vector<Figure> figures_;
  std::vector<Arrow> arrows_;
  Graph graph_;
  std::vector<std::size_t> components_;
  std::vector<int> levels_;
};

}  // namespace mvo::core
