#include "pg/view_calls.hpp"

#include "pg/compat.hpp"

extern "C" {
#include <access/relation.h>
#include <catalog/pg_proc.h>
#include <nodes/nodeFuncs.h>
#include <rewrite/prs2lock.h>
#include <utils/fmgroids.h>
#include <utils/rel.h>
}

namespace mvo::pg {
namespace {

// The walkers are called by the server's own code, so they keep what they find in its lists.
struct Found {
  List* functions;
  List* views;
  List* unstable;  // of const char*
};

struct Scope {
  Found* found;
  const Query* query;
};

void note(Found* found, const char* what) {
  found->unstable = list_append_unique_ptr(found->unstable, const_cast<char*>(what));
}

bool note_function(Oid function, void* context) {
  auto* found = static_cast<Found*>(context);
  found->functions = list_append_unique_oid(found->functions, function);
  return false;
}

void note_query(const Query* query, Found* found) {
  const auto* limit = reinterpret_cast<Const*>(query->limitCount);
  const bool limits = limit != nullptr && !(IsA(limit, Const) && limit->constisnull);
  if ((limits || query->limitOffset != nullptr) && query->sortClause == NIL)
    note(found, "LIMIT or OFFSET without ORDER BY");
  if (query->hasDistinctOn && list_length(query->sortClause) <= list_length(query->distinctClause))
    note(found, "DISTINCT ON without an ORDER BY that chooses the row");
}

void note_value_function(const SQLValueFunction* function, Found* found) {
  switch (function->op) {
    case SVFOP_CURRENT_DATE:
      return note(found, "CURRENT_DATE");
    case SVFOP_CURRENT_TIME:
    case SVFOP_CURRENT_TIME_N:
      return note(found, "CURRENT_TIME");
    case SVFOP_CURRENT_TIMESTAMP:
    case SVFOP_CURRENT_TIMESTAMP_N:
      return note(found, "CURRENT_TIMESTAMP");
    case SVFOP_LOCALTIME:
    case SVFOP_LOCALTIME_N:
      return note(found, "LOCALTIME");
    case SVFOP_LOCALTIMESTAMP:
    case SVFOP_LOCALTIMESTAMP_N:
      return note(found, "LOCALTIMESTAMP");
    case SVFOP_SESSION_USER:
      return note(found, "SESSION_USER");
    default:
      return;
  }
}

// Those whose result depends on the order of the rows even over a whole partition.
const char* order_dependent(Oid function) {
  switch (function) {
    case F_ROW_NUMBER:
      return "row_number() without ORDER BY";
    case F_NTILE:
      return "ntile() without ORDER BY";
    case F_LAG_ANYELEMENT:
    case F_LAG_ANYELEMENT_INT4:
    case F_LAG_ANYCOMPATIBLE_INT4_ANYCOMPATIBLE:
      return "lag() without ORDER BY";
    case F_LEAD_ANYELEMENT:
    case F_LEAD_ANYELEMENT_INT4:
    case F_LEAD_ANYCOMPATIBLE_INT4_ANYCOMPATIBLE:
      return "lead() without ORDER BY";
    case F_FIRST_VALUE:
      return "first_value() without ORDER BY";
    case F_LAST_VALUE:
      return "last_value() without ORDER BY";
    case F_NTH_VALUE:
      return "nth_value() without ORDER BY";
    default:
      return nullptr;
  }
}

void note_window_function(const WindowFunc* function, const Scope* scope) {
  const char* what = order_dependent(function->winfnoid);
  if (what == nullptr || scope->query == nullptr) return;
  for (int i = 0; i < list_length(scope->query->windowClause); ++i) {
    const auto* window = static_cast<WindowClause*>(list_nth(scope->query->windowClause, i));
    if (window->winref == function->winref && window->orderClause == NIL) note(scope->found, what);
  }
}

bool walk(Node* node, void* context) {
  if (node == nullptr) return false;
  auto* scope = static_cast<Scope*>(context);
  (void)check_functions_in_node(node, note_function, scope->found);
  switch (nodeTag(node)) {
    case T_Query: {
      auto* query = castNode(Query, node);
      note_query(query, scope->found);
      Scope inner{scope->found, query};
      return compat::walk_query(query, walk, &inner);
    }
    case T_RangeTblEntry: {
      const auto* entry = castNode(RangeTblEntry, node);
      if (entry->rtekind == RTE_RELATION && entry->relkind == RELKIND_VIEW)
        scope->found->views = list_append_unique_oid(scope->found->views, entry->relid);
      return false;  // the server walks what is below
    }
    case T_SQLValueFunction:
      note_value_function(castNode(SQLValueFunction, node), scope->found);
      break;
    case T_WindowFunc:
      note_window_function(castNode(WindowFunc, node), scope);
      break;
    case T_TableSampleClause:
      if (castNode(TableSampleClause, node)->repeatable == nullptr)
        note(scope->found, "TABLESAMPLE without REPEATABLE");
      break;
    default:
      break;
  }
  return compat::walk_expression(node, walk, context);
}

void walk_tree(Node* tree, Found* found) {
  Scope scope{found, nullptr};
  (void)walk(tree, &scope);
}

// A copy of what a view's rule says; null when it has none.
Node* query_of(Oid view) {
  Relation relation = relation_open(view, AccessShareLock);
  const RuleLock* rules = relation->rd_rules;
  Node* query = nullptr;
  for (int i = 0; rules != nullptr && i < rules->numLocks; ++i)
    if (rules->rules[i]->event == CMD_SELECT && rules->rules[i]->actions != NIL)
      query = static_cast<Node*>(copyObjectImpl(linitial(rules->rules[i]->actions)));
  relation_close(relation, NoLock);
  return query;
}

// The parsed body of an SQL function; null when it is a string, or the function is gone.
Node* body_of(Oid function) {
  HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
  if (!HeapTupleIsValid(tuple)) return nullptr;
  bool null = true;
  const Datum body = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosqlbody, &null);
  Node* tree = null ? nullptr : static_cast<Node*>(stringToNode(TextDatumGetCString(body)));
  ReleaseSysCache(tuple);
  return tree;
}

// The lists grow while they are read.
void walk_what_is_called(Found* found) {
  int views = 0, functions = 0;
  while (views < list_length(found->views) || functions < list_length(found->functions)) {
    CHECK_FOR_INTERRUPTS();
    Node* tree = views < list_length(found->views)
                     ? query_of(list_nth_oid(found->views, views++))
                     : body_of(list_nth_oid(found->functions, functions++));
    walk_tree(tree, found);
  }
}

Calls calls_found(const Found& found) {
  Calls calls;
  for (int i = 0; i < list_length(found.functions); ++i)
    calls.functions.push_back(list_nth_oid(found.functions, i));
  for (int i = 0; i < list_length(found.unstable); ++i)
    calls.unstable.emplace_back(static_cast<const char*>(list_nth(found.unstable, i)));
  return calls;
}

}  // namespace

Calls calls_of_view(Oid view) {
  Found found{};
  call([&] {
    found.views = list_make1_oid(view);
    walk_what_is_called(&found);
  });
  return calls_found(found);
}

Calls calls_of_query(Query* query) {
  Found found{};
  call([&] {
    walk_tree(reinterpret_cast<Node*>(query), &found);
    walk_what_is_called(&found);
  });
  return calls_found(found);
}

}  // namespace mvo::pg
