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

// Why a step has its mode: who chose it or, where nobody did, what spoke for it.
struct Reason {
  enum Kind {
    call,
    registration,
    setting,
    nobody,  // and nothing has spoken yet
    few_changes,
    gave_up,
    tried_again,
    unpopulated,
    not_heap,
    index_invalid,
  };

  Kind kind = nobody;
  int runs = 0;  // gave_up: until a diff is tried again

  Reason(Kind kind, int runs = 0) : kind(kind), runs(runs) {}
  bool operator==(const Reason&) const = default;
};

// "given in the call", "diff gave up, is tried again after 3 runs" …
std::string to_string(const Reason& reason);

struct Choice {
  Mode mode;
  Reason reason;

  bool operator==(const Choice&) const = default;
};

// The mode of a step: what the call asks for, else what the view was registered with, else the
// setting. A registration or a setting that says `automatic` hands the choice on; a call that says
// so, or nobody who says more, leaves it to what is known of the view: `automatic`.
Choice choose_mode(std::optional<Mode> asked, Mode registered, Mode setting);

}  // namespace mvo::core
