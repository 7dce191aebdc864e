// Where two texts part.
#pragma once

#include <string_view>

namespace mvo::core {

struct TextDifference {
  std::string_view before;  // the last words, three at most, that come before in both
  std::string_view a, b;
};

// What is left of two texts without the words that they begin and end with in common. Words are
// what blanks divide; so nothing is cut inside a character. Both are empty where they are equal.
TextDifference text_difference(std::string_view a, std::string_view b);

}  // namespace mvo::core
