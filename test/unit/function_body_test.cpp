#include "core/function_body.hpp"

#include <gtest/gtest.h>

#include <cctype>
#include <string>

namespace mvo::core {
namespace {

// Words and symbols divided by blanks; a word in double quotes is quoted.
std::vector<Token> tokens_of(const std::string& text) {
  std::vector<Token> tokens;
  std::string word;
  for (const char c : text + " ") {
    if (c != ' ') {
      word += c;
    } else if (!word.empty()) {
      const bool quoted = word.front() == '"', letter = std::isalpha(word.front());
      if (quoted) word = word.substr(1, word.size() - 2);
      tokens.push_back({quoted   ? Token::Kind::quoted
                        : letter ? Token::Kind::word
                                 : Token::Kind::symbol,
                        word});
      word.clear();
    }
  }
  return tokens;
}

std::string mentions(const std::string& text) {
  std::string list;
  for (const Mention& mention : mentions_in(tokens_of(text))) {
    list += list.empty() ? "" : " ";
    list += mention.kind == Mention::Kind::relation ? "r:"
            : mention.kind == Mention::Kind::type   ? "t:"
                                                    : "f:";
    list += (mention.schema ? *mention.schema + "." : "") + mention.name;
  }
  return list;
}

TEST(FunctionBody, NamesRelationsAfterTheirKeyWords) {
  EXPECT_EQ(mentions("select x from a join b on true"), "r:a r:b");
  EXPECT_EQ(mentions("insert into a select x"), "r:a");
  EXPECT_EQ(mentions("update a set x = y"), "r:a");
  EXPECT_EQ(mentions("delete from only a using b"), "r:a r:b r:only");
}

TEST(FunctionBody, NamesRelationsInAListAfterFrom) {
  EXPECT_EQ(mentions("select x , y from a , b as c , d where e , f"), "r:a r:b r:d");
  // A key word before a bracket is nobody's function: there is none of that name.
  EXPECT_EQ(mentions("select ( select x from a ) , b from c"), "r:a r:c f:select");
}

TEST(FunctionBody, KeepsSchemas) {
  EXPECT_EQ(mentions("select s . f ( x ) from s . a , b"), "r:b r:s.a f:s.f");
}

TEST(FunctionBody, NamesFunctionsBeforeABracket) {
  EXPECT_EQ(mentions("begin return f ( g ( x ) ) ; end"), "f:f f:g");
  EXPECT_EQ(mentions("insert into a ( x ) values ( y )"), "r:a f:values");
  EXPECT_EQ(mentions("select x from f ( y )"), "f:f");
}

TEST(FunctionBody, NamesTypesAfterACastAndRowTypes) {
  EXPECT_EQ(mentions("select x :: t"), "t:t");
  EXPECT_EQ(mentions("declare r a % rowtype ;"), "r:a");
}

TEST(FunctionBody, IsNotMisledByIntoAndDistinctFrom) {
  EXPECT_EQ(mentions("select x into y from a"), "r:a");
  EXPECT_EQ(mentions("select x is distinct from y"), "");
}

TEST(FunctionBody, TakesNoQuotedWordForAKeyWord) {
  EXPECT_EQ(mentions("select x \"from\" y"), "");
  EXPECT_EQ(mentions("select x from \"where\""), "r:where");
}

TEST(FunctionBody, MayEndAnywhere) {
  EXPECT_EQ(mentions(""), "");
  EXPECT_EQ(mentions("from"), "");
  EXPECT_EQ(mentions("from a ."), "r:a");
  EXPECT_EQ(mentions(". a"), "");
}

}  // namespace
}  // namespace mvo::core
