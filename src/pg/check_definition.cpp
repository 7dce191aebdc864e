#include <fmt/format.h>  // before the server, which redefines printf

#include <algorithm>

#include "core/error.hpp"
#include "core/text_difference.hpp"
#include "pg/checked_view.hpp"
#include "pg/definition.hpp"
#include "pg/guc_scope.hpp"
#include "pg/identity.hpp"
#include "pg/normal_form.hpp"
#include "pg/recorded_settings.hpp"
#include "pg/stored_text.hpp"

namespace mvo::pg {
namespace {

using core::Kind;

constexpr std::size_t longest_excerpt = 100;  // in bytes

// On one line; the server prints some clauses on lines of their own, indented.
std::string excerpt(std::string_view text) {
  if (text.empty()) return "nothing";
  std::string line;
  for (std::size_t i = 0; i < text.size(); ++i) {
    line += text[i] == '\n' ? ' ' : text[i];
    if (text[i] == '\n')
      while (i + 1 < text.size() && text[i + 1] == ' ') ++i;
  }
  return "\"" + cut_text(line, longest_excerpt) + "\"";
}

std::string print_difference(const Matched& matched) {
  const auto [before, registered, live] = core::text_difference(matched.registered, matched.live);
  return fmt::format(
      "{} registered is {} where the view has {}.",
      before.empty() ? "From the beginning" : fmt::format("After {}", excerpt(before)),
      excerpt(registered), excerpt(live));
}

void report_invalid(const CheckedView& view, const std::string& reason) {
  view.report(Kind::definition_invalid,
              view.only_if_shown(fmt::format("The reason is: {}.", valid_text(reason))),
              "Bring back what it names, or register it again with a definition that is valid.");
}

void compare(const CheckedView& view) {
  const Matched matched = match(view.registration, *view.live);
  if (matched.match == Match::same) return;
  if (matched.match == Match::differs) {
    view.report(
        Kind::drift, view.only_if_shown(print_difference(matched)),
        fmt::format("To apply what is registered: {} {} To keep what it has, register that.",
                    statement("mv_drop", view.name()), statement("mv_create", view.name())));
    return;
  }
  if (means_busy(matched.sqlstate)) throw core::Error{core::Code::overlap, matched.reason};
  report_invalid(view, matched.reason);
}

// A registered view that it reads is not there: mv_create() creates it first.
bool lacks_source(const CheckedView& view) {
  const auto& sources = view.views.graph().sources(view.node);
  return std::ranges::any_of(
      sources, [&](core::Node source) { return !find_relation(view.views[source].name); });
}

// What creating it would meet first.
void try_to_create(const CheckedView& view) {
  try {
    const Identity identity(view.registration.author.role, Trust::restricted);
    GucScope settings;
    put_in_force(settings, view.registration.settings);
    (void)analyse_creation(view.registration, false);
    settings.end();
  } catch (const PgError& error) {
    if (error.is_interrupt() || means_busy(error.sqlstate())) throw;
    if (means_not_yet(error) && lacks_source(view)) return;
    report_invalid(view, error.what());
  }
}

}  // namespace

void check_definition(const CheckedView& view) {
  if (view.registration.author.is_gone()) return;
  if (view.is_view())
    compare(view);
  else
    try_to_create(view);
}

}  // namespace mvo::pg
