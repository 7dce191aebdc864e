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
  explicit SizeBefore(const LiveRelation& view);

  // See core::needs_analyze(). False where mv_orchestrator.analyze_views is off.
  bool needs_analyze(const core::Refreshed& result, bool read_later) const;

 private:
  LiveRelation view_;
  std::uint64_t pages_;
};

}  // namespace mvo::pg
