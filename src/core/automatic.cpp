#include "core/automatic.hpp"

#include <algorithm>

namespace mvo::core {
namespace {

// 1, 2, 4, 8, 16 runs.
constexpr int most_doublings = 4;

// To write so many rows costs less than the catalog rows and files of a swap, whatever the indexes.
constexpr std::uint64_t always_written = 1000;

}  // namespace

// What a swap of a view that is not populated writes is what plain would write, or less; and it
// locks nobody out before the end.
Choice choose_automatic(const LiveState& live, const Learned& learned) {
  if (!live.heap) return {Mode::plain, Reason::not_heap};
  if (!live.indexes_valid) return {Mode::plain, Reason::index_invalid};
  if (!live.populated) return {Mode::swap, Reason::unpopulated};
  if (learned.runs_left > 0) return {Mode::swap, {Reason::gave_up, learned.runs_left}};
  return {Mode::diff, learned.gave_up > 0 ? Reason::tried_again : Reason::few_changes};
}

bool may_give_up(const Reason& reason) {
  return reason.kind == Reason::few_changes || reason.kind == Reason::tried_again;
}

Learned learn(const Learned& before, const Reason& reason, bool gave_up) {
  if (gave_up) return {before.gave_up + 1, 1 << std::min(before.gave_up, most_doublings)};
  if (reason.kind == Reason::gave_up) return {before.gave_up, before.runs_left - 1};
  return may_give_up(reason) ? Learned{} : before;
}

// An added row is written to the heap and to each index by itself, which a swap does in bulk: of
// what a swap costs, each index brings it more.
int most_added_percent(int indexes) {
  return std::min(5 + 5 * indexes, 20);
}

std::uint64_t most_added(std::uint64_t old_rows, int indexes) {
  return std::max(old_rows * most_added_percent(indexes) / 100, always_written);
}

// Removing costs little, but what is removed stays in the file.
std::uint64_t most_removed(std::uint64_t old_rows) {
  return std::max(old_rows * most_removed_percent / 100, always_written);
}

}  // namespace mvo::core
