#include <fmt/format.h>  // before the server, which redefines printf

#include "pg/view_indexes.hpp"

#include "core/error.hpp"
#include "pg/identifier.hpp"

extern "C" {
#include <access/table.h>
#include <catalog/pg_index.h>
#include <storage/lmgr.h>
#include <utils/relcache.h>
}

namespace mvo::pg {
namespace {

// Without opening it: a diff that finds nothing has no use for the index.
bool lock_if_valid(Oid index, LOCKMODE mode) {
  return call([&] {
    LockRelationOid(index, mode);
    HeapTuple tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
    if (!HeapTupleIsValid(tuple)) elog(ERROR, "cache lookup failed for index %u", index);
    const auto* row = reinterpret_cast<Form_pg_index>(GETSTRUCT(tuple));
    const bool valid = row->indisvalid && row->indisready;
    ReleaseSysCache(tuple);
    return valid;
  });
}

std::vector<Oid> indexes_of(Relation view) {
  List* list = call([&] { return RelationGetIndexList(view); });
  std::vector<Oid> indexes;
  for (int i = 0; i < list_length(list); ++i) indexes.push_back(list_nth_oid(list, i));
  return indexes;
}

std::string qualified_name(Oid relation) {
  const char* name = call([&] { return get_rel_name(relation); });
  const char* schema = call([&] { return get_namespace_name(get_rel_namespace(relation)); });
  return name != nullptr && schema != nullptr ? print(core::Name{schema, name}) : "";
}

}  // namespace

std::vector<Oid> lock_indexes(Relation view) {
  auto indexes = indexes_of(view);
  for (const Oid index : indexes) {
    if (lock_if_valid(index, ShareUpdateExclusiveLock)) continue;
    const std::string name = qualified_name(index);
    throw core::Error{core::Code::not_ready,
                      fmt::format("index {} is not valid", name),
                      {},
                      fmt::format("Use REINDEX INDEX {} or drop it.", name)};
  }
  return indexes;
}

std::vector<std::string> invalid_indexes(Oid view) {
  Relation relation = call([&] { return table_open(view, NoLock); });
  const auto indexes = indexes_of(relation);
  call([&] { table_close(relation, NoLock); });
  std::vector<std::string> invalid;
  for (const Oid index : indexes)
    if (!lock_if_valid(index, AccessShareLock)) invalid.push_back(qualified_name(index));
  return invalid;
}

void check_indexes_are(Relation view, const std::vector<Oid>& indexes) {
  if (indexes_of(view) == indexes) return;
  throw core::Error{core::Code::in_use,
                    "its indexes were changed while it was refreshed",
                    {},
                    "A function that its query or an index calls must not change them."};
}

void name_index(PgError& error, Oid view_index) {
  call([&] {
    const char* name = get_rel_name(view_index);
    if (name == nullptr) return;
    const MemoryContext caller = MemoryContextSwitchTo(error.memory());
    error.data().message = psprintf("could not create unique index \"%s\"", name);
    error.data().constraint_name = pstrdup(name);
    MemoryContextSwitchTo(caller);
  });
}

}  // namespace mvo::pg
