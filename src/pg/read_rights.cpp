#include "pg/read_rights.hpp"

#include <set>

#include "pg/compat.hpp"
#include "pg/datum.hpp"
#include "pg/reads.hpp"
#include "pg/relation.hpp"
#include "pg/rights.hpp"

extern "C" {
#include <catalog/pg_proc.h>
}

namespace mvo::pg {
namespace {

// With whose rights a plain view reads: its owner's, or those of whoever reads it; InvalidOid when
// it is gone.
Oid role_within_view(Oid view, Oid reader) {
  Datum options = 0;
  const Oid owner = call([&] {
    HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(view));
    if (!HeapTupleIsValid(tuple)) return InvalidOid;
    bool none = false;
    const Datum found = SysCacheGetAttr(RELOID, tuple, Anum_pg_class_reloptions, &none);
    if (!none) options = PointerGetDatum(DatumGetArrayTypePCopy(found));
    const Oid role = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relowner;
    ReleaseSysCache(tuple);
    return role;
  });
  if (options == 0) return owner;
  const std::string key = "security_invoker=";
  for (const auto& option : to_strings(options)) {
    bool invoker = false;
    if (option && option->starts_with(key) && parse_bool(option->c_str() + key.size(), &invoker))
      return invoker ? reader : owner;
  }
  return owner;
}

Oid role_within_function(Oid function, Oid reader) {
  return call([&] {
    HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(tuple)) return InvalidOid;
    const auto* row = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple));
    const Oid role = row->prosecdef ? row->proowner : reader;
    ReleaseSysCache(tuple);
    return role;
  });
}

// Looks for a way from a view to a source on which everybody may read what he reads.
class Search {
 public:
  explicit Search(Oid source) : source_(source) {}

  std::optional<Oid> from(Oid view, Oid owner) {
    add_reads(catalogs_.of_view(view), owner);
    std::optional<Oid> role;
    while (!pending_.empty() && !role) {
      const Step step = *pending_.begin();
      pending_.erase(pending_.begin());
      if (done_.insert(step).second) role = take(step);
    }
    catalogs_.end();
    return role;
  }

 private:
  struct Step {
    Oid object;
    Oid reader;
    bool function;
    auto operator<=>(const Step&) const = default;
  };

  std::optional<Oid> take(const Step& step) {
    if (step.function) {
      const Oid role = role_within_function(step.object, step.reader);
      if (OidIsValid(role)) add_reads(catalogs_.of_function(step.object), role);
      return std::nullopt;
    }
    const auto relation = relation_at(step.object);
    if (!relation || !may_read(relation->name, step.reader)) return std::nullopt;
    if (step.object == source_) return step.reader;
    if (relation->kind != RELKIND_VIEW) return std::nullopt;
    const Oid role = role_within_view(step.object, step.reader);
    if (OidIsValid(role)) add_reads(catalogs_.of_view(step.object), role);
    return std::nullopt;
  }

  void add_reads(const DirectReads& reads, Oid reader) {
    for (const Oid oid : reads.relations) pending_.insert({oid, reader, false});
    for (const Oid oid : reads.functions) pending_.insert({oid, reader, true});
  }

  Oid source_;
  CatalogReads catalogs_;
  std::set<Step> pending_, done_;
};

}  // namespace

std::optional<Oid> role_that_reads(const core::Name& source, const core::Name& view) {
  if (may_read(source, GetUserId())) return GetUserId();
  const auto live = find_relation(view);
  if (!live || !call([&] { return compat::may_refresh(live->oid, GetUserId()); }))
    return std::nullopt;
  if (may_read(source, live->owner)) return live->owner;
  const auto read = find_relation(source);
  return read ? Search(read->oid).from(live->oid, live->owner) : std::nullopt;
}

}  // namespace mvo::pg
