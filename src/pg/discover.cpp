#include "pg/discover.hpp"

#include <algorithm>

#include "pg/definition_reads.hpp"
#include "pg/identifier.hpp"
#include "pg/recorded_settings.hpp"
#include "pg/relation.hpp"
#include "pg/subtransaction.hpp"
#include "pg/utility.hpp"

namespace mvo::pg {

using core::Reading;

namespace {

// Whether a relation shows rows of its own or others': not a sequence, an index or a type.
bool has_rows(char kind) {
  return kind == RELKIND_RELATION || kind == RELKIND_PARTITIONED_TABLE || kind == RELKIND_MATVIEW ||
         kind == RELKIND_FOREIGN_TABLE || kind == RELKIND_VIEW;
}

}  // namespace

Discovered::Discovered(const core::Views& views, const std::vector<core::Node>& chosen, Sees sees)
    : views_(views) {
  for (core::Node node = 0; node < views.size(); ++node) add_view(node);
  for (const core::Node node : chosen)
    if (is_live(node)) pending_.push_back(node);
  catalogs_.expect(pending_.size());
  read_texts(chosen, sees);
  look();
  catalogs_.end();
}

std::vector<core::Edge> Discovered::edges_among_views() {
  std::vector<core::Edge> edges;
  for (core::Node node = 0; node < views_.size(); ++node) {
    check_for_interrupts();
    for (const core::Discovery::Way& way : graph_.ways_from(node))
      if (const auto source = found_[way.to].view) edges.push_back({node, *source});
  }
  return edges;
}

const TextRead* Discovered::text_of(core::Node view) const {
  const auto found = texts_.find(view);
  return found == texts_.end() ? nullptr : &found->second;
}

Oid Discovered::owner_of(core::Node view) const {
  if (is_live(view)) return found_[view].owner;
  const TextRead* text = text_of(view);
  return text == nullptr ? InvalidOid : text->author;
}

Discovered::Thing Discovered::add(std::string label, Reading reading, const Found& found) {
  found_.push_back(found);
  return graph_.add(std::move(label), reading);
}

void Discovered::add_view(core::Node node) {
  Found found;
  found.view = node;
  const auto live = find_relation(views_[node].name);
  if (live) found = {live->oid, false, live->kind, node, live->owner};
  const Thing thing = add(print(views_[node].name), Reading::stores, found);
  if (live) relations_.emplace(live->oid, thing);
}

std::optional<Discovered::Thing> Discovered::relation(Oid oid) {
  if (const auto known = relations_.find(oid); known != relations_.end()) return known->second;
  return relations_[oid] = add_relation(oid);
}

std::optional<Discovered::Thing> Discovered::add_relation(Oid oid) {
  const auto found = relation_at(oid);
  if (!found || !has_rows(found->kind)) return std::nullopt;
  const Reading reading = found->kind == RELKIND_VIEW ? Reading::passes : Reading::stores;
  const Thing thing = add(print(found->name), reading, {.oid = oid, .kind = found->kind});
  if (reading == Reading::passes || found->has_children) pending_.push_back(thing);
  return thing;
}

std::optional<Discovered::Thing> Discovered::function(Oid oid) {
  if (const auto known = functions_.find(oid); known != functions_.end()) return known->second;
  return functions_[oid] = add_function(oid);
}

std::optional<Discovered::Thing> Discovered::add_function(Oid oid) {
  auto found = function_at(oid);
  if (!found) return std::nullopt;
  const Thing thing =
      add(std::move(found->signature), found->reading, {.oid = oid, .function = true});
  if (found->reading == Reading::passes) pending_.push_back(thing);
  return thing;
}

void Discovered::look() {
  while (!pending_.empty()) {
    const Thing thing = pending_.back();
    pending_.pop_back();
    check_for_interrupts();
    look_at(thing);
  }
}

void Discovered::look_at(Thing thing) {
  const Found found = found_[thing];  // a copy, as they move when one is added
  if (found.function)
    add_reads(thing, catalogs_.of_function(found.oid));
  else if (found.kind == RELKIND_MATVIEW || found.kind == RELKIND_VIEW)
    add_reads(thing, catalogs_.of_view(found.oid));
  else
    add_parts(thing, catalogs_.children_of(found.oid));
}

void Discovered::add_reads(Thing reader, const DirectReads& reads) {
  for (const Oid oid : reads.relations)
    if (const auto read = relation(oid)) graph_.add_read(reader, *read);
  for (const Oid oid : reads.functions)
    if (const auto read = function(oid)) graph_.add_read(reader, *read);
}

void Discovered::add_parts(Thing whole, const std::vector<Oid>& children) {
  for (const Oid oid : children)
    if (const auto part = relation(oid)) graph_.add_part(whole, *part);
}

void Discovered::read_texts(const std::vector<core::Node>& chosen, Sees sees) {
  std::vector<core::Name> missing;
  for (const core::Node node : chosen)
    if (!is_live(node)) missing.push_back(views_[node].name);
  for (const DefinitionText& text : load_definitions(missing, sees))
    if (const auto node = views_.find(text.view)) read_text(*node, text);
}

// A text that cannot be parsed any more, as it came from another version of the server, names
// nothing.
void Discovered::read_text(core::Node node, const DefinitionText& text) {
  TextRead& read = texts_[node];
  read.author = text.author;
  std::vector<WrittenName> names;
  const StatementMemory memory;
  try {
    Subtransaction attempt;
    names = relations_named_in(text.definition, text.settings);
    attempt.commit();
  } catch (const PgError& error) {
    if (error.is_interrupt()) throw;
  }
  for (const WrittenName& name : names) add_named(node, name, path_of(text), read);
  std::ranges::sort(read.unresolved);
}

// A view that does not exist cannot mean itself: where its name is the first to be found, creation
// would go on looking.
void Discovered::add_named(core::Node node, const WrittenName& written, const Path& path,
                           TextRead& read) {
  std::optional<LiveRelation> live;
  const auto name = look_up(written, path, [&](const core::Name& candidate) {
    if (candidate == views_[node].name) return false;
    if (views_.find(candidate)) return true;
    live = find_relation(candidate);
    return live.has_value();
  });
  if (!name) return read.unresolved.push_back(print(written));
  if (const auto view = views_.find(*name)) return graph_.add_read(node, *view);
  if (is_pinned_relation(live->oid)) return;  // the rule of a view would not name it either
  if (const auto thing = relation(live->oid)) graph_.add_read(node, *thing);
}

const Discovered::Path& Discovered::path_of(const DefinitionText& text) {
  std::string key = std::to_string(text.author);
  for (const std::string& setting : search_path_of(text.settings)) key += ' ' + setting;
  const auto [place, is_new] = paths_.try_emplace(std::move(key));
  if (is_new) place->second = schemas_searched(text.settings, text.author);
  return place->second;
}

}  // namespace mvo::pg
