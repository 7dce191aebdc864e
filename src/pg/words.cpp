#include "pg/words.hpp"

extern "C" {
#include <parser/scanner.h>
}

namespace mvo::pg {
namespace {

// The grammar's first token, and the same in every version, as PL/pgSQL relies on it: IDENT.
constexpr int identifier_token = 258;
// Below it, tokens are characters.
constexpr int first_named_token = 256;

// No word of this scanner is a key word: they are told by their text.
constexpr ScanKeywordList no_keywords{"", nullptr, nullptr, 0, 0};

class Scanner {
 public:
  explicit Scanner(const std::string& text) : text_(text) {
    call([&] {
      scanner_ = scanner_init(text_.c_str(), &extra_, &no_keywords, nullptr);
      extra_.escape_string_warning = false;
    });
  }

  // The next token that matters; nothing at the end.
  std::optional<core::Token> next() {
    for (;;) {
      core_YYSTYPE value{};
      YYLTYPE place = 0;
      const int token = call([&] { return core_yylex(&value, &place, scanner_); });
      if (token == 0) return std::nullopt;
      using Kind = core::Token::Kind;
      if (token == identifier_token)
        return core::Token{text_[place] == '"' ? Kind::quoted : Kind::word, value.str};
      if (token < first_named_token) return core::Token{Kind::symbol, {static_cast<char>(token)}};
      if (text_.compare(place, 2, "::") == 0) return core::Token{Kind::symbol, "::"};
    }
  }

  void end() {
    call([&] { scanner_finish(scanner_); });
  }

 private:
  const std::string& text_;
  core_yy_extra_type extra_{};
  core_yyscan_t scanner_ = nullptr;
};

}  // namespace

std::vector<core::Token> words_of(const std::string& text) {
  std::vector<core::Token> words;
  try {
    Scanner scanner(text);
    while (auto word = scanner.next()) words.push_back(*std::move(word));
    scanner.end();
  } catch (const PgError& error) {
    // Whatever is wrong with the text; the scanner touches nothing but memory.
    if (error.is_interrupt() || error.sqlstate() == ERRCODE_OUT_OF_MEMORY) throw;
  }
  return words;
}

}  // namespace mvo::pg
