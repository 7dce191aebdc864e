#include "core/function_body.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace mvo::core {
namespace {

using Kind = Mention::Kind;

class Reader {
 public:
  explicit Reader(const std::vector<Token>& tokens) : tokens_(tokens) {}

  std::vector<Mention> read() {
    for (place_ = 0; place_ < tokens_.size(); ++place_) {
      if (in_list_ && ends_list()) in_list_ = false;
      if (is_name(place_) && !follows_dot()) read_name();
    }
    std::ranges::sort(found_);
    const auto repeats = std::ranges::unique(found_);
    found_.erase(repeats.begin(), repeats.end());
    return std::move(found_);
  }

 private:
  bool is_symbol(std::size_t place, std::string_view text) const {
    return place < tokens_.size() && tokens_[place].kind == Token::Kind::symbol &&
           tokens_[place].text == text;
  }
  bool is_word(std::size_t place, std::string_view text) const {
    return place < tokens_.size() && tokens_[place].kind == Token::Kind::word &&
           tokens_[place].text == text;
  }
  bool is_name(std::size_t place) const {
    return place < tokens_.size() && tokens_[place].kind != Token::Kind::symbol;
  }
  bool follows_dot() const { return place_ > 0 && is_symbol(place_ - 1, "."); }
  // Whether the token `back` places before the name is that word.
  bool follows(std::string_view word, std::size_t back = 1) const {
    return place_ >= back && is_word(place_ - back, word);
  }

  // FROM a, b: what follows a comma in such a list is named there as well.
  bool ends_list() const {
    constexpr std::array ends{"where", "group", "order", "having",    "limit", "union",
                              "on",    "set",   "loop",  "intersect", "except"};
    if (is_symbol(place_, ";") || is_symbol(place_, ")")) return true;
    return std::ranges::any_of(ends, [&](const char* end) { return is_word(place_, end); });
  }

  bool names_relation() {
    constexpr std::array before{"join", "update", "table", "only", "using"};
    if (follows("from") && !follows("distinct", 2)) return in_list_ = true;
    if (follows("into") && (follows("insert", 2) || follows("merge", 2))) return true;
    if (in_list_ && place_ > 0 && is_symbol(place_ - 1, ",")) return true;
    return std::ranges::any_of(before, [&](const char* word) { return follows(word); });
  }

  void read_name() {
    std::optional<std::string> schema;
    std::size_t last = place_;
    if (is_symbol(place_ + 1, ".") && is_name(place_ + 2)) {
      schema = tokens_[place_].text;
      last = place_ + 2;
    }
    const std::string& name = tokens_[last].text;
    if (is_symbol(last + 1, "(") && !follows("into"))
      found_.push_back({Kind::function, schema, name});
    else if (names_relation())
      found_.push_back({Kind::relation, schema, name});
    else if (place_ > 0 && is_symbol(place_ - 1, "::"))
      found_.push_back({Kind::type, schema, name});
    else if (is_symbol(last + 1, "%") && is_word(last + 2, "rowtype"))
      found_.push_back({Kind::relation, schema, name});
  }

  const std::vector<Token>& tokens_;
  std::vector<Mention> found_;
  std::size_t place_ = 0;
  bool in_list_ = false;
};

}  // namespace

std::vector<Mention> mentions_in(const std::vector<Token>& tokens) {
  return Reader(tokens).read();
}

}  // namespace mvo::core
