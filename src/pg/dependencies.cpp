#include "pg/dependencies.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "core/discovery.hpp"
#include "pg/identifier.hpp"
#include "pg/reads.hpp"
#include "pg/recorded_settings.hpp"
#include "pg/registry.hpp"
#include "pg/relation.hpp"

namespace mvo::pg {
namespace {

using core::Discovery;
using core::Reading;
using Thing = Discovery::Thing;

// What a thing of the walk is in the catalogs.
struct Known {
  Oid oid = InvalidOid;  // InvalidOid: a view that does not exist
  bool function = false;
  char kind = 0;                        // of a relation
  std::optional<core::Node> view = {};  // when it is registered
};

// All that registered views reach in the catalogs. The first things are the views, by node.
class Reached {
 public:
  explicit Reached(const core::Views& views) : views_(views) {
    for (core::Node node = 0; node < views.size(); ++node) add_view(node);
    look();
    catalogs_.end();
  }

  Discovery& graph() { return graph_; }
  const Known& operator[](Thing thing) const { return known_[thing]; }

 private:
  Thing add(std::string label, Reading reading, Known known) {
    known_.push_back(known);
    return graph_.add(std::move(label), reading);
  }

  void add_view(core::Node node) {
    const auto live = find_relation(views_[node].name);
    Known known{.view = node};
    if (live) known = {live->oid, false, live->kind, node};
    const Thing thing = add(print(views_[node].name), Reading::stores, known);
    if (!live) return;
    relations_.emplace(live->oid, thing);
    if (live->is_view()) pending_.push_back(thing);
  }

  std::optional<Thing> relation(Oid oid) {
    const auto [place, is_new] = relations_.try_emplace(oid);
    if (is_new) place->second = add_relation(oid);
    return place->second;
  }

  std::optional<Thing> add_relation(Oid oid) {
    const auto found = relation_at(oid);
    if (!found || !holds_or_shows_rows(found->kind)) return std::nullopt;
    const bool passes = found->kind == RELKIND_VIEW;
    const Thing thing = add(print(found->name), passes ? Reading::passes : Reading::stores,
                            {oid, false, found->kind, {}});
    if (passes || found->has_children) pending_.push_back(thing);
    return thing;
  }

  static bool holds_or_shows_rows(char kind) {
    return kind == RELKIND_RELATION || kind == RELKIND_PARTITIONED_TABLE ||
           kind == RELKIND_FOREIGN_TABLE || kind == RELKIND_MATVIEW || kind == RELKIND_VIEW;
  }

  std::optional<Thing> function(Oid oid) {
    const auto [place, is_new] = functions_.try_emplace(oid);
    if (is_new) place->second = add_function(oid);
    return place->second;
  }

  std::optional<Thing> add_function(Oid oid) {
    auto found = function_at(oid);
    if (!found) return std::nullopt;
    const Thing thing = add(std::move(found->signature), found->reading, {oid, true, 0, {}});
    if (found->reading == Reading::passes) pending_.push_back(thing);
    return thing;
  }

  // Each thing is looked at once, and only what a view reaches.
  void look() {
    while (!pending_.empty()) {
      const Thing thing = pending_.back();
      pending_.pop_back();
      check_for_interrupts();
      look_at(thing);
    }
  }

  void look_at(Thing thing) {
    const Known known = known_[thing];
    if (known.function)
      add_reads(thing, catalogs_.of_function(known.oid));
    else if (known.kind == RELKIND_MATVIEW || known.kind == RELKIND_VIEW)
      add_reads(thing, catalogs_.of_view(known.oid));
    else
      add_parts(thing, children_of(known.oid));
  }

  void add_reads(Thing reader, const DirectReads& reads) {
    for (int i = 0; i < list_length(reads.relations); ++i)
      if (const auto read = relation(list_nth_oid(reads.relations, i)))
        graph_.add_read(reader, *read);
    for (int i = 0; i < list_length(reads.functions); ++i)
      if (const auto read = function(list_nth_oid(reads.functions, i)))
        graph_.add_read(reader, *read);
  }

