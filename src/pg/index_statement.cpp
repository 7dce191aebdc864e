#include "pg/index_statement.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "pg/datum.hpp"
#include "pg/failure.hpp"
#include "pg/index_match.hpp"
#include "pg/relation.hpp"
#include "pg/utility.hpp"

extern "C" {
#include <access/genam.h>
#include <access/htup_details.h>
#include <access/table.h>
#include <catalog/pg_index.h>
#include <parser/parse_utilcmd.h>
#include <storage/lmgr.h>
#include <tcop/tcopprot.h>
#include <utils/fmgrprotos.h>
#include <utils/rel.h>
#include <utils/relcache.h>
}

namespace mvo::pg {
namespace {

using core::Code;
using core::Error;

IndexStmt* parse_index_statement(const std::string& text) {
  List* statements = NIL;
  try {
    statements = call([&] { return pg_parse_query(text.c_str()); });
  } catch (PgError& error) {
    place_in_query(error, text);
    throw;
  }
  Node* node =
      list_length(statements) == 1 ? static_cast<RawStmt*>(linitial(statements))->stmt : nullptr;
  if (node == nullptr || !IsA(node, IndexStmt))
    throw Error{Code::syntax, "index must be a single CREATE INDEX statement",
                "The statement is: " + text};
  return castNode(IndexStmt, node);
}

// The unique key as the statement that a user would have written, for the server to name.
IndexStmt* unique_key_statement(const Registration& registration) {
  return call([&] {
    auto* statement = makeNode(IndexStmt);
    statement->accessMethod = pstrdup("btree");
    statement->unique = true;
    for (const std::string& column : registration.unique_key) {
      auto* element = makeNode(IndexElem);
      element->name = pstrdup(column.c_str());
      element->ordering = SORTBY_DEFAULT;
      element->nulls_ordering = SORTBY_NULLS_DEFAULT;
      statement->indexParams = lappend(statement->indexParams, element);
    }
    return statement;
  });
}

std::string print_unique_key(const Registration& registration) {
  std::string columns;
  for (const std::string& column : registration.unique_key)
    columns += (columns.empty() ? "" : ", ") + print(column);
  return "CREATE UNIQUE INDEX ON " + print(registration.name) + " (" + columns + ")";
}

struct LiveIndex {
  Oid oid;
  std::string name;
  bool is_key = false;  // unique, valid, immediate, whole, on columns alone
  std::vector<std::string> columns = {};
};

LiveIndex describe_index(Oid oid) {
  const char* name = nullptr;
  bool is_key = false;
  int column_count = 0;
  const char* columns[INDEX_MAX_KEYS];
  call([&] {
    Relation index = index_open(oid, AccessShareLock);
    const Form_pg_index row = index->rd_index;
    name = pstrdup(RelationGetRelationName(index));
    // Not by RelationGetIndexExpressions(), which folds constants: that runs the owner's functions.
    is_key = row->indisunique && row->indisvalid && row->indimmediate &&
             heap_attisnull(index->rd_indextuple, Anum_pg_index_indexprs, nullptr) &&
             heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, nullptr);
    if (is_key)
      for (int i = 0; i < row->indnkeyatts; ++i)
        columns[column_count++] = get_attname(row->indrelid, row->indkey.values[i], false);
    index_close(index, AccessShareLock);
  });
  return {oid, name, is_key, {columns, columns + column_count}};
}

std::vector<LiveIndex> indexes_of(Oid view) {
  List* oids = call([&] {
    Relation relation = table_open(view, AccessShareLock);
    List* list = RelationGetIndexList(relation);
    table_close(relation, NoLock);
    return list;
  });
  std::vector<LiveIndex> indexes;
  for (int i = 0; i < list_length(oids); ++i)
    indexes.push_back(describe_index(list_nth_oid(oids, i)));
  return indexes;
}

bool has_key(const std::vector<LiveIndex>& indexes, std::vector<std::string> key) {
  std::ranges::sort(key);
  return std::ranges::any_of(indexes, [&](LiveIndex index) {
    std::ranges::sort(index.columns);
    return index.is_key && index.columns == key;
  });
}

// Whether the view has the index; one of that name that is plainly another is an error.
bool has_index(const std::vector<LiveIndex>& indexes, const IndexStmt* statement) {
  const auto found = std::ranges::find(indexes, statement->idxname, &LiveIndex::name);
  if (found == indexes.end()) return false;
  const Datum printed =
      call([&] { return DirectFunctionCall1(pg_get_indexdef, ObjectIdGetDatum(found->oid)); });
  if (!may_be_same_index(parse_index_statement(to_string(printed)), statement))
    throw Error{Code::name_taken,
                "index " + print(found->name) + " exists and is not the registered one",
                "The index is: " + to_string(printed), "Drop the index or register it as it is."};
  return true;
}

// What is executed is the statement as it was analysed, never analysed again.
void create_index(IndexStmt* statement, const Registration& registration, Oid view,
                  const std::string& text) {
  statement->relation = range_var(registration.name);
  try {
    call([&] { LockRelationOid(view, ShareLock); });  // what CREATE INDEX takes
    check_not_dropped(view);
    IndexStmt* analysed = call([&] { return transformIndexStmt(view, statement, text.c_str()); });
    run_utility(reinterpret_cast<Node*>(analysed), text);
  } catch (PgError& error) {
    place_in_query(error, text);
    if (error.data().internalquery == nullptr) add_statement(error, text);
    throw;
  }
}

// The statements for what the view lacks.
std::vector<std::pair<IndexStmt*, std::string>> missing_indexes(const Registration& registration,
                                                                Oid view) {
  const auto indexes = indexes_of(view);
  std::vector<std::pair<IndexStmt*, std::string>> missing;
  if (!registration.unique_key.empty() && !has_key(indexes, registration.unique_key))
    missing.emplace_back(unique_key_statement(registration), print_unique_key(registration));
  for (const std::string& text : registration.indexes) {
    IndexStmt* statement = parse_index_statement(text);
    if (!has_index(indexes, statement)) missing.emplace_back(statement, text);
  }
  return missing;
}

}  // namespace

