// What registered views reach in the catalogs and in the texts of those that do not exist.
#pragma once

#include <unordered_map>

#include "core/discovery.hpp"
#include "core/view.hpp"
#include "pg/reads.hpp"
#include "pg/registry.hpp"

namespace mvo::pg {

// What a thing on a walk is in the database.
struct Found {
  Oid oid = InvalidOid;  // InvalidOid: a view that does not exist
  bool function = false;
  char kind = 0;                        // pg_class.relkind of a relation that exists
  std::optional<core::Node> view = {};  // when it is registered
  Oid owner = InvalidOid;               // of one that is registered and exists
};

// What the text of a view that does not exist said.
struct TextRead {
  Oid author = InvalidOid;              // InvalidOid: he is gone
  std::vector<std::string> unresolved;  // names that name nothing, as they are written; bytewise
};

// Looks at everything that the chosen views reach, once. Takes no lock on users' objects and runs
// no code of theirs. A view is known by its name: whatever relation has the name of a registered
// view is that view, and one of that name that is no materialized view counts as not existing.
class Discovered {
 public:
  Discovered(const core::Views& views, const std::vector<core::Node>& chosen, Sees sees);

  // The first things are all the views, by node.
  core::Discovery& graph() { return graph_; }
  const Found& operator[](core::Discovery::Thing thing) const { return found_[thing]; }
  bool is_live(core::Node view) const { return found_[view].kind == RELKIND_MATVIEW; }
  // Which registered views read which.
  std::vector<core::Edge> edges_among_views();
  // Of the live view, else of the registration: InvalidOid when he is gone.
  Oid owner_of(core::Node view) const;
  // Of a chosen view that does not exist; null when its registration went meanwhile.
  const TextRead* text_of(core::Node view) const;

 private:
  using Thing = core::Discovery::Thing;
  using Path = std::vector<std::string>;

  Thing add(std::string label, core::Reading reading, const Found& found);
  void add_view(core::Node node);
  std::optional<Thing> relation(Oid oid);
  std::optional<Thing> add_relation(Oid oid);
  std::optional<Thing> function(Oid oid);
  std::optional<Thing> add_function(Oid oid);

  void look();
  void look_at(Thing thing);
  void add_reads(Thing reader, const DirectReads& reads);
  void add_parts(Thing whole, const std::vector<Oid>& children);

  void read_texts(const std::vector<core::Node>& chosen, Sees sees);
  void read_text(core::Node node, const DefinitionText& text);
  void add_named(core::Node node, const WrittenName& written, const Path& path, TextRead& read);
  const Path& path_of(const DefinitionText& text);

  const core::Views& views_;
  CatalogReads catalogs_;
  core::Discovery graph_;
  std::vector<Found> found_;
  std::unordered_map<Oid, std::optional<Thing>> relations_, functions_;
  std::vector<Thing> pending_;
  std::unordered_map<core::Node, TextRead> texts_;
  std::unordered_map<std::string, Path> paths_;  // by author and recorded setting
};

}  // namespace mvo::pg
