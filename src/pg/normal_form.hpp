// Whether a live view is what was registered.
#pragma once

#include "pg/registration.hpp"
#include "pg/relation.hpp"

namespace mvo::pg {

enum class Match {
  same,
  differs,
  invalid,  // the registered text can no longer be analysed
};

struct Matched {
  Match match;
  std::string reason;  // why it is invalid
  int sqlstate = 0;    // of the error that says so
  // What was compared, where they differ.
  std::string registered = {}, live = {};
};

// Compares the two texts as the server prints them once analysed: in memory, without DDL, each with
// the identity of its own author. A text whose author no longer exists is invalid.
Matched match(const Registration& registration, const LiveRelation& view);

}  // namespace mvo::pg
