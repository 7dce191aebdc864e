// Everything that depends on the server's version. No other file names PG_VERSION_NUM.
#pragma once

#include "pg/prelude.hpp"

extern "C" {
#include <access/tableam.h>
#include <catalog/pg_namespace.h>
#include <commands/tablecmds.h>
#include <executor/executor.h>
#include <nodes/nodeFuncs.h>
#include <storage/lock.h>
#include <storage/proc.h>
#include <storage/procarray.h>
#include <storage/sinvaladt.h>
#include <utils/rel.h>
#include <utils/relcache.h>
}

#if PG_VERSION_NUM < 150000
#error "mv_orchestrator needs PostgreSQL 15 or later"
#endif

namespace mvo::pg::compat {

inline bool owns_relation(Oid relation, Oid role) {
#if PG_VERSION_NUM >= 160000
  return object_ownercheck(RelationRelationId, relation, role);
#else
  return pg_class_ownercheck(relation, role);
#endif
}

inline bool owns_schema(Oid schema, Oid role) {
#if PG_VERSION_NUM >= 160000
  return object_ownercheck(NamespaceRelationId, schema, role);
#else
  return pg_namespace_ownercheck(schema, role);
#endif
}

// `right`: ACL_USAGE or ACL_CREATE.
inline bool has_schema_right(Oid schema, Oid role, AclMode right) {
#if PG_VERSION_NUM >= 160000
  return object_aclcheck(NamespaceRelationId, schema, role, right) == ACLCHECK_OK;
#else
  return pg_namespace_aclcheck(schema, role, right) == ACLCHECK_OK;
#endif
}

// What core's REFRESH asks of the caller.
inline bool may_refresh(Oid relation, Oid role) {
#if PG_VERSION_NUM >= 170000
  return pg_class_aclcheck(relation, role, ACL_MAINTAIN) == ACLCHECK_OK;
#else
  return owns_relation(relation, role);
#endif
}

// Checks the right to refresh as a relation is looked up by name, before it is locked.
inline RangeVarGetRelidCallback refresh_callback() {
#if PG_VERSION_NUM >= 170000
  return RangeVarCallbackMaintainsTable;
#else
  return RangeVarCallbackOwnsTable;
#endif
}

inline void check_can_become(Oid role, Oid other) {
#if PG_VERSION_NUM >= 160000
  check_can_set_role(role, other);
#else
  check_is_member_of_role(role, other);
#endif
}

// The search_path of core's REFRESH, where it has one of its own.
inline void restrict_search_path() {
#if PG_VERSION_NUM >= 170000
  RestrictSearchPath();
#endif
}

// `once`: it will not be run on when it stops; otherwise parallel workers are not used.
inline void run_executor(QueryDesc* query, [[maybe_unused]] bool once) {
#if PG_VERSION_NUM >= 180000
  ExecutorRun(query, ForwardScanDirection, 0);
#else
  ExecutorRun(query, ForwardScanDirection, 0, once);
#endif
}

inline void insert_index_tuples(ResultRelInfo* target, TupleTableSlot* row, EState* executor) {
#if PG_VERSION_NUM >= 160000
  (void)ExecInsertIndexTuples(target, row, executor, false, false, nullptr, NIL, false);
#else
  (void)ExecInsertIndexTuples(target, row, executor, false, false, nullptr, NIL);
#endif
}

// Updates a row in place and gives it the index entries that it needs: none where it stays in the
// old one's HOT chain. The indexes are not told that it is an update: the search for old versions
// that they then make costs more than it brings here.
inline void update_row(ResultRelInfo* target, ItemPointer place, TupleTableSlot* row,
                       EState* executor) {
#if PG_VERSION_NUM >= 160000
  TU_UpdateIndexes needed;
  simple_table_tuple_update(target->ri_RelationDesc, place, row, InvalidSnapshot, &needed);
  if (needed != TU_None)
    (void)ExecInsertIndexTuples(target, row, executor, false, false, nullptr, NIL,
                                needed == TU_Summarizing);
#else
  bool needed;
  simple_table_tuple_update(target->ri_RelationDesc, place, row, InvalidSnapshot, &needed);
  if (needed) insert_index_tuples(target, row, executor);
#endif
}

inline void exchange_all_frozen([[maybe_unused]] Form_pg_class a,
                                [[maybe_unused]] Form_pg_class b) {
#if PG_VERSION_NUM >= 180000
  std::swap(a->relallfrozen, b->relallfrozen);
#endif
}

// After an exchange: `taker` has a file that is new in this subtransaction, `giver` the one that
// `taker` had.
inline void assume_new_file(Relation taker, Relation giver) {
  giver->rd_createSubid = taker->rd_createSubid;
#if PG_VERSION_NUM >= 160000
  giver->rd_newRelfilelocatorSubid = taker->rd_newRelfilelocatorSubid;
  giver->rd_firstRelfilelocatorSubid = taker->rd_firstRelfilelocatorSubid;
  RelationAssumeNewRelfilelocator(taker);
#else
  giver->rd_newRelfilenodeSubid = taker->rd_newRelfilenodeSubid;
  giver->rd_firstRelfilenodeSubid = taker->rd_firstRelfilenodeSubid;
  RelationAssumeNewRelfilenode(taker);
#endif
}

// Before 17 a relcache entry could keep a link to the other's file.
inline void close_storage([[maybe_unused]] Oid relation) {
#if PG_VERSION_NUM < 170000
  RelationCloseSmgrByOid(relation);
#endif
}

inline bool holds_lock(const LOCKTAG& tag, LOCKMODE mode) {
#if PG_VERSION_NUM >= 170000
  return LockHeldByMe(&tag, mode, false);
#else
  return LockHeldByMe(&tag, mode);
#endif
}

// 0 for a prepared transaction: it keeps its number, its process goes on with another one.
inline int process_id(const VirtualTransactionId& transaction) {
#if PG_VERSION_NUM >= 170000
  PGPROC* process = ProcNumberGetProc(transaction.procNumber);
  const bool same = process != nullptr && process->vxid.lxid == transaction.localTransactionId;
#else
  PGPROC* process = BackendIdGetProc(transaction.backendId);
  const bool same = process != nullptr && process->lxid == transaction.localTransactionId;
#endif
  return same ? process->pid : 0;
}

// Walk an analysed query, each range table entry first, and what is below an expression; the walker
// is called for each child and returns true to stop.
using Walker = bool (*)(Node*, void*);

inline bool walk_query(Query* query, Walker walker, void* context = nullptr) {
#if PG_VERSION_NUM >= 160000
  return query_tree_walker_impl(query, walker, context, QTW_EXAMINE_RTES_BEFORE);
#else
  return query_tree_walker(query,
                           reinterpret_cast<bool (*)()>(reinterpret_cast<void (*)()>(walker)),
                           context, QTW_EXAMINE_RTES_BEFORE);
#endif
}

inline bool walk_expression(Node* node, Walker walker, void* context = nullptr) {
#if PG_VERSION_NUM >= 160000
  return expression_tree_walker_impl(node, walker, context);
#else
  return expression_tree_walker(
      node, reinterpret_cast<bool (*)()>(reinterpret_cast<void (*)()>(walker)), context);
#endif
}

// Walks a raw parse tree; the walker is called for each child and returns true to stop.
template <class Context>
bool walk_raw_tree(Node* node, bool (*walker)(Node*, Context*), Context* context) {
#if PG_VERSION_NUM >= 160000
  return raw_expression_tree_walker_impl(
      node, reinterpret_cast<tree_walker_callback>(reinterpret_cast<void (*)()>(walker)), context);
#else
  // Through void (*)(), the one function type that may be cast to any other without a warning.
  return raw_expression_tree_walker(
      node, reinterpret_cast<bool (*)()>(reinterpret_cast<void (*)()>(walker)), context);
#endif
}

// From 17 on the server itself runs a view's query with a locked search_path.
inline constexpr bool server_locks_search_path = PG_VERSION_NUM >= 170000;

}  // namespace mvo::pg::compat
