#include "pg/relation.hpp"

#include "core/error.hpp"
#include "pg/identifier.hpp"

namespace mvo::pg {

std::optional<LiveRelation> find_relation(const core::Name& name) {
  LiveRelation relation{};
  call([&] {
    const Oid schema = get_namespace_oid(name.schema.c_str(), true);
    const Oid oid = OidIsValid(schema) ? get_relname_relid(name.name.c_str(), schema) : InvalidOid;
    if (!OidIsValid(oid)) return;
    HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(oid));
    if (!HeapTupleIsValid(tuple)) return;  // dropped a moment ago
    const auto* row = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple));
    relation = {oid, row->relkind, row->relowner, row->relispopulated,
                HeapTupleHeaderGetXmin(tuple->t_data)};
    ReleaseSysCache(tuple);
  });
  if (!OidIsValid(relation.oid)) return std::nullopt;
  return relation;
}

const char* kind_name(char kind) {
  switch (kind) {
    case RELKIND_RELATION:
    case RELKIND_PARTITIONED_TABLE:
      return "table";
    case RELKIND_VIEW:
      return "view";
    case RELKIND_FOREIGN_TABLE:
      return "foreign table";
    case RELKIND_SEQUENCE:
      return "sequence";
    case RELKIND_INDEX:
    case RELKIND_PARTITIONED_INDEX:
      return "index";
    case RELKIND_COMPOSITE_TYPE:
      return "composite type";
    default:
      return "relation";
  }
}

void check_is_view(const core::Name& name, const LiveRelation& relation) {
  if (relation.is_view()) return;
  throw core::Error{core::Code::not_a_view, print(name) + " is not a materialized view",
                    std::string("A ") + kind_name(relation.kind) + " of that name exists."};
}

}  // namespace mvo::pg
