#include "core/error.hpp"
#include "pg/difference.hpp"
#include "pg/owner_run.hpp"
#include "pg/refresh.hpp"
#include "pg/view_indexes.hpp"

extern "C" {
#include <access/table.h>
}

namespace mvo::pg {

core::Refreshed refresh_diff(const LiveRelation& view, const std::vector<std::string>& settings) {
  if (!view.populated)
    throw core::Error{core::Code::not_ready,
                      "mode \"diff\" needs a materialized view that is populated",
                      {},
                      "Refresh it once in mode \"plain\" or \"swap\"."};
  OwnerRun as_owner(view, settings);
  Relation relation = open_to_write(view, "diff");
  (void)lock_indexes(relation);
  Difference difference(relation, false);
  const std::uint64_t changes = difference.write();
  difference.end();
  call([&] { table_close(relation, NoLock); });
  as_owner.end();
  return {static_cast<std::int64_t>(difference.rows()), static_cast<std::int64_t>(changes)};
}

}  // namespace mvo::pg
