// Registered definitions that a run does not apply, as the live views have older ones.
#pragma once

#include "core/run.hpp"
#include "pg/plan.hpp"
#include "pg/registry.hpp"

namespace mvo::pg {

// What is to be said of an edit: 0 nothing, 1 it differs, 2 it cannot be analysed.
std::string describe_edit(int edit);

// The views of the plan whose registered text is not what they were created from, with what is to
// be said of them.
class UnappliedEdits {
 public:
  // Analyses texts, so before the run's snapshot and outside of it.
  UnappliedEdits(const Planned& planned, const Facts& facts);

  int edit(const core::Name& view) const;
  // Empty when there is nothing to say.
  std::string detail(const core::Name& view) const;
  // An edit is never silently not applied: one warning a run, for all that were refreshed.
  void warn(const Planned& planned, const std::vector<core::Outcome>& outcomes) const;

 private:
  std::vector<core::Name> names_;
  std::vector<int> edits_;
};

}  // namespace mvo::pg
