// What the catalogs say an object reads directly. All of it without locks on users' objects: what
// is dropped while we look reads nothing.
#pragma once

#include "core/discovery.hpp"
#include "core/name.hpp"
#include "pg/guard.hpp"

extern "C" {
#include <utils/relcache.h>
}

namespace mvo::pg {

// Lists of Oid, in the caller's memory context.
struct DirectReads {
  List* relations = NIL;
  List* functions = NIL;  // operators are their functions
};

// Reads pg_rewrite and pg_depend by their indexes, so that it costs what is asked for.
class CatalogReads {
 public:
  CatalogReads();
  // Closes the catalogs; after an error the rollback does.
  void end();

  // Of a view, plain or materialized: what its query names.
  DirectReads of_view(Oid view);
  // Of a function whose body the server has parsed, or of an aggregate.
  DirectReads of_function(Oid function);
  // The direct children of a partitioned table or an inheritance parent: a list of Oid.
  List* children_of(Oid relation);

 private:
  Oid select_rule_of(Oid view);
  DirectReads of_object(Oid catalog, Oid object, Oid except);

  Relation rules_, dependencies_, children_;
};

struct FoundRelation {
  core::Name name;
  char kind;  // pg_class.relkind
  bool has_children;
};

// Nothing when there is no such relation any more.
std::optional<FoundRelation> relation_at(Oid relation);

struct FoundFunction {
  std::string signature;  // with its schema and argument types: public.f(integer)
  core::Reading reading;
};

// Nothing for what can read no view: it is gone, is built in or written in C, or is a part of
// an extension that nobody can look into.
std::optional<FoundFunction> function_at(Oid function);

// Whether the server itself needs the object, so that no dependency on it is kept.
bool is_pinned_relation(Oid relation);

}  // namespace mvo::pg
