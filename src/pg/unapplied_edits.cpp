#include <fmt/format.h>  // before the server, which redefines printf

#include "pg/unapplied_edits.hpp"

#include <algorithm>

#include "pg/identifier.hpp"
#include "pg/normal_form.hpp"
#include "pg/relation.hpp"

namespace mvo::pg {
namespace {

Match compare(const core::Name& name) {
  const auto registration = load_registration(name);
  const auto relation = find_relation(name);
  return registration && relation ? match(*registration, *relation).match : Match::same;
}

}  // namespace

UnappliedEdits::UnappliedEdits(const Planned& planned, const Facts& facts) {
  for (const core::Step& step : planned.plan) {
    const core::Name& name = planned.name(step);
    if (facts.at(name).applied) continue;
    const auto match = compare(name);
    if (match == Match::same) continue;
    names_.push_back(name);
    edits_.push_back(match == Match::differs ? 1 : 2);
  }
}

std::string describe_edit(int edit) {
  if (edit == 1) return "the registered definition is newer and not applied";
  return edit == 2 ? "the registered definition is newer and cannot be analysed" : "";
}

int UnappliedEdits::edit(const core::Name& view) const {
  const auto found = std::ranges::find(names_, view);
  return found == names_.end() ? 0 : edits_[found - names_.begin()];
}

std::string UnappliedEdits::detail(const core::Name& view) const {
  return describe_edit(edit(view));
}

void UnappliedEdits::warn(const Planned& planned,
                          const std::vector<core::Outcome>& outcomes) const {
  std::vector<core::Name> names;
  for (const core::Outcome& outcome : outcomes) {
    const core::Name& name = planned.name(outcome.step);
    const bool left_out = outcome.failure || outcome.failed_source;
    if (!left_out && !detail(name).empty()) names.push_back(name);
  }
  if (names.empty()) return;
  const bool one = names.size() == 1;
  const std::string message =
      fmt::format("materialized view{} {} refreshed with {}", one ? "" : "s",
                  print_list(names) + (one ? " is" : " are"),
                  one ? "a definition older than the registered one"
                      : "definitions older than the registered ones");
  call([&] {
    ereport(WARNING, (errmsg("%s", message.c_str()),
                      errhint("Use mv_drop() and mv_create() to apply what is registered.")));
  });
}

}  // namespace mvo::pg
