#include "pg/step.hpp"

#include "core/error.hpp"
#include "pg/analyze.hpp"
#include "pg/compat.hpp"
#include "pg/identity.hpp"
#include "pg/locks.hpp"
#include "pg/progress.hpp"
#include "pg/recorded_settings.hpp"
#include "pg/refresh.hpp"
#include "pg/view_query.hpp"

extern "C" {
#include <access/table.h>
}

namespace mvo::pg {
namespace {

using core::Code;
using core::Error;

// The recorded search_path is what a definition's functions look things up in; TimeZone and the
// like stay the caller's, as with core's REFRESH. A registration that is not the owner's own says
// nothing about where the owner's query finds things.
std::vector<std::string> settings_for(const LiveRelation& view, const RunFacts& facts) {
  if (compat::server_locks_search_path) return {};
  if (facts.author != view.owner) return {};
  return search_path_of(facts.settings);
}

}  // namespace

void lock_sources(const core::Name& view) {
  const LiveRelation live = get_locked_view(view);
  const Identity owner(live.owner, Trust::restricted);
  call([&] {
    Relation relation = table_open(live.oid, NoLock);
    lock_view_sources(relation);
    table_close(relation, NoLock);
  });
}

void check_not_missed(const core::Name& view, const RunSnapshot& snapshot) {
  const auto relation = find_relation(view);
  if (relation && !snapshot.misses(relation->changed_by)) return;
  throw Error{Code::changed_after_snapshot, "it was changed after this transaction's snapshot",
              "An older image must not replace a newer one.", "Retry the transaction."};
}

core::Refreshed refresh_step(const core::Step& step, const core::Name& view,
                             const RunSnapshot& snapshot, const RunFacts& facts,
                             Exchanges& exchanges, bool read_later) {
  const LiveRelation live = get_locked_view(view);
  const auto settings = settings_for(live, facts);
  const SizeBefore before(live, read_later);
  Progress::phase("query");
  core::Refreshed result =
      snapshot.run([&] { return refresh_in(step, view, live, settings, exchanges); });
  if (before.needs_analyze(result)) {
    Progress::phase("analyze");
    result.analyzing = snapshot.run([&] { return analyze(live, settings); });
  }
  return result;
}

void add_detail(core::Refreshed& result, const std::string& text) {
  if (!result.detail.empty() && !text.empty()) result.detail += "; ";
  result.detail += text;
}

}  // namespace mvo::pg
