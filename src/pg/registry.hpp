// The tables mv_orchestrator.registry and mv_orchestrator.dependency. Every access has the
// identity of the tables' owner, a locked search_path and ends before any user code runs.
#pragma once

#include <unordered_map>

#include "core/view.hpp"
#include "pg/registration.hpp"
#include "pg/spi.hpp"

namespace mvo::pg {

// All views, with what is declared; load_views_with_reads() adds what they read.
core::Views load_views(Sees sees);

// What the text of a definition needs to be read.
struct DefinitionText {
  core::Name view;
  Oid author = InvalidOid;  // InvalidOid: he is gone
  std::string definition;
  std::vector<std::string> settings;  // the recorded ones
};

// Of those of the views that are registered, in any order.
std::vector<DefinitionText> load_definitions(const std::vector<core::Name>& names, Sees sees);
// One registration without its dependencies; nothing when there is none of that name.
std::optional<Registration> load_registration(const core::Name& name);
// Stores the registration in the place of one of the same name. Returns false, having stored
// nothing, when there is one of another author than `expected`: somebody registered it meanwhile.
bool save_registration(const Registration& registration, const std::optional<Author>& expected);
// Whether there was one, of this author.
bool remove_registration(const core::Name& name, const Author& expected);
// The live view is now what this registration says; unless it was registered anew meanwhile.
void mark_applied(const Registration& registration);

// What a run needs of a registration.
struct RunFacts {
  Oid author = InvalidOid;            // whose registration it is; InvalidOid: he is gone
  std::vector<std::string> settings;  // the recorded ones
  bool applied = false;               // the live view is known to have this text
  std::vector<Oid> seen;              // OIDs that the view was seen under; see seen.hpp
};

using Facts = std::unordered_map<core::Name, RunFacts, core::NameHash>;

// Of the views of these names, in one query.
Facts load_run_facts(const std::vector<core::Name>& names);

// Reads and checks the options argument: 22023 for an unknown key or a value of the wrong kind.
Options read_options(const std::string& json);

}  // namespace mvo::pg
