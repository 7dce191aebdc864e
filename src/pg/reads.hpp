// What the catalogs say an object reads directly. All of it without locks on users' objects: what
// is dropped while we look reads nothing.
#pragma once

#include <compare>
#include <unordered_map>
#include <unordered_set>

#include "core/discovery.hpp"
#include "core/name.hpp"
#include "pg/guard.hpp"

extern "C" {
#include <utils/relcache.h>
}

namespace mvo::pg {

// Each once.
struct DirectReads {
  std::vector<Oid> relations;
  std::vector<Oid> functions;  // operators are their functions
};

// Reads pg_rewrite, pg_depend and pg_inherits by their indexes, so that it costs what is asked for.
class CatalogReads {
 public:
  CatalogReads();
  // Closes the catalogs; after an error the rollback does.
  void end();

  // That so many views will be asked for. Where that takes longer than to read the catalogs
  // through, they are read through now.
  void expect(std::size_t views);

  // Of a view, plain or materialized: what its query names.
  DirectReads of_view(Oid view);
  // Of a function whose body the server has parsed, or of an aggregate.
  DirectReads of_function(Oid function);
  // The direct children of a partitioned table or an inheritance parent.
  std::vector<Oid> children_of(Oid relation);

 private:
  // A row of pg_depend.
  struct Reference {
    Oid object;  // in what was read through, the view
    Oid catalog, referenced;
    auto operator<=>(const Reference&) const = default;
  };

  using References = std::vector<Reference>::const_iterator;

  static DirectReads reads_in(References first, References last, Oid view);
  Oid select_rule_of(Oid view);
  std::vector<Reference> references_of(Oid catalog, Oid object);
  std::unordered_map<Oid, Oid> read_select_rules();
  void read_references(const std::unordered_map<Oid, Oid>& rules);

  Relation rules_, dependencies_, children_;
  std::unordered_set<Oid> read_through_;  // views
  std::vector<Reference> references_;     // of them; sorted
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
