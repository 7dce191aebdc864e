#include "pg/view_query.hpp"

#include "pg/compat.hpp"

extern "C" {
#include <catalog/pg_inherits.h>
#include <executor/executor.h>
#include <nodes/nodeFuncs.h>
#include <rewrite/prs2lock.h>
#include <rewrite/rewriteHandler.h>
#include <tcop/tcopprot.h>
#include <utils/snapmgr.h>
}

namespace mvo::pg {
namespace {

// A materialized view has exactly one rule, ON SELECT DO INSTEAD, of exactly one query.
Query* query_of(Relation view) {
  const RuleLock* rules = view->rd_rules;
  if (!view->rd_rel->relhasrules || rules == nullptr || rules->numLocks != 1 ||
      rules->rules[0]->event != CMD_SELECT || list_length(rules->rules[0]->actions) != 1)
    elog(ERROR, "materialized view \"%s\" has no proper rewrite rule",
         RelationGetRelationName(view));
  // A copy: what follows scribbles on it.
  return static_cast<Query*>(copyObjectImpl(linitial(rules->rules[0]->actions)));
}

// With the views that it reads put in, and locks on all that it names.
Query* rewrite(Query* query) {
  AcquireRewriteLocks(query, true, false);
  List* rewritten = QueryRewrite(query);
  if (list_length(rewritten) != 1) elog(ERROR, "unexpected rewrite result for a view's query");
  return static_cast<Query*>(linitial(rewritten));
}

// What rewriting leaves to planning.
bool lock_children(Node* node, void*) {
  if (node == nullptr) return false;
  if (IsA(node, RangeTblEntry)) {
    const auto* entry = castNode(RangeTblEntry, node);
    if (entry->rtekind == RTE_RELATION && entry->inh)
      (void)find_all_inheritors(entry->relid, AccessShareLock, nullptr);
    return false;
  }
  if (IsA(node, Query)) return compat::walk_query(castNode(Query, node), lock_children);
  return compat::walk_expression(node, lock_children);
}

}  // namespace

void lock_view_sources(Relation view) {
  (void)lock_children(reinterpret_cast<Node*>(rewrite(query_of(view))), nullptr);
}

void ViewQuery::open(Relation view) {
  const char* text = "SELECT of a materialized view";
  Query* rewritten = rewrite(query_of(view));
  CHECK_FOR_INTERRUPTS();
  PlannedStmt* plan = pg_plan_query(rewritten, text, CURSOR_OPT_PARALLEL_OK, nullptr);
  // Planning may have run functions: what they did is to be seen.
  PushCopiedSnapshot(GetActiveSnapshot());
  UpdateActiveSnapshotCommandId();
  query_ = CreateQueryDesc(plan, text, GetActiveSnapshot(), InvalidSnapshot, nullptr, nullptr,
                           nullptr, 0);
  ExecutorStart(query_, 0);
}

std::uint64_t ViewQuery::run(DestReceiver* receiver) {
  query_->dest = receiver;
  compat::run_executor(query_, !can_go_on());
  return query_->estate->es_processed;
}

void ViewQuery::close() {
  ExecutorFinish(query_);
  ExecutorEnd(query_);
  FreeQueryDesc(query_);
  PopActiveSnapshot();
}

}  // namespace mvo::pg
