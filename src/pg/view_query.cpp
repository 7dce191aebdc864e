#include "pg/view_query.hpp"

#include "pg/compat.hpp"

extern "C" {
#include <executor/executor.h>
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

PlannedStmt* plan_of(Query* query, const char* text) {
  AcquireRewriteLocks(query, true, false);
  List* rewritten = QueryRewrite(query);
  if (list_length(rewritten) != 1) elog(ERROR, "unexpected rewrite result for a view's query");
  CHECK_FOR_INTERRUPTS();
  return pg_plan_query(static_cast<Query*>(linitial(rewritten)), text, CURSOR_OPT_PARALLEL_OK,
                       nullptr);
}

}  // namespace

std::uint64_t run_view_query(Relation view, DestReceiver* receiver) {
  const char* text = "SELECT of a materialized view";
  PlannedStmt* plan = plan_of(query_of(view), text);
  // Planning may have run functions: what they did is to be seen.
  PushCopiedSnapshot(GetActiveSnapshot());
  UpdateActiveSnapshotCommandId();
  QueryDesc* query = CreateQueryDesc(plan, text, GetActiveSnapshot(), InvalidSnapshot, receiver,
                                     nullptr, nullptr, 0);
  ExecutorStart(query, 0);
  compat::run_executor(query);
  const std::uint64_t rows = query->estate->es_processed;
  ExecutorFinish(query);
  ExecutorEnd(query);
  FreeQueryDesc(query);
  PopActiveSnapshot();
  return rows;
}

}  // namespace mvo::pg
