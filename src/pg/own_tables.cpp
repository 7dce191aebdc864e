#include "pg/own_tables.hpp"

namespace mvo::pg {
namespace {

Oid tables_owner() {
  return call([] {
    const Oid table = get_relname_relid("registry", get_namespace_oid("mv_orchestrator", false));
    HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
    if (!HeapTupleIsValid(tuple))
      ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
                      errmsg("relation \"mv_orchestrator.registry\" does not exist")));
    const Oid owner = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relowner;
    ReleaseSysCache(tuple);
    return owner;
  });
}

}  // namespace

OwnTables::OwnTables() : identity_(tables_owner(), Trust::local) {
  settings_.set("search_path", "pg_catalog, pg_temp");
}

}  // namespace mvo::pg
