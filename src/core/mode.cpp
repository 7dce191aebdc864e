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

std::string_view to_string(Reason reason) {
  switch (reason) {
    case Reason::call:
      return "given in the call";
    case Reason::registration:
      return "registered";
    case Reason::setting:
      return "setting mv_orchestrator.mode";
    case Reason::nobody:
      return "default";
  }
  return {};
}

Choice choose_mode(std::optional<Mode> asked, Mode registered, Mode setting) {
  constexpr Choice otherwise{Mode::plain, Reason::nobody};
  // An explicit "auto" in the call is a choice too: it overrides what was registered.
  if (asked) return *asked == Mode::automatic ? otherwise : Choice{*asked, Reason::call};
  if (registered != Mode::automatic) return {registered, Reason::registration};
  return setting == Mode::automatic ? otherwise : Choice{setting, Reason::setting};
}

}  // namespace mvo::core
