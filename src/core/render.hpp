// A picture as text, for people and for the programs that draw.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/picture.hpp"

namespace mvo::core {

enum class Format { text, mermaid, dot };
std::optional<Format> parse_format(std::string_view text);
// "text", "mermaid", "dot": with the quotes
std::string known_formats();

// The same picture gives the same bytes. Lines are separated by newlines.
std::string render(const Picture& picture, Format format);

// What follows ends each line with a newline.
//
// One line for each node, level by level, with what it reads; in 120 columns where no name is
// longer.
std::string render_text(const Picture& picture);
// A flowchart as mermaid 10 and later read it. Nodes are n1, n2, ... in the picture's order.
std::string render_mermaid(const Picture& picture);
// A digraph for graphviz 2.42 and later. Nodes are n1, n2, ... in the picture's order.
std::string render_dot(const Picture& picture);

}  // namespace mvo::core
