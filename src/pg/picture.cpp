#include "pg/picture.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "core/plan.hpp"
#include "pg/discover.hpp"
#include "pg/display.hpp"
#include "pg/guc_scope.hpp"
#include "pg/identifier.hpp"
#include "pg/registry.hpp"
#include "pg/rights.hpp"

namespace mvo::pg {
namespace {

using Thing = core::Discovery::Thing;

core::Figure figure(const std::string& name, core::Kind kind) {
  Displayed shown = display(name);
  return {std::move(shown.text), shown.columns, kind};
}

void add_outcome(core::Figure& figure, const std::optional<std::string>& status) {
  if (status == "failed") figure.marks.push_back(core::Mark::failed);
  if (status == "upstream_failed") figure.marks.push_back(core::Mark::upstream_failed);
}

// As the caller, who sees of the history what concerns him. A step that was skipped says nothing
// about the view. Only our own view and catalogs are read, by a search_path that is locked.
SpiRows read_states(const core::Views& views) {
  std::vector<std::string> schemas, names;
  for (core::Node node = 0; node < views.size(); ++node) {
    schemas.push_back(views[node].name.schema);
    names.push_back(views[node].name.name);
  }
  return query(
      "SELECT c.relispopulated, latest.status"
      " FROM unnest($1, $2) WITH ORDINALITY AS v (schema_name, view_name, place)"
      " LEFT JOIN (pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace)"
      " ON n.nspname = v.schema_name AND c.relname = v.view_name AND c.relkind = 'm'"
      " LEFT JOIN LATERAL (SELECT h.status FROM mv_orchestrator.history AS h"
      " WHERE h.schema_name = v.schema_name AND h.view_name = v.view_name"
      " AND h.status <> 'skipped' ORDER BY h.run DESC LIMIT 1) AS latest ON true"
      " ORDER BY v.place",
      {array_argument(schemas), array_argument(names)}, Sees::caller);
}

std::vector<core::Figure> view_figures(const core::Views& views) {
  std::vector<core::Figure> figures;
  for (core::Node node = 0; node < views.size(); ++node)
    figures.push_back(figure(print(views[node].name), core::Kind::view));

  GucScope settings;
  settings.set("search_path", "pg_catalog, pg_temp");
  {
    const SpiConnection connection;
    const SpiRows states = read_states(views);
    for (core::Node node = 0; node < figures.size(); ++node) {
      auto& marks = figures[node].marks;
      add_outcome(figures[node], states.optional_text(node, 1));
      if (states.is_null(node, 0))
        marks.push_back(core::Mark::missing);
      else if (!states.boolean(node, 0))
        marks.push_back(core::Mark::unpopulated);
      if (!views[node].enabled) marks.push_back(core::Mark::disabled);
      std::ranges::sort(marks);
    }
  }
  settings.end();
  return figures;
}

// The arrows among what is shown; what is not is passed over, as far as one can look into it.
class Arrows {
 public:
  Arrows(Discovered& discovered, std::size_t views, bool with_views, bool with_sources)
      : discovered_(discovered), with_views_(with_views), with_sources_(with_sources) {
    for (core::Node node = 0; node < views; ++node) {
      const bool open = discovered.is_live(node) || may_look_into(discovered.owner_of(node));
      add_reads(node, open);
    }
    for (std::size_t i = 0; i < others_.size(); ++i) add_reads(others_[i], true);
  }

  // What is shown beside registered views, in no order.
  const std::vector<Thing>& others() const { return others_; }
  // From reader to source.
  const std::vector<std::pair<Thing, Thing>>& found() const { return found_; }

 private:
  bool is_shown(Thing thing) const {
    if (discovered_[thing].view) return true;
    return discovered_.graph().reading(thing) == core::Reading::stores ? with_sources_
                                                                       : with_views_;
  }

  // Of what is not open to the caller, only the registered views that it reads.
  void add_reads(Thing reader, bool open) {
    check_for_interrupts();
    std::unordered_set<Thing> seen;
    std::vector<Thing> pending{reader};
    while (!pending.empty()) {
      const Thing passed = pending.back();
      pending.pop_back();
      for (const Thing read : discovered_.graph().reads_of(passed)) {
        if (!seen.insert(read).second) continue;
        if (open ? is_shown(read) : discovered_[read].view.has_value())
          add(reader, read);
        else if (discovered_.graph().reading(read) == core::Reading::passes)
          pending.push_back(read);
      }
    }
  }

  void add(Thing reader, Thing read) {
    found_.emplace_back(reader, read);
    if (!discovered_[read].view && known_.insert(read).second) others_.push_back(read);
  }

  Discovered& discovered_;
  bool with_views_, with_sources_;
  std::vector<Thing> others_;
  std::unordered_set<Thing> known_;
  std::vector<std::pair<Thing, Thing>> found_;
};

core::Kind kind_of(const Found& found, core::Reading reading) {
  if (reading == core::Reading::opaque) return core::Kind::opaque_function;
  if (found.function) return core::Kind::function;
  return found.kind == RELKIND_VIEW ? core::Kind::plain_view : core::Kind::source;
}

// Declared edges that nothing is known to be read by.
std::vector<core::Arrow> merely_declared(const core::Views& views) {
  std::vector<core::Arrow> arrows;
  for (core::Node node = 0; node < views.size(); ++node)
    for (const core::Node source : views.graph().sources(node))
      if (!views.discovered().has({node, source}))
        arrows.push_back({node, source, core::Basis::declared});
  for (const auto& [reader, source] : views.left_out())
    arrows.push_back({reader, source, core::Basis::left_out});
  return arrows;
}

}  // namespace

core::Picture load_picture(bool with_views, bool with_sources) {
  core::Views views = load_views(Sees::caller);
  Discovered discovered(views, core::all_views(views), Sees::caller);
  views.add_discovered(discovered.edges_among_views());
  const Arrows read(discovered, views.size(), with_views, with_sources);
  const core::Discovery& graph = discovered.graph();

  auto figures = view_figures(views);
  std::vector<Thing> others = read.others();
  std::ranges::sort(others, {}, [&](Thing thing) { return std::string_view(graph.label(thing)); });
  std::unordered_map<Thing, core::Node> nodes;
  for (core::Node node = 0; node < views.size(); ++node) nodes.emplace(node, node);
  for (const Thing thing : others) {
    nodes.emplace(thing, figures.size());
    figures.push_back(figure(graph.label(thing), kind_of(discovered[thing], graph.reading(thing))));
  }
  auto arrows = merely_declared(views);
  for (const auto& [reader, source] : read.found())
    arrows.push_back({nodes.at(reader), nodes.at(source)});
  return {std::move(figures), arrows};
}

}  // namespace mvo::pg
