#include "pg/owner_run.hpp"
#include "pg/refresh.hpp"
#include "pg/transient.hpp"
#include "pg/view_indexes.hpp"
#include "pg/view_query.hpp"

extern "C" {
#include <access/table.h>
}

namespace mvo::pg {
namespace {

std::uint64_t run_query(Relation view, DestReceiver* receiver) {
  ViewQuery query;
  query.open(view);
  const std::uint64_t rows = query.run(receiver);
  query.close();
  return rows;
}

}  // namespace

core::Refreshed refresh_swap(const core::Name& name, const LiveRelation& live,
                             const std::vector<std::string>& settings, Exchanges& exchanges) {
  OwnerRun as_owner(live, settings);
  Relation view = open_to_write(live, "swap");
  const auto indexes = lock_indexes(view);
  Transient built = make_transient(name, view);
  fill(built, [&](DestReceiver* receiver) { return run_query(view, receiver); });
  build_indexes(built, view, indexes);
  call([&] { table_close(view, NoLock); });
  as_owner.end();
  exchange_files(built);
  const auto rows = static_cast<std::int64_t>(built.rows);
  exchanges.add(std::move(built));
  return {rows, std::nullopt};
}

}  // namespace mvo::pg