  void add_parts(Thing whole, const List* children) {
    for (int i = 0; i < list_length(children); ++i)
      if (const auto part = relation(list_nth_oid(children, i))) graph_.add_part(whole, *part);
  }

  const core::Views& views_;
  CatalogReads catalogs_;
  Discovery graph_;
  std::vector<Known> known_;
  std::unordered_map<Oid, std::optional<Thing>> relations_, functions_;
  std::vector<Thing> pending_;
};

std::vector<core::Edge> edges_among_views(Reached& reached, std::size_t views) {
  std::vector<core::Edge> edges;
  for (core::Node node = 0; node < views; ++node)
    for (const Discovery::Way& way : reached.graph().ways_from(node))
      if (const auto source = reached[way.to].view) edges.push_back({node, *source});
  return edges;
}

// The rows of one view, by name.
class Rows {
 public:
  Dependency& operator[](const std::string& name) {
    Dependency& row = rows_[name];
    row.name = name;
    return row;
  }
  std::vector<Dependency> sorted() && {
    std::vector<Dependency> sorted;
    for (auto& [name, row] : rows_) sorted.push_back(std::move(row));
    return sorted;
  }

 private:
  std::map<std::string, Dependency> rows_;
};

std::vector<std::string> labels_of(const Discovery& graph, const std::vector<Thing>& things) {
  std::vector<std::string> labels;
  for (const Thing thing : things) labels.push_back(graph.label(thing));
  return labels;
}

// The relation that a declared name means now, or the name as it was written.
WrittenName meaning_of(const core::Dependency& declared, const core::Views& views) {
  if (declared.schema) return {declared.schema, declared.name};
  if (const auto node = views.find(declared.search_path, declared.name))
    return {views[*node].name.schema, views[*node].name.name};
  for (const std::string& schema : declared.search_path)
    if (find_relation({schema, declared.name})) return {schema, declared.name};
  return {std::nullopt, declared.name};
}

}  // namespace

core::Views load_views_with_reads(Sees sees) {
  core::Views views = load_views(sees);
  Reached reached(views);
  views.add_discovered(edges_among_views(reached, views.size()));
  return views;
}

Dependencies load_dependencies(Sees sees) {
  core::Views views = load_views(sees);
  Reached reached(views);
  std::vector<Rows> declared(views.size());
  for (const core::Dependency& dependency : views.dependencies()) {
    const auto reader = views.find(dependency.reader);
    if (!reader) continue;
    const WrittenName name = meaning_of(dependency, views);
    Dependency& row = declared[*reader][print(name)];
    row.declared = true;
    if (!name.schema) continue;
    row.view = views.find(core::Name{*name.schema, name.name});
    if (const auto live = find_relation({*name.schema, name.name})) row.kind = live->kind;
  }
  std::vector<core::Edge> edges;
  std::vector<ViewDependencies> all(views.size());
  for (core::Node node = 0; node < views.size(); ++node) {
    ViewDependencies& view = all[node];
    view.from_live = reached[node].kind == RELKIND_MATVIEW;
    for (const Discovery::Way& way : reached.graph().ways_from(node)) {
      const Known& known = reached[way.to];
      const std::string& label = reached.graph().label(way.to);
      if (known.function) {
        if (reached.graph().reading(way.to) == Reading::opaque) view.opaque.push_back(label);
        continue;
      }
      Dependency& row = declared[node][label];
      row.view = known.view;
      row.kind = known.kind;
      row.discovered = true;
      row.via = labels_of(reached.graph(), way.via);
      if (known.view) edges.push_back({node, *known.view});
    }
    view.dependencies = std::move(declared[node]).sorted();
    std::erase_if(view.dependencies, [&](const Dependency& row) {
      return row.kind == RELKIND_VIEW && !row.declared && !row.view;
    });
    std::ranges::sort(view.opaque);
  }
  views.add_discovered(std::move(edges));
  return {std::move(views), std::move(all)};
}

}  // namespace mvo::pg
