#include "core/mode.hpp"

#include <array>
#include <utility>

namespace mvo::core {
namespace {

constexpr std::array<std::pair<Mode, std::string_view>, 5> modes{{
    {Mode::automatic, "auto"},
    {Mode::plain, "plain"},
    {Mode::concurrent, "concurrent"},
    {Mode::swap, "swap"},
    {Mode::diff, "diff"},
}};

}  // namespace

std::optional<Mode> parse_mode(std::string_view text) {
  for (const auto& [mode, name] : modes)
    if (name == text) return mode;
  return std::nullopt;
}

std::string_view to_string(Mode mode) {
  for (const auto& [known, name] : modes)
    if (known == mode) return name;
  return {};
}

std::string known_modes() {
  std::string list;
  for (const auto& [mode, name] : modes) {
    if (!list.empty()) list += ", ";
    list += '"';
    list += name;
    list += '"';
  }
  return list;
}

Mode choose_mode(std::optional<Mode> asked, Mode registered, Mode setting) {
  // An explicit "auto" in the call is a choice too: it overrides what was registered.
  if (asked) return *asked == Mode::automatic ? Mode::plain : *asked;
  if (registered != Mode::automatic) return registered;
  return setting == Mode::automatic ? Mode::plain : setting;
}

}  // namespace mvo::core
