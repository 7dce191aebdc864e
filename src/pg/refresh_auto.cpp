#include <fmt/format.h>  // before the server, which redefines printf

#include "core/automatic.hpp"
#include "pg/difference.hpp"
#include "pg/owner_run.hpp"
#include "pg/refresh.hpp"
#include "pg/transient.hpp"
#include "pg/view_indexes.hpp"

extern "C" {
#include <access/table.h>
}

namespace mvo::pg {
namespace {

std::string describe(const Difference& difference, std::size_t indexes) {
  const bool add = difference.too_much_to_add();
  return fmt::format(
      "diff gave up, more than {} percent of the rows {}: swapped instead",
      add ? core::most_added_percent(static_cast<int>(indexes)) : core::most_removed_percent,
      add ? "are new or changed" : "are gone");
}

core::Refreshed written(Difference& difference) {
  const std::uint64_t changes = difference.write();
  difference.end();
  return {static_cast<std::int64_t>(difference.rows()), static_cast<std::int64_t>(changes)};
}

// The query is not run again: what it gave is in the view or stored, and it goes on from there.
Transient built_from(Difference& difference, const core::Name& name, Relation view,
                     const std::vector<Oid>& indexes) {
  Transient built = make_transient(name, view);
  fill(built, [&](DestReceiver* receiver) {
    receiver->rStartup(receiver, CMD_SELECT, RelationGetDescr(view));
    difference.replay(receiver);
    receiver->rShutdown(receiver);
    return difference.rows();
  });
  difference.end();
  build_indexes(built, view, indexes);
  return built;
}

}  // namespace

core::Refreshed refresh_diff_or_swap(const core::Name& name, const LiveRelation& live,
                                     const std::vector<std::string>& settings,
                                     Exchanges& exchanges) {
  OwnerRun as_owner(live, settings);
  Relation view = open_to_write(live, "diff");
  const auto indexes = lock_indexes(view);
  Difference difference(view, true);
  std::optional<Transient> built;
  core::Refreshed result;
  if (difference.gave_up()) {
    built = built_from(difference, name, view, indexes);
    result = {static_cast<std::int64_t>(built->rows), std::nullopt,
              describe(difference, indexes.size()), true};
  } else {
    result = written(difference);
  }
  call([&] { table_close(view, NoLock); });
  as_owner.end();
  if (built) {
    exchange_files(*built);
    exchanges.add(*std::move(built));
  }
  return result;
}

}  // namespace mvo::pg
