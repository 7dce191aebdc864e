#include <fmt/format.h>

#include "core/render.hpp"

namespace mvo::core {
namespace {

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         static_cast<unsigned char>(c) >= 0x80;
}

// Between double quotes. What means anything to mermaid, to Markdown or to HTML becomes an entity;
// an underscore means something at the edge of a word. Mermaid looks for \n, fa:fa-car and $$x$$
// when entities are no longer such: a space without width keeps it from finding them.
std::string escaped(std::string_view text) {
  std::string escaped;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool within =
        i > 0 && i + 1 < text.size() && is_word(text[i - 1]) && is_word(text[i + 1]);
    if (is_word(c) || c == '.' || c == ' ' || (c == '_' && within))
      escaped += c;
    else
      escaped += fmt::format("#{};", static_cast<int>(c));
    if (c == '\\' || c == '$' || c == ':') escaped += "#8203;";
  }
  return escaped;
}

struct Brackets {
  std::string_view open, close;
};

Brackets brackets_of(Kind kind) {
  switch (kind) {
    case Kind::view:
      return {"[", "]"};
    case Kind::plain_view:
      return {"(", ")"};
    case Kind::function:
    case Kind::opaque_function:
      return {"{{", "}}"};
    case Kind::source:
      return {"[(", ")]"};
  }
  return {};
}

// The first mark decides.
std::string_view style_of(Mark mark) {
  switch (mark) {
    case Mark::failed:
      return "fill:#f4a6a0,stroke:#a01010,stroke-width:3px,color:#000";
    case Mark::cycle:
      return "fill:#e9b8f0,stroke:#801090,stroke-width:3px,color:#000";
    case Mark::missing:
      return "fill:#fbd9a0,stroke:#905000,stroke-dasharray:6 4,color:#000";
    case Mark::unpopulated:
      return "fill:#fff0b0,stroke:#806000,color:#000";
    case Mark::upstream_failed:
      return "fill:#fbdcd8,stroke:#a01010,color:#000";
    case Mark::disabled:
      return "fill:#e4e4e4,stroke:#606060,stroke-dasharray:2 3,color:#000";
  }
  return "";
}

std::string node_line(const Figure& figure, Node node) {
  const auto [open, close] = brackets_of(figure.kind);
  std::string label = escaped(figure.label);
  if (const auto words = figure.words(); !words.empty())
    label += fmt::format("<br/>{}", fmt::join(words, ", "));
  return fmt::format("  n{}{}\"{}\"{}\n", node + 1, open, label, close);
}

std::string arrow_line(const Arrow& arrow) {
  std::string_view line = "-->";
  if (arrow.basis == Basis::declared) line = "-.->";
  if (arrow.basis == Basis::left_out) line = "-.-x";
  return fmt::format("  n{} {} n{}\n", arrow.source + 1, line, arrow.reader + 1);
}

std::string join(std::string list, std::size_t number, std::string_view prefix) {
  return fmt::format("{}{}{}{}", list, list.empty() ? "" : ",", prefix, number);
}

std::string node_styles(const Picture& picture) {
  std::string text;
  for (const Mark mark : all_marks) {
    std::string nodes;
    for (Node node = 0; node < picture.figures().size(); ++node) {
      const auto& marks = picture.figures()[node].marks;
      if (!marks.empty() && marks.front() == mark) nodes = join(std::move(nodes), node + 1, "n");
    }
    if (!nodes.empty())
      text += fmt::format("  classDef {0} {1}\n  class {2} {0}\n", to_string(mark), style_of(mark),
                          nodes);
  }
  return text;
}

// Mermaid counts arrows from 0.
std::string arrow_styles(const Picture& picture) {
  std::string cycle;
  for (std::size_t i = 0; i < picture.arrows().size(); ++i)
    if (picture.in_cycle(picture.arrows()[i])) cycle = join(std::move(cycle), i, "");
  if (cycle.empty()) return {};
  return fmt::format("  linkStyle {} stroke:#801090,stroke-width:3px\n", cycle);
}

}  // namespace

std::string render_mermaid(const Picture& picture) {
  std::string text =
      "%%{init: {\"flowchart\": {\"nodeSpacing\": 25, \"rankSpacing\": 90, \"wrappingWidth\": "
      "500}}}%%\n"
      "flowchart LR\n"
      "  %% a --> b: b reads a\n";
  if (picture.has(Basis::declared))
    text += "  %% a -.-> b: declared; nothing in the definition is known to read it\n";
  if (picture.has(Basis::left_out))
    text += "  %% a -.-x b: declared, but it is the other way round\n";
  for (Node node = 0; node < picture.figures().size(); ++node)
    text += node_line(picture.figures()[node], node);
  for (const Arrow& arrow : picture.arrows()) text += arrow_line(arrow);
  return text + node_styles(picture) + arrow_styles(picture);
}

}  // namespace mvo::core
