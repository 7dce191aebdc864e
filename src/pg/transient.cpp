#include <fmt/format.h>  // before the server, which redefines printf

#include "pg/transient.hpp"

#include "pg/compat.hpp"
#include "pg/failure.hpp"
#include "pg/progress.hpp"
#include "pg/view_indexes.hpp"

extern "C" {
#include <access/genam.h>
#include <catalog/index.h>
#include <commands/cluster.h>
#include <storage/lmgr.h>
}

namespace mvo::pg {
namespace {

// Autovacuum locks a TOAST table alone. It gives way to a lock that waits, but not to the short
// attempts of the exchange.
void lock_toast(Relation view) {
  const Oid toast = view->rd_rel->reltoastrelid;
  if (OidIsValid(toast)) call([&] { LockRelationOid(toast, ShareUpdateExclusiveLock); });
}

Oid make_transient_table(Relation view) {
  return call([&] {
    const Oid table =
        make_new_heap(RelationGetRelid(view), view->rd_rel->reltablespace, view->rd_rel->relam,
                      view->rd_rel->relpersistence, ExclusiveLock);
    LockRelationOid(table, AccessExclusiveLock);
    return table;
  });
}

Oid build_index(Oid table, Oid view_index) {
  return call([&] {
    Relation heap = table_open(table, NoLock);
    char name[NAMEDATALEN];
    snprintf(name, sizeof name, "pg_temp_%u_%u", table, view_index);
    const Oid oid =
        index_concurrently_create_copy(heap, view_index, get_rel_tablespace(view_index), name);
    CommandCounterIncrement();
    Relation index = index_open(oid, AccessExclusiveLock);
    IndexInfo* info = BuildIndexInfo(index);
    info->ii_ReadyForInserts = true;
    info->ii_Concurrent = false;
    info->ii_BrokenHotChain = false;
    // As a rebuild: the new heap has no HOT chains that would make the index wait for anybody.
    index_build(heap, index, info, true, true);
    index_close(index, NoLock);
    table_close(heap, NoLock);
    return oid;
  });
}

// The user knows the view's index, not the copy.
Oid build_named_index(Oid table, Oid view_index) {
  try {
    return build_index(table, view_index);
  } catch (PgError& error) {
    if (error.sqlstate() == ERRCODE_UNIQUE_VIOLATION) name_index(error, view_index);
    throw;
  }
}

}  // namespace

Transient make_transient(const core::Name& name, Relation view) {
  lock_toast(view);
  return {name, RelationGetRelid(view), make_transient_table(view), {}, 0};
}

void build_indexes(Transient& built, Relation view, const std::vector<Oid>& indexes) {
  for (const Oid index : indexes) {
    Progress::phase(fmt::format("index {} of {}", built.indexes.size() + 1, indexes.size()));
    built.indexes.emplace_back(index, build_named_index(built.table, index));
    check_indexes_are(view, indexes);
  }
}

}  // namespace mvo::pg
