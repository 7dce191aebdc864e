#include "pg/picture.hpp"

#include <algorithm>

#include "pg/dependencies.hpp"
#include "pg/display.hpp"
#include "pg/guc_scope.hpp"
#include "pg/identifier.hpp"

namespace mvo::pg {
namespace {

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

// Registered views alone, whatever is on the way.
std::vector<core::Arrow> view_arrows(const core::Views& views) {
  std::vector<core::Arrow> arrows;
  for (core::Node node = 0; node < views.size(); ++node)
    for (const core::Node source : views.graph().sources(node)) {
      const bool found = views.discovered().has({node, source});
      arrows.push_back({node, source, found ? core::Basis::found : core::Basis::declared});
    }
  for (const auto& [reader, source] : views.left_out())
    arrows.push_back({reader, source, core::Basis::left_out});
  return arrows;
}

}  // namespace

core::Picture load_picture(bool, bool) {
  const core::Views views = load_views_with_reads(Sees::caller);
  return {view_figures(views), view_arrows(views)};
}

}  // namespace mvo::pg
