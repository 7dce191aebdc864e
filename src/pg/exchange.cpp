#include "pg/exchange.hpp"

#include <utility>

#include "pg/compat.hpp"
#include "pg/exclusive_locks.hpp"
#include "pg/failure.hpp"
#include "pg/progress.hpp"
#include "pg/relation.hpp"

extern "C" {
#include <access/relation.h>
#include <access/table.h>
#include <access/toast_internals.h>
#include <access/visibilitymap.h>
#include <catalog/dependency.h>
#include <catalog/indexing.h>
#include <commands/tablecmds.h>
#include <pgstat.h>
#include <storage/bufmgr.h>
#include <storage/smgr.h>
#include <utils/rel.h>
#include <utils/relcache.h>
}

namespace mvo::pg {
namespace {

HeapTuple class_row(Oid relation) {
  HeapTuple tuple = SearchSysCacheCopy1(RELOID, ObjectIdGetDatum(relation));
  if (!HeapTupleIsValid(tuple)) elog(ERROR, "cache lookup failed for relation %u", relation);
  return tuple;
}

void exchange_rows(Form_pg_class view, Form_pg_class built) {
  std::swap(view->relfilenode, built->relfilenode);
  std::swap(view->reltablespace, built->reltablespace);
  std::swap(view->relpages, built->relpages);
  std::swap(view->reltuples, built->reltuples);
  std::swap(view->relallvisible, built->relallvisible);
  compat::exchange_all_frozen(view, built);
  if (view->relkind == RELKIND_INDEX) return;
  std::swap(view->reltoastrelid, built->reltoastrelid);
  std::swap(view->relfrozenxid, built->relfrozenxid);
  std::swap(view->relminmxid, built->relminmxid);
  view->relispopulated = true;
}

// Building an index counts, too. Where there is none, what reads a small view would else be planned
// for thousands of rows.
void count_pages(Form_pg_class row, const Transient& built) {
  Relation table = table_open(built.table, NoLock);
  BlockNumber visible;
  visibilitymap_count(table, &visible, nullptr);
  row->relpages = static_cast<std::int32_t>(RelationGetNumberOfBlocks(table));
  row->reltuples = static_cast<float4>(built.rows);
  row->relallvisible = static_cast<std::int32_t>(visible);
  table_close(table, NoLock);
}

// That the view's file is new in this subtransaction decides what is logged and what is unlinked
// at its end; the same is done after core's exchange.
void note_new_file(Oid view, Oid built) {
  Relation view_relation = relation_open(view, NoLock);
  Relation built_relation = relation_open(built, NoLock);
  compat::assume_new_file(view_relation, built_relation);
  relation_close(view_relation, NoLock);
  relation_close(built_relation, NoLock);
}

void make_toast_depend_on(Oid toast, Oid owner) {
  if (!OidIsValid(toast)) return;
  const long count = deleteDependencyRecordsFor(RelationRelationId, toast, false);
  if (count != 1) elog(ERROR, "expected one dependency record for TOAST table, found %ld", count);
  ObjectAddress owner_address, toast_address;
  ObjectAddressSet(owner_address, RelationRelationId, owner);
  ObjectAddressSet(toast_address, RelationRelationId, toast);
  recordDependencyOn(&toast_address, &owner_address, DEPENDENCY_INTERNAL);
}

void exchange_pair(Relation catalog, Oid view, Oid built, const Transient* uncounted = nullptr) {
  HeapTuple view_row = class_row(view), built_row = class_row(built);
  auto* view_form = reinterpret_cast<Form_pg_class>(GETSTRUCT(view_row));
  auto* built_form = reinterpret_cast<Form_pg_class>(GETSTRUCT(built_row));
  exchange_rows(view_form, built_form);
  if (uncounted != nullptr) count_pages(view_form, *uncounted);
  note_new_file(view, built);
  CatalogTupleUpdate(catalog, &view_row->t_self, view_row);
  CatalogTupleUpdate(catalog, &built_row->t_self, built_row);
  if (view_form->relkind != RELKIND_INDEX) {
    make_toast_depend_on(view_form->reltoastrelid, view);
    make_toast_depend_on(built_form->reltoastrelid, built);
  }
  compat::close_storage(view);
  compat::close_storage(built);
}

// With wal_level = minimal the new files were not logged: they are written out now, while readers
// still go on, and not at commit, when they no longer do.
void write_out(Oid oid) {
  Relation relation = relation_open(oid, NoLock);
  if (!RelationNeedsWAL(relation)) {
    FlushRelationBuffers(relation);
    smgrimmedsync(RelationGetSmgr(relation), MAIN_FORKNUM);
  }
  const Oid toast = relation->rd_rel->reltoastrelid;
  relation_close(relation, NoLock);
  if (OidIsValid(toast)) write_out(toast);
}

// The TOAST table was made for the transient table and bears its name.
void rename_toast(Oid view) {
  Relation relation = table_open(view, NoLock);
  const Oid toast = relation->rd_rel->reltoastrelid;
  if (OidIsValid(toast)) {
    const Oid index = toast_get_valid_index(toast, AccessExclusiveLock);
    char name[NAMEDATALEN];
    snprintf(name, sizeof name, "pg_toast_%u", view);
    RenameRelationInternal(toast, name, true, false);
    snprintf(name, sizeof name, "pg_toast_%u_index", view);
    RenameRelationInternal(index, name, true, true);
    CommandCounterIncrement();
    ResetRelRewrite(toast);
  }
  table_close(relation, NoLock);
}

void drop_transient(Oid table) {
  ObjectAddress address;
  ObjectAddressSet(address, RelationRelationId, table);
  performDeletion(&address, DROP_RESTRICT, PERFORM_DELETION_INTERNAL);
}

void count_rows(const Transient& built) {
  Relation relation = table_open(built.view, NoLock);
  pgstat_count_truncate(relation);
  pgstat_count_heap_insert(relation, static_cast<PgStat_Counter>(built.rows));
  table_close(relation, NoLock);
}

Oid toast_of(Oid table) {
  Relation relation = table_open(table, NoLock);
  const Oid toast = relation->rd_rel->reltoastrelid;
  table_close(relation, NoLock);
  return toast;
}

}  // namespace

void exchange_files(const Transient& built) {
  call([&] {
    Relation catalog = table_open(RelationRelationId, RowExclusiveLock);
    exchange_pair(catalog, built.view, built.table, built.indexes.empty() ? &built : nullptr);
    for (const auto& index : built.indexes) exchange_pair(catalog, index.first, index.second);
    table_close(catalog, RowExclusiveLock);
    CommandCounterIncrement();
    write_out(built.view);
    for (const auto& index : built.indexes) write_out(index.first);
  });
}

void Exchanges::lock() {
  if (exchanged_.empty()) return;
  Progress::phase("exchange");
  std::vector<ExclusiveLockRequest> wanted;
  for (const Transient& built : exchanged_) {
    naming("refresh", built.name, [&] {
      check_not_dropped(built.view);
      check_not_dropped(built.table, "the table that has its old files");
    });
    ExclusiveLockRequest request{built.name, {built.view}};
    for (const auto& index : built.indexes) request.relations.push_back(index.first);
    // Autovacuum locks a TOAST table alone.
    if (const Oid toast = call([&] { return toast_of(built.table); }); OidIsValid(toast))
      request.relations.push_back(toast);
    wanted.push_back(std::move(request));
  }
  take_exclusive_locks(wanted);
}

void Exchanges::finish() {
  for (const Transient& built : exchanged_)
    naming("refresh", built.name, [&] {
      call([&] {
        drop_transient(built.table);
        rename_toast(built.view);
        count_rows(built);
      });
    });
  exchanged_.clear();
}

}  // namespace mvo::pg
