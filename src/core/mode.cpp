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

std::string to_string(const Reason& reason) {
  switch (reason.kind) {
    case Reason::call:
      return "given in the call";
    case Reason::registration:
      return "registered";
    case Reason::setting:
      return "setting mv_orchestrator.mode";
    case Reason::nobody:
      return "default";
    case Reason::few_changes:
      return "as long as few rows change";
    case Reason::gave_up:
      return "diff gave up, is tried again after " + std::to_string(reason.runs) +
             (reason.runs == 1 ? " run" : " runs");
    case Reason::tried_again:
      return "diff gave up, is tried again";
    case Reason::unpopulated:
      return "not populated";
    case Reason::not_heap:
      return "access method is not heap";
    case Reason::index_invalid:
      return "an index is not valid";
  }
  return {};
}

Choice choose_mode(std::optional<Mode> asked, Mode registered, Mode setting) {
  // An explicit "auto" in the call is a choice too: it overrides what was registered.
  if (asked) return {*asked, *asked == Mode::automatic ? Reason::nobody : Reason::call};
  if (registered != Mode::automatic) return {registered, Reason::registration};
  return {setting, setting == Mode::automatic ? Reason::nobody : Reason::setting};
}

}  // namespace mvo::core
