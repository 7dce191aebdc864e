// What the catalogs say now about a name.
#pragma once

#include "core/name.hpp"
#include "pg/guard.hpp"

namespace mvo::pg {

struct LiveRelation {
  Oid oid;
  char kind;  // pg_class.relkind
  Oid owner;
  bool populated;
  TransactionId changed_by;  // who wrote the row of pg_class

  bool is_view() const { return kind == RELKIND_MATVIEW; }
};

// Without a lock: the answer can be old by the time it is read.
std::optional<LiveRelation> find_relation(const core::Name& name);

// 42P01 when there is none.
LiveRelation get_relation(const core::Name& name);

// That the name, where it is taken, belongs to a materialized view: 42809 otherwise.
void check_is_view(const core::Name& name, const LiveRelation& relation);

}  // namespace mvo::pg
