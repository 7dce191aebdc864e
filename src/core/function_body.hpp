// What the body of a function, in SQL or PL/pgSQL, seems to name. It is a guess from the words
// alone: whoever uses it has to check that there is anything of that name.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace mvo::core {

struct Token {
  enum class Kind {
    word,    // folded to lower case, as it is not quoted
    quoted,  // never a key word
    symbol,
  };
  Kind kind;
  std::string text;
};

struct Mention {
  enum class Kind { relation, function, type };
  Kind kind;
  std::optional<std::string> schema;
  std::string name;

  auto operator<=>(const Mention&) const = default;
};

// Sorted, each once.
std::vector<Mention> mentions_in(const std::vector<Token>& tokens);

}  // namespace mvo::core
