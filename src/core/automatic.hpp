// Mode auto: plain, swap or diff for each view, by what its catalogs say and what its last runs
// taught. A diff that finds too much gives up and becomes a swap in the same step; a swap learns
// nothing of how much changed, so after some runs a diff is tried again.
#pragma once

#include <cstdint>

#include "core/mode.hpp"

namespace mvo::core {

// What the runs of a view have taught.
struct Learned {
  int gave_up = 0;    // diffs, one after the other
  int runs_left = 0;  // until one is tried again

  bool operator==(const Learned&) const = default;
};

struct LiveState {
  bool heap = true;
  bool populated = true;
  bool indexes_valid = true;
};

// In the place of a Choice of Mode::automatic.
Choice choose_automatic(const LiveState& live, const Learned& learned);

// Whether a diff may become a swap: where auto chose it.
bool may_give_up(const Reason& reason);

// What is known after a step that had its mode for that reason and was carried out.
Learned learn(const Learned& before, const Reason& reason, bool gave_up);

// A diff gives up when it finds more rows than this to add to a view or to remove from it.
std::uint64_t most_added(std::uint64_t old_rows, int indexes);
std::uint64_t most_removed(std::uint64_t old_rows);
// So much of the old rows at least that is.
int most_added_percent(int indexes);
constexpr int most_removed_percent = 50;

}  // namespace mvo::core
