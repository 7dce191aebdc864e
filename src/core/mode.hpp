// How a view is refreshed. A new mode is one value here, one row in mode.cpp and one file in pg/.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mvo::core {

enum class Mode { automatic, plain, concurrent, swap, diff };

std::optional<Mode> parse_mode(std::string_view text);
std::string_view to_string(Mode mode);

// The known modes, for an error's hint: "auto", "plain" …
std::string known_modes();

// Who chose the mode of a step.
enum class Reason { call, registration, setting, nobody };
// "given in the call", "registered" …
std::string_view to_string(Reason reason);

struct Choice {
  Mode mode;
  Reason reason;

  bool operator==(const Choice&) const = default;
};

// The mode of a step: what the call asks for, else what the view was registered with, else the
// setting. A registration or a setting that says `automatic` hands the choice on; a call that says
// so, or nobody who says more, means plain.
Choice choose_mode(std::optional<Mode> asked, Mode registered, Mode setting);

}  // namespace mvo::core
