// Statistics for what reads a view.
#pragma once

#include "core/run.hpp"
#include "pg/relation.hpp"

namespace mvo::pg {

// Core's ANALYZE of a view that is locked, as part of the transaction, with an active snapshot; as
// the owner, restricted, with `settings` (name=value) in force, as functions in its indexes are
// run. Errors are the server's own. Returns how long it took.
core::Microseconds analyze(const LiveRelation& view, const std::vector<std::string>& settings);

// What has to be known of a view before its refresh to tell afterwards whether it changed much.
class SizeBefore {
 public:
  SizeBefore(const LiveRelation& view, bool read_later);

  // See core::needs_analyze(). False where mv_orchestrator.analyze_views is off.
  bool needs_analyze(const core::Refreshed& result) const;

 private:
  LiveRelation view_;
  bool read_later_;
  bool matters_;  // else the view is not even opened
  std::uint64_t pages_ = 0;
};

}  // namespace mvo::pg
