#include <fmt/format.h>

#include "core/render.hpp"

namespace mvo::core {
namespace {

// Between double quotes. In a label graphviz also reads backslashes and entities.
std::string escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '&') {
      escaped += "&amp;";
      continue;
    }
    if (c == '"' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

// What differs from a view's.
std::string_view shape_of(Kind kind) {
  switch (kind) {
    case Kind::view:
      return "";
    case Kind::plain_view:
      return ", style=\"filled,rounded\"";
    case Kind::function:
      return ", shape=hexagon";
    case Kind::opaque_function:
      return ", shape=hexagon, style=\"filled,dashed\"";
    case Kind::source:
      return ", shape=cylinder";
  }
  return "";
}

// The first mark decides.
std::string_view colours_of(Mark mark) {
  switch (mark) {
    case Mark::failed:
      return ", fillcolor=\"#f4a6a0\", color=\"#a01010\", penwidth=2";
    case Mark::cycle:
      return ", fillcolor=\"#e9b8f0\", color=\"#801090\", penwidth=2";
    case Mark::missing:
      return ", style=\"filled,dashed\", fillcolor=\"#fbd9a0\", color=\"#905000\"";
    case Mark::unpopulated:
      return ", fillcolor=\"#fff0b0\", color=\"#806000\"";
    case Mark::upstream_failed:
      return ", fillcolor=\"#fbdcd8\", color=\"#a01010\"";
    case Mark::disabled:
      return ", style=\"filled,dotted\", fillcolor=\"#e4e4e4\"";
  }
  return "";
}

std::string node_line(const Figure& figure, Node node) {
  std::string label = escaped(figure.label);
  if (const auto words = figure.words(); !words.empty())
    label += fmt::format("\\n{}", fmt::join(words, ", "));
  const auto colours = figure.marks.empty() ? "" : colours_of(figure.marks.front());
  return fmt::format("  n{} [label=\"{}\"{}{}];\n", node + 1, label, shape_of(figure.kind),
                     colours);
}

// The views of a level stand side by side.
std::string ranks(const Picture& picture) {
  std::vector<std::string> levels(picture.highest_level() + 1);
  for (Node node = 0; node < picture.figures().size(); ++node)
    if (picture.figures()[node].kind == Kind::view)
      levels[picture.level(node)] += fmt::format(" n{};", node + 1);
  std::string text;
  for (const std::string& level : levels)
    if (!level.empty()) text += fmt::format("  {{ rank=same;{} }}\n", level);
  return text;
}

std::string arrow_line(const Picture& picture, const Arrow& arrow) {
  std::string attributes;
  if (arrow.basis == Basis::declared) attributes = "style=dashed";
  if (arrow.basis == Basis::left_out) attributes = "style=dotted, constraint=false";
  if (picture.in_cycle(arrow))
    attributes.append(attributes.empty() ? "" : ", ").append("color=\"#801090\", penwidth=2");
  if (!attributes.empty()) attributes = " [" + attributes + "]";
  return fmt::format("  n{} -> n{}{};\n", arrow.source + 1, arrow.reader + 1, attributes);
}

}  // namespace

std::string render_dot(const Picture& picture) {
  std::string text =
      "digraph mv_graph {\n"
      "  rankdir=LR;\n"
      "  charset=\"UTF-8\";\n"
      "  node [shape=box, style=filled, fillcolor=white, fontname=\"Helvetica\", fontsize=11];\n"
      "  edge [color=\"#505050\"];\n"
      "  // a -> b: b reads a\n";
  if (picture.has(Basis::declared))
    text += "  // dashed: declared; nothing in the definition is known to read it\n";
  if (picture.has(Basis::left_out))
    text += "  // dotted: declared, but it is the other way round\n";
  for (Node node = 0; node < picture.figures().size(); ++node)
    text += node_line(picture.figures()[node], node);
  text += ranks(picture);
  for (const Arrow& arrow : picture.arrows()) text += arrow_line(picture, arrow);
  return text + "}\n";
}

}  // namespace mvo::core
