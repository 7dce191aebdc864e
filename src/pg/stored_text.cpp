#include "pg/stored_text.hpp"

extern "C" {
#include <mb/pg_wchar.h>
}

namespace mvo::pg {

// None of the server's functions used here can raise an error.

std::string valid_text(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  while (!text.empty()) {
    const int good =
        pg_encoding_verifymbstr(GetDatabaseEncoding(), text.data(), static_cast<int>(text.size()));
    valid += text.substr(0, good);
    text.remove_prefix(good);
    if (text.empty()) break;
    valid += '?';
    text.remove_prefix(1);
  }
  return valid;
}

std::string cut_text(const std::string& text, std::size_t most_bytes) {
  constexpr std::string_view mark = "...";
  if (text.size() <= most_bytes) return text;
  const int kept = pg_mbcliplen(text.data(), static_cast<int>(text.size()),
                                static_cast<int>(most_bytes - mark.size()));
  return text.substr(0, kept).append(mark);
}

}  // namespace mvo::pg
