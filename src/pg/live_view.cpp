#include "pg/live_view.hpp"

#include <algorithm>

#include "pg/datum.hpp"

extern "C" {
#include <access/reloptions.h>
#include <access/table.h>
#include <access/tableam.h>
#include <catalog/pg_am.h>
#include <catalog/pg_index.h>
#include <commands/comment.h>
#include <commands/defrem.h>
#include <commands/tablespace.h>
#include <storage/lmgr.h>
#include <utils/fmgrprotos.h>
#include <utils/json.h>
#include <utils/rel.h>
#include <utils/relcache.h>
#include <utils/ruleutils.h>
#include <utils/snapmgr.h>
}

namespace mvo::pg {
namespace {

struct Index {
  std::string name;
  std::string statement;
  bool valid;
};

// Nothing when it was dropped before it could be locked.
std::optional<Index> print_index(Oid oid) {
  const char *name = nullptr, *statement = nullptr;
  bool valid = false;
  call([&] {
    LockRelationOid(oid, AccessShareLock);
    HeapTuple tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(oid));
    if (!HeapTupleIsValid(tuple)) return;
    const auto* row = reinterpret_cast<Form_pg_index>(GETSTRUCT(tuple));
    valid = row->indisvalid && row->indisready;
    ReleaseSysCache(tuple);
    name = get_rel_name(oid);
    statement = pg_get_indexdef_string(oid);
  });
  if (name == nullptr) return std::nullopt;
  return Index{name, statement, valid};
}

// Storage parameters as ALTER MATERIALIZED VIEW ... SET names them.
void add_storage(Options& options, Oid relation, const char* prefix) {
  List* parameters = call([&] {
    HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
    if (!HeapTupleIsValid(tuple)) elog(ERROR, "cache lookup failed for relation %u", relation);
    bool none = false;
    const Datum stored = SysCacheGetAttr(RELOID, tuple, Anum_pg_class_reloptions, &none);
    List* list = none ? NIL : untransformRelOptions(stored);
    ReleaseSysCache(tuple);
    return list;
  });
  for (int i = 0; i < list_length(parameters); ++i) {
    auto* parameter = static_cast<DefElem*>(list_nth(parameters, i));
    options.with.emplace_back(std::string(prefix) + parameter->defname,
                              call([&] { return defGetString(parameter); }));
  }
}

std::string json_text(const std::string& text) {
  return call([&] {
    StringInfoData json;
    initStringInfo(&json);
    escape_json(&json, text.c_str());
    return json.data;
  });
}

std::string json_of(const Options& options) {
  std::string json, with;
  const auto add = [](std::string& object, const std::string& key, const std::string& value) {
    object += (object.empty() ? "" : ", ") + json_text(key) + ": " + value;
  };
  if (options.access_method) add(json, "access_method", json_text(*options.access_method));
  if (options.tablespace) add(json, "tablespace", json_text(*options.tablespace));
  if (options.comment) add(json, "comment", json_text(*options.comment));
  for (const auto& [name, value] : options.with) add(with, name, json_text(value));
  if (!with.empty()) add(json, "with", "{" + with + "}");
  return "{" + json + "}";
}

}  // namespace

std::string print_definition(const LiveRelation& view) {
  // It looks the view up with the active snapshot, which can be older than the view.
  const Datum printed = call([&] {
    PushActiveSnapshot(GetLatestSnapshot());
    const Datum text = DirectFunctionCall1(pg_get_viewdef, ObjectIdGetDatum(view.oid));
    PopActiveSnapshot();
    return text;
  });
  std::string text = to_string(printed);
  if (text.ends_with(';')) text.pop_back();
  return text.substr(std::min(text.find_first_not_of(' '), text.size()));
}

LiveIndexes print_indexes(const LiveRelation& view) {
  List* oids = call([&] {
    Relation relation = table_open(view.oid, AccessShareLock);
    List* list = RelationGetIndexList(relation);
    table_close(relation, NoLock);
    return list;
  });
  std::vector<Index> indexes;
  for (int i = 0; i < list_length(oids); ++i)
    if (auto index = print_index(list_nth_oid(oids, i))) indexes.push_back(*std::move(index));
  std::ranges::sort(indexes, {}, &Index::name);
  LiveIndexes printed;
  for (const Index& index : indexes)
    if (index.valid)
      printed.statements.push_back(index.statement);
    else
      printed.invalid.push_back(index.name);
  return printed;
}

Options options_of(const LiveRelation& view) {
  Options options;
  const char *method = nullptr, *tablespace = nullptr, *comment = nullptr;
  Oid toast = InvalidOid;
  call([&] {
    if (view.access_method != HEAP_TABLE_AM_OID ||
        view.access_method != get_table_am_oid(default_table_access_method, true))
      method = get_am_name(view.access_method);
    const Oid space = get_rel_tablespace(view.oid);
    if (OidIsValid(space)) tablespace = get_tablespace_name(space);
    comment = GetComment(view.oid, RelationRelationId, 0);
    HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(view.oid));
    if (!HeapTupleIsValid(tuple)) elog(ERROR, "cache lookup failed for relation %u", view.oid);
    toast = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->reltoastrelid;
    ReleaseSysCache(tuple);
  });
  if (method != nullptr) options.access_method = method;
  if (tablespace != nullptr) options.tablespace = tablespace;
  if (comment != nullptr) options.comment = comment;
  add_storage(options, view.oid, "");
  if (OidIsValid(toast)) add_storage(options, toast, "toast.");
  options.json = json_of(options);
  return options;
}

}  // namespace mvo::pg
