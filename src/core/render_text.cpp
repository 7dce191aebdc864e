#include <fmt/format.h>

#include <algorithm>

#include "core/order.hpp"
#include "core/render.hpp"

namespace mvo::core {
namespace {

constexpr std::size_t width = 120;
// Behind longer names the arrow goes to the next line.
constexpr std::size_t widest_name_column = 56;

// Text with the columns that it takes.
struct Piece {
  std::string text;
  std::size_t columns;

  void operator+=(std::string_view ascii) {
    text += ascii;
    columns += ascii.size();
  }
};

std::string_view kind_of(const Figure& figure) {
  if (figure.kind == Kind::plain_view) return " (view)";
  if (figure.kind == Kind::function) return " (function)";
  if (figure.kind == Kind::opaque_function) return " (opaque function)";
  return "";
}

Piece named(const Figure& figure) {
  Piece piece{figure.label, figure.columns};
  piece += kind_of(figure);
  return piece;
}

// " [a, b]"; nothing for no words.
std::string bracketed(const std::vector<std::string_view>& words) {
  return words.empty() ? "" : fmt::format(" [{}]", fmt::join(words, ", "));
}

Piece marked(const Figure& figure) {
  Piece piece = named(figure);
  std::vector<std::string_view> marks;
  for (const Mark mark : figure.marks) marks.push_back(to_string(mark));
  piece += bracketed(marks);
  return piece;
}

bool is_wrong(const Figure& figure) {
  return std::ranges::any_of(figure.marks, [](Mark mark) { return mark != Mark::disabled; });
}

// What stands between two pieces in a list, but for the space.
std::vector<Piece> separated(std::vector<Piece> pieces, std::string_view separator) {
  for (std::size_t i = 0; i + 1 < pieces.size(); ++i) pieces[i] += separator;
  return pieces;
}

// Writes the pieces behind what stands in the line's first `at` columns, and on further lines from
// column `indent` on; further to the left where one would not fit.
void add_list(std::string& text, std::size_t at, std::size_t indent,
              const std::vector<Piece>& pieces) {
  constexpr std::size_t least_indent = 6;
  for (const Piece& piece : pieces) {
    const std::size_t start =
        std::min(indent, std::max(least_indent, width - std::min(width, piece.columns)));
    if (at + 1 + piece.columns > width && start < at + 1) {
      text += fmt::format("\n{:{}}", "", start);
      at = start;
    } else {
      text += ' ';
      ++at;
    }
    text += piece.text;
    at += piece.columns;
  }
  text += '\n';
}

std::string counted(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::size_t count(const Picture& picture, Kind kind) {
  return std::ranges::count(picture.figures(), kind, &Figure::kind);
}

// What there is, and how much of it is not well.
std::string summary(const Picture& picture) {
  std::string text = counted(count(picture, Kind::view), "materialized view") + " in " +
                     counted(picture.highest_level(), "level");
  if (const auto n = count(picture, Kind::plain_view)) text += ", " + counted(n, "view");
  if (const auto n = count(picture, Kind::function) + count(picture, Kind::opaque_function))
    text += ", " + counted(n, "function");
  if (const auto n = count(picture, Kind::source)) text += ", " + counted(n, "source");
  text += "; a <- b: a reads b\n";

  std::string marks;
  for (const Mark mark : all_marks) {
    const auto n = std::ranges::count_if(picture.figures(),
                                         [&](const Figure& figure) { return figure.has(mark); });
    if (n > 0) marks += fmt::format("{}{} {}", marks.empty() ? "" : ", ", n, to_string(mark));
  }
  if (!marks.empty()) text += marks + "\n";
  if (picture.has(Basis::declared))
    text += "[declared]: nothing in the definition is known to read it\n";
  if (picture.has(Basis::left_out))
    text += "[left out]: declared, but it is the other way round; no order goes by it\n";
  return text;
}

// What has failed, with all that reads it.
std::string failures(const Picture& picture) {
  std::string text;
  for (Node node = 0; node < picture.figures().size(); ++node) {
    if (!picture.figures()[node].has(Mark::failed)) continue;
    Piece failed = marked(picture.figures()[node]);
    std::vector<Piece> readers;
    for (const Node reader : picture.graph().with_readers({node}))
      if (reader != node && picture.figures()[reader].kind == Kind::view)
        readers.push_back(named(picture.figures()[reader]));
    if (!readers.empty()) failed += " is read by";
    text += "! " + failed.text;
    add_list(text, 2 + failed.columns, 4, separated(readers, ","));
  }
  return text;
}

// A shortest way round each cycle.
std::string cycles(const Picture& picture) {
  std::string text;
  for (const auto& members : picture.cycles()) {
    const auto order = order_of(picture.graph().restricted_to(members));
    std::vector<Piece> way;
    for (const Node place : std::get<Cycle>(order))
      way.push_back(named(picture.figures()[members[place]]));
    way.push_back(way.front());
    text += "! cycle:";
    add_list(text, 8, 4, separated(way, " <-"));
  }
  return text;
}

using Reads = std::vector<std::vector<Piece>>;

// What each node reads, as it is listed.
Reads reads_of(const Picture& picture) {
  Reads reads(picture.figures().size());
  for (const Arrow& arrow : picture.arrows()) {
    Piece piece = named(picture.figures()[arrow.source]);
    std::vector<std::string_view> notes;
    if (arrow.basis == Basis::declared) notes.push_back("declared");
    if (arrow.basis == Basis::left_out) notes.push_back("left out");
    if (picture.in_cycle(arrow)) notes.push_back("cycle");
    piece += bracketed(notes);
    reads[arrow.reader].push_back(std::move(piece));
  }
  return reads;
}

// Where the arrows stand: behind the longest name that is not too long.
std::size_t arrow_column(const Picture& picture, const Reads& reads) {
  std::size_t column = 0;
  for (Node node = 0; node < reads.size(); ++node) {
    if (reads[node].empty()) continue;
    const std::size_t columns = 2 + marked(picture.figures()[node]).columns;
    if (columns <= widest_name_column) column = std::max(column, columns);
  }
  return column > 0 ? column : 4;
}

std::size_t columns_of(const std::vector<Piece>& list) {
  std::size_t columns = 0;
  for (const Piece& piece : list) columns += 1 + piece.columns;
  return columns;
}

std::string entry(const Figure& figure, const std::vector<Piece>& reads, std::size_t column) {
  const Piece name = marked(figure);
  std::string text = (is_wrong(figure) ? "! " : "  ") + name.text;
  if (reads.empty()) return text + "\n";
  const auto list = separated(reads, ",");
  std::size_t at = 2 + name.columns;
  if (at > column && at + 3 + columns_of(list) > width) {
    text += '\n';
    at = 0;
  }
  if (at < column) text += fmt::format("{:{}}", "", column - at);
  text += " <-";
  add_list(text, std::max(at, column) + 3, column + 4, list);
  return text;
}

}  // namespace

std::string render_text(const Picture& picture) {
  if (picture.figures().empty()) return "no materialized view is registered\n";
  std::string text = summary(picture) + failures(picture) + cycles(picture);
  const Reads reads = reads_of(picture);
  const std::size_t column = arrow_column(picture, reads);
  int level = -1;
  for (Node node = 0; node < reads.size(); ++node) {
    if (picture.level(node) != level) {
      level = picture.level(node);
      text += fmt::format("\nlevel {}\n", level);
    }
    text += entry(picture.figures()[node], reads[node], column);
  }
  return text;
}

}  // namespace mvo::core
