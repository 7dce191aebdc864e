#include "core/render.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace mvo::core {
namespace {

Figure figure(std::string label, Kind kind = Kind::view, std::vector<Mark> marks = {}) {
  const std::size_t columns = label.size();
  return {std::move(label), columns, kind, std::move(marks)};
}

// c reads b, as the plain view p and as declared; b reads a and the table t; d reads c.
Picture small() {
  return Picture(
      {figure("s.a"), figure("s.b", Kind::view, {Mark::failed}), figure("s.c"),
       figure("s.d", Kind::view, {Mark::missing, Mark::disabled}), figure("s.p", Kind::plain_view),
       figure("s.t", Kind::source), figure("s.f(integer)", Kind::function)},
      {{1, 0},
       {1, 5},
       {2, 4},
       {4, 1},
       {2, 1, Basis::declared},
       {3, 2},
       {3, 6},
       {0, 3, Basis::left_out}});
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

TEST(Render, KnowsItsFormats) {
  EXPECT_EQ(parse_format("text"), Format::text);
  EXPECT_EQ(parse_format("mermaid"), Format::mermaid);
  EXPECT_EQ(parse_format("dot"), Format::dot);
  EXPECT_EQ(parse_format("Dot"), std::nullopt);
  EXPECT_EQ(parse_format(""), std::nullopt);
  EXPECT_EQ(known_formats(), "\"text\", \"mermaid\", \"dot\"");
}

TEST(Render, TextListsLevelByLevel) {
  EXPECT_EQ(render(small(), Format::text),
            R"(4 materialized views in 4 levels, 1 view, 1 function, 1 source; a <- b: a reads b
1 failed, 1 missing, 1 disabled
[declared]: nothing in the definition is known to read it
[left out]: declared, but it is the other way round; no order goes by it
! s.b [failed] is read by s.c, s.d

level 0
  s.t
  s.f(integer) (function)

level 1
  s.a                     <- s.d [left out]

level 2
! s.b [failed]            <- s.t, s.a
  s.p (view)              <- s.b

level 3
  s.c                     <- s.b [declared], s.p (view)

level 4
! s.d [missing, disabled] <- s.f(integer) (function), s.c)");
}

TEST(Render, TextNamesTheShortestWayRoundACycle) {
  const Picture picture({figure("s.a"), figure("s.b"), figure("s.c"), figure("s.d")},
                        {{0, 1}, {1, 2}, {2, 1}, {2, 0}, {3, 0}});
  EXPECT_EQ(render(picture, Format::text), R"(4 materialized views in 2 levels; a <- b: a reads b
3 cycle
! cycle: s.b <- s.c <- s.b

level 1
! s.a [cycle] <- s.b [cycle]
! s.b [cycle] <- s.c [cycle]
! s.c [cycle] <- s.a [cycle], s.b [cycle]

level 2
  s.d         <- s.a)");
}

TEST(Render, TextOfLittle) {
  EXPECT_EQ(render(Picture({}, {}), Format::text), "no materialized view is registered");
  EXPECT_EQ(render(Picture({figure("s.a")}, {}), Format::text),
            "1 materialized view in 1 level; a <- b: a reads b\n\nlevel 1\n  s.a");
}

TEST(Render, TextKeepsTo120Columns) {
  std::vector<Figure> figures;
  std::vector<Arrow> arrows;
  for (Node node = 0; node < 60; ++node) {
    figures.push_back(figure("schema." + std::string(3 + node, 'x') + std::to_string(node)));
    if (node % 7 == 0) figures.back().marks = {Mark::failed, Mark::unpopulated};
    for (Node source = node % 5; source < node; source += 5) arrows.push_back({node, source});
  }
  for (const std::string& line : lines_of(render(Picture(figures, arrows), Format::text)))
    EXPECT_LE(line.size(), 120u) << line;
}

TEST(Render, TextCutsNoName) {
  const std::string longest = "s." + std::string(150, 'x');
  const Picture picture({figure("s.a"), figure(longest), figure("s.b")}, {{0, 1}, {1, 2}, {0, 2}});
  EXPECT_EQ(render(picture, Format::text),
            "3 materialized views in 3 levels; a <- b: a reads b\n\nlevel 1\n  s.b\n\nlevel 2\n  " +
                longest + "\n      <- s.b\n\nlevel 3\n  s.a <- s.b,\n      " + longest);
}

// Columns are what a screen shows, not bytes.
TEST(Render, TextAlignsByColumns) {
  const Picture picture({figure("s.a"), Figure{"s.\xE6\x97\xA5\xE6\x9C\xAC", 6}, figure("s.bcde")},
                        {{1, 0}, {2, 0}});
  EXPECT_NE(render(picture, Format::text).find("s.\xE6\x97\xA5\xE6\x9C\xAC <- s.a\n  s.bcde <- "),
            std::string::npos);
}

TEST(Render, Dot) {
  const std::string dot = render(small(), Format::dot);
  const auto lines = lines_of(dot);
  EXPECT_EQ(lines[0], "digraph mv_graph {");
  EXPECT_EQ(lines.back(), "}");
  for (const char* part :
       {"  n4 [label=\"s.b\\nfailed\", fillcolor=\"#f4a6a0\", color=\"#a01010\", penwidth=2];\n",
        "  n1 [label=\"s.t\", shape=cylinder];\n", "  n3 [label=\"s.a\"];\n",
        "  n5 [label=\"s.p\", style=\"filled,rounded\"];\n",
        "  n7 [label=\"s.d\\nmissing, disabled\"", "  { rank=same; n4; }\n", "  n3 -> n4;\n",
        "  n4 -> n6 [style=dashed];\n", "  n7 -> n3 [style=dotted, constraint=false];\n"})
    EXPECT_NE(dot.find(part), std::string::npos) << part << "\n" << dot;
}

TEST(Render, DotEscapes) {
  const Picture picture({figure(R"(s."a\""b&amp;<b>")")}, {});
  EXPECT_NE(render(picture, Format::dot).find(R"([label="s.\"a\\\"\"b&amp;amp;<b>\""];)"),
            std::string::npos);
}

TEST(Render, Mermaid) {
  const std::string mermaid = render(small(), Format::mermaid);
  EXPECT_EQ(lines_of(mermaid)[1], "flowchart LR");
  for (const char* part :
       {"  n4[\"s.b<br/>failed\"]\n", "  n1[(\"s.t\")]\n", "  n5(\"s.p\")\n",
        "  n2{{\"s.f#40;integer#41;\"}}\n", "  n7[\"s.d<br/>missing, disabled\"]\n",
        "  n3 --> n4\n", "  n4 -.-> n6\n", "  n7 -.-x n3\n", "  class n4 failed\n",
        "  class n7 missing"})
    EXPECT_NE(mermaid.find(part), std::string::npos) << part << "\n" << mermaid;
}

TEST(Render, MermaidEscapes) {
  const Picture picture({figure(R"(s."a#b;c<d>`e\n%%{f}]|-_g_h$:")")}, {});
  EXPECT_NE(
      render(picture, Format::mermaid)
          .find("n1[\"s.#34;a#35;b#59;c#60;d#62;#96;e#92;#8203;n#37;#37;#123;f#125;#93;#124;#45;"
                "#95;g_h#36;#8203;#58;#8203;#34;\"]"),
      std::string::npos);
}

TEST(Render, MermaidMarksTheArrowsOfACycle) {
  const Picture picture({figure("s.a"), figure("s.b"), figure("s.c")}, {{0, 1}, {1, 0}, {1, 2}});
  EXPECT_NE(render(picture, Format::mermaid).find("  linkStyle 0,2 stroke"), std::string::npos);
}

}  // namespace
}  // namespace mvo::core
