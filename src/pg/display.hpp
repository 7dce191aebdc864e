// Texts as a terminal shows them.
#pragma once

#include "pg/guard.hpp"

namespace mvo::pg {

struct Displayed {
  std::string text;
  std::size_t columns;  // that it takes
};

// A text in which every character can be seen: control characters, and those of Unicode that take
// no room or turn the direction of writing, become \n, \t, \x01, \u202E, and so a backslash two.
Displayed display(const std::string& text);

}  // namespace mvo::pg
