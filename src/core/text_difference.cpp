#include "core/text_difference.hpp"

#include <algorithm>
#include <cstddef>

namespace mvo::core {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\n' || c == '\t';
}

// Whether a word ends at this place of the text: a blank follows it, or nothing.
bool word_ends(std::string_view text, std::size_t place) {
  return place == text.size() || is_blank(text[place]);
}

std::size_t common_words(std::string_view a, std::string_view b) {
  const std::size_t shorter = std::min(a.size(), b.size());
  std::size_t common = 0;
  for (std::size_t i = 0; i <= shorter; ++i) {
    if (word_ends(a, i) && word_ends(b, i)) common = i;
    if (i == shorter || a[i] != b[i]) break;
  }
  return common;
}

// Whether the last `length` characters begin with a word.
bool word_begins(std::string_view text, std::size_t length) {
  return length == text.size() || is_blank(text[text.size() - length - 1]);
}

std::size_t common_last_words(std::string_view a, std::string_view b) {
  const std::size_t shorter = std::min(a.size(), b.size());
  std::size_t common = 0;
  for (std::size_t i = 0; i <= shorter; ++i) {
    if (word_begins(a, i) && word_begins(b, i)) common = i;
    if (i == shorter || a[a.size() - i - 1] != b[b.size() - i - 1]) break;
  }
  return common;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view last_words(std::string_view text, int count) {
  text = trim(text);
  std::size_t start = text.size();
  for (; count > 0 && start > 0; --count) {
    while (start > 0 && is_blank(text[start - 1])) --start;
    while (start > 0 && !is_blank(text[start - 1])) --start;
  }
  return text.substr(start);
}

}  // namespace

TextDifference text_difference(std::string_view a, std::string_view b) {
  const std::size_t first = common_words(a, b);
  const std::string_view before = last_words(a.substr(0, first), 3);
  a.remove_prefix(first);
  b.remove_prefix(first);
  const std::size_t last = common_last_words(a, b);
  a.remove_suffix(last);
  b.remove_suffix(last);
  return {before, trim(a), trim(b)};
}

}  // namespace mvo::core
