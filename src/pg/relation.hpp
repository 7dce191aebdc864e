// What the catalogs say now about a name.
#pragma once

#include "core/name.hpp"
#include "pg/guard.hpp"

extern "C" {
#include <utils/rel.h>
}

namespace mvo::pg {

struct LiveRelation {
  Oid oid;
  char kind;  // pg_class.relkind
  Oid owner;
  bool populated;
  Oid access_method;
  TransactionId changed_by;  // who wrote the row of pg_class

  bool is_view() const { return kind == RELKIND_MATVIEW; }
};

// Without a lock: the answer can be old by the time it is read.
std::optional<LiveRelation> find_relation(const core::Name& name);

// 42P01 when there is none.
LiveRelation get_relation(const core::Name& name);

// Opens a view, which is locked, to write its files ourselves, as `mode` does. While it is open the
// server refuses what its query and index functions might do to it, as inside core's REFRESH.
// 0A000 when it is not a heap, 55006 when this session has it in use.
Relation open_to_write(const LiveRelation& view, const char* mode);

// That it is there still: 55006 where what we called meanwhile has dropped it, which no lock of
// ours keeps from our own session.
void check_not_dropped(Oid relation, const char* what = "it");

// That the name, where it is taken, belongs to a materialized view: 42809 otherwise.
void check_is_view(const core::Name& name, const LiveRelation& relation);

}  // namespace mvo::pg
