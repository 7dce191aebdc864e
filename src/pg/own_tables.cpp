#include "pg/own_tables.hpp"

extern "C" {
#include <storage/lmgr.h>
}

namespace mvo::pg {
namespace {

Oid registry(bool missing_ok) {
  const Oid schema = get_namespace_oid("mv_orchestrator", missing_ok);
  return OidIsValid(schema) ? get_relname_relid("registry", schema) : InvalidOid;
}

Oid tables_owner() {
  return call([] {
    const Oid table = registry(false);
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

void lock_own_tables() {
  call([] {
    if (const Oid table = registry(true); OidIsValid(table))
      LockRelationOid(table, AccessShareLock);
  });
}

}  // namespace mvo::pg
