#include "pg/relation.hpp"

#include "core/error.hpp"
#include "pg/identifier.hpp"

extern "C" {
#include <access/table.h>
#include <catalog/pg_am.h>
#include <commands/tablecmds.h>
}

namespace mvo::pg {
namespace {

const char* kind_name(char kind) {
  switch (kind) {
    case RELKIND_RELATION:
    case RELKIND_PARTITIONED_TABLE:
      return "a table";
    case RELKIND_VIEW:
      return "a view";
    case RELKIND_FOREIGN_TABLE:
      return "a foreign table";
    case RELKIND_SEQUENCE:
      return "a sequence";
    case RELKIND_INDEX:
    case RELKIND_PARTITIONED_INDEX:
      return "an index";
    case RELKIND_COMPOSITE_TYPE:
      return "a composite type";
    default:
      return "another kind of relation";
  }
}

}  // namespace

std::optional<LiveRelation> find_relation(const core::Name& name) {
  LiveRelation relation{};
  call([&] {
    const Oid schema = get_namespace_oid(name.schema.c_str(), true);
    const Oid oid = OidIsValid(schema) ? get_relname_relid(name.name.c_str(), schema) : InvalidOid;
    if (!OidIsValid(oid)) return;
    HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(oid));
    if (!HeapTupleIsValid(tuple)) return;  // dropped a moment ago
    const auto* row = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple));
    relation = {oid,           row->relkind,
                row->relowner, row->relispopulated,
                row->relam,    HeapTupleHeaderGetXmin(tuple->t_data)};
    ReleaseSysCache(tuple);
  });
  if (!OidIsValid(relation.oid)) return std::nullopt;
  return relation;
}

LiveRelation get_relation(const core::Name& name) {
  if (const auto relation = find_relation(name)) return *relation;
  throw core::Error{core::Code::view_missing,
                    "materialized view " + print(name) + " does not exist",
                    {},
                    {},
                    0,
                    {},
                    name};
}

Relation open_to_write(const LiveRelation& view, const char* mode) {
  if (view.access_method != HEAP_TABLE_AM_OID)
    throw core::Error{core::Code::mode_impossible,
                      std::string("mode \"") + mode + "\" needs the table access method heap",
                      {},
                      "Use mode \"plain\"."};
  return call([&] {
    Relation relation = table_open(view.oid, NoLock);
    CheckTableNotInUse(relation, "REFRESH MATERIALIZED VIEW");
    return relation;
  });
}

void check_not_dropped(Oid relation, const char* what) {
  if (call([&] { return SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relation)); })) return;
  throw core::Error{core::Code::in_use,
                    std::string(what) + " was dropped meanwhile",
                    {},
                    "A function or an event trigger that is called must not drop it."};
}

void check_is_view(const core::Name& name, const LiveRelation& relation) {
  if (relation.is_view()) return;
  throw core::Error{core::Code::not_a_view,
                    print(name) + " is not a materialized view",
                    std::string("It is ") + kind_name(relation.kind) + ".",
                    {},
                    0,
                    {},
                    name};
}

}  // namespace mvo::pg
