#include "core/render.hpp"

#include <array>
#include <utility>

namespace mvo::core {
namespace {

struct Known {
  Format format;
  std::string_view name;
  std::string (*render)(const Picture&);
};

constexpr std::array<Known, 3> formats{{
    {Format::text, "text", render_text},
    {Format::mermaid, "mermaid", render_mermaid},
    {Format::dot, "dot", render_dot},
}};

}  // namespace

std::optional<Format> parse_format(std::string_view text) {
  for (const Known& known : formats)
    if (known.name == text) return known.format;
  return std::nullopt;
}

std::string known_formats() {
  std::string list;
  for (const Known& known : formats) {
    if (!list.empty()) list += ", ";
    list.append("\"").append(known.name).append("\"");
  }
  return list;
}

std::string render(const Picture& picture, Format format) {
  for (const Known& known : formats)
    if (known.format == format) {
      std::string text = known.render(picture);
      text.pop_back();  // the last newline
      return text;
    }
  return {};
}

}  // namespace mvo::core
