#include "pg/dependencies.hpp"

#include <algorithm>
#include <map>

#include "pg/declared.hpp"
#include "pg/discover.hpp"
#include "pg/identifier.hpp"
#include "pg/registry.hpp"
#include "pg/relation.hpp"
#include "pg/rights.hpp"

namespace mvo::pg {
namespace {

using core::Discovery;

// The dependencies of one view while they are collected; each is one row, whatever is known of it.
class Rows {
 public:
  Dependency& operator[](const std::string& name) {
    Dependency& row = rows_[name];
    row.name = name;
    return row;
  }

  std::vector<Dependency> take() {
    std::vector<Dependency> taken;
    for (auto& [name, row] : rows_) taken.push_back(std::move(row));
    return taken;
  }

 private:
  std::map<std::string, Dependency> rows_;
};

void add_declared(const core::Views& views, const std::vector<core::Node>& chosen,
                  std::vector<Rows>& rows) {
  for (const core::Dependency& declared : views.dependencies()) {
    const auto reader = views.find(declared.reader);
    if (!reader || !std::ranges::binary_search(chosen, *reader)) continue;
    const WrittenName written =
        meaning_of({declared.schema, declared.name}, declared.search_path,
                   [&](const core::Name& name) { return views.find(name).has_value(); });
    Dependency& row = rows[*reader][print(written)];
    row.declared = true;
    if (!written.schema) continue;
    const core::Name name{*written.schema, written.name};
    row.view = views.find(name);
    if (const auto live = find_relation(name)) row.kind = live->kind;
  }
}

std::vector<std::string> labels_of(const Discovery& graph,
                                   const std::vector<Discovery::Thing>& things) {
  std::vector<std::string> labels;
  for (const Discovery::Thing thing : things) labels.push_back(graph.label(thing));
  return labels;
}

// A plain view is no source: it is shown when somebody declared it.
bool is_shown(const Dependency& row) {
  return row.declared || row.view || row.kind != RELKIND_VIEW;
}

void add_discovered(Discovered& discovered, core::Node node, Rows& rows, ViewDependencies& view) {
  const Discovery& graph = discovered.graph();
  for (const Discovery::Way& way : discovered.graph().ways_from(node)) {
    const Found& found = discovered[way.to];
    if (found.function) {
      if (graph.reading(way.to) == core::Reading::opaque)
        view.opaque.push_back(graph.label(way.to));
      continue;
    }
    Dependency& row = rows[graph.label(way.to)];
    row.view = found.view;
    row.kind = found.kind;
    row.discovered = true;
    row.via = labels_of(graph, way.via);
  }
  std::ranges::sort(view.opaque);
}

void add_text(const TextRead& text, Rows& rows, ViewDependencies& view) {
  for (const std::string& name : text.unresolved) rows[name].discovered = true;
  view.unresolved = text.unresolved;
}

// What neither the catalogs nor mv_order() shows to everybody, also on the way.
void hide_what_is_private(ViewDependencies& view) {
  std::erase_if(view.dependencies, [&](const Dependency& row) {
    return !row.view && !(view.from_live && row.discovered);
  });
  if (!view.from_live)
    for (Dependency& row : view.dependencies) row.via.clear();
  view.unresolved.clear();
}

ViewDependencies dependencies_of(Discovered& discovered, core::Node node, Rows& rows) {
  ViewDependencies view;
  view.from_live = discovered.is_live(node);
  add_discovered(discovered, node, rows, view);
  if (const TextRead* text = discovered.text_of(node)) add_text(*text, rows, view);
  view.dependencies = rows.take();
  std::erase_if(view.dependencies, [](const Dependency& row) { return !is_shown(row); });
  if (!may_look_into(discovered.owner_of(node))) hide_what_is_private(view);
  return view;
}

}  // namespace

core::Views load_views_with_reads(Sees sees) {
  core::Views views = load_views(sees);
  Discovered discovered(views, core::all_views(views), sees);
  views.add_discovered(discovered.edges_among_views());
  return views;
}

Dependencies load_dependencies(
    Sees sees, const std::function<std::vector<core::Node>(const core::Views&)>& choose) {
  core::Views views = load_views(sees);
  std::vector<core::Node> chosen = choose(views);
  Discovered discovered(views, chosen, sees);
  std::vector<Rows> rows(views.size());
  add_declared(views, chosen, rows);
  std::vector<ViewDependencies> all(views.size());
  std::vector<core::Edge> edges;
  for (const core::Node node : chosen) {
    check_for_interrupts();
    all[node] = dependencies_of(discovered, node, rows[node]);
    for (const Dependency& row : all[node].dependencies)
      if (row.view && row.discovered) edges.push_back({node, *row.view});
  }
  views.add_discovered(std::move(edges));
  return {std::move(views), std::move(all), std::move(chosen)};
}

}  // namespace mvo::pg
