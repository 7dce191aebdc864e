#include <fmt/format.h>  // before the server, which redefines printf

#include "pg/display.hpp"

extern "C" {
#include <mb/pg_wchar.h>
}

namespace mvo::pg {
namespace {

std::string escape(char c) {
  switch (c) {
    case '\n':
      return "\\n";
    case '\t':
      return "\\t";
    case '\r':
      return "\\r";
    default:
      return fmt::format("\\x{:02X}", static_cast<unsigned char>(c));
  }
}

// Of the characters that Unicode calls format characters, those that hide in or rearrange a line.
bool is_hidden(pg_wchar c) {
  return c == 0xAD || c == 0x61C || c == 0x180E || (c >= 0x200B && c <= 0x200F) ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF ||
         (c >= 0xFFF9 && c <= 0xFFFB) || (c >= 0xE0000 && c <= 0xE007F);
}

}  // namespace

// None of the server's functions used here can raise an error.
Displayed display(const std::string& text) {
  const int encoding = GetDatabaseEncoding();
  Displayed shown{{}, 0};
  const auto add = [&](std::string_view piece, std::size_t columns) {
    shown.text += piece;
    shown.columns += columns;
  };
  for (std::size_t at = 0; at < text.size();) {
    const char* character = text.data() + at;
    const std::size_t length =
        std::min<std::size_t>(pg_encoding_mblen(encoding, character), text.size() - at);
    const int columns = pg_encoding_dsplen(encoding, character);
    const pg_wchar code = encoding == PG_UTF8 && length > 1
                              ? utf8_to_unicode(reinterpret_cast<const unsigned char*>(character))
                              : 0;
    if (length == 1 && *character == '\\')
      add("\\\\", 2);
    else if (length == 1 && columns < 0)
      add(escape(*character), escape(*character).size());
    else if (columns < 0 || is_hidden(code))
      add(fmt::format("\\u{:04X}", code), fmt::formatted_size("\\u{:04X}", code));
    else
      add({character, length}, columns);
    at += length;
  }
  return shown;
}

}  // namespace mvo::pg