void check_index_statement(const std::string& text, const core::Name& view) {
  const IndexStmt* statement = parse_index_statement(text);
  const RangeVar* table = statement->relation;
  if (table->relname != view.name || table->catalogname != nullptr ||
      (table->schemaname != nullptr && table->schemaname != view.schema))
    throw Error{Code::syntax, "index statement is on another relation",
                "The statement is: " + text};
  if (statement->idxname == nullptr)
    throw Error{Code::syntax, "index statement does not name its index",
                "The statement is: " + text};
  if (statement->if_not_exists)
    throw Error{Code::syntax, "index statement must not say IF NOT EXISTS",
                "The statement is: " + text,
                "An index that the view has is not created again in any case."};
  if (statement->concurrent)
    throw Error{Code::syntax, "index statement must not be CONCURRENTLY",
                "The statement is: " + text,
                "The index is created together with the view, before anybody can read it."};
}

bool has_missing_indexes(const Registration& registration, Oid view) {
  return !missing_indexes(registration, view).empty();
}

std::vector<std::string> missing_index_statements(const Registration& registration, Oid view) {
  std::vector<std::string> statements;
  for (const auto& [statement, text] : missing_indexes(registration, view))
    statements.push_back(text);
  return statements;
}

bool has_unique_key(const Registration& registration, Oid view) {
  return has_key(indexes_of(view), registration.unique_key);
}

void create_missing_indexes(const Registration& registration, Oid view) {
  for (const auto& [statement, text] : missing_indexes(registration, view))
    create_index(statement, registration, view, text);
}

}  // namespace mvo::pg
