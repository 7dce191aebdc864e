// What mv_export() writes down: registrations with all that surrounds them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/name.hpp"
#include "pg/identifier.hpp"

namespace mvo::pg {

// Where the extension has its functions.
std::string functions_schema();

struct Exported {
  core::Name name;
  std::string author;  // as he is called now
  bool author_is_gone;
  std::string definition;
  std::vector<std::string> unique_key;
  std::vector<std::string> indexes;
  std::string mode;
  std::string options;  // without the owner, who is the author
  std::vector<std::string> settings;
  std::vector<WrittenName> depends_on;
  std::optional<std::string> new_owner;     // of the live view, where he is not the author
  std::optional<std::string> schema_owner;  // nothing: there is no such schema
  bool may_create;                          // the author may create in the schema
  bool needs_grant;                         // and not because it is his, or he is a superuser
};

// Of the registrations that the caller may see, by author and name.
std::vector<Exported> load_exported();

// A command for a view that exists, and for what is on it.
struct Afterwards {
  std::optional<std::string> grantor;  // who is to give it; nothing: the owner
  std::string condition;  // a query that gives a row when there is something to do it to
  std::string command;
};

// Owners that differ, privileges that are not what a view has anyhow, comments, in an order in
// which they can be run. The default privileges in force where they are run are not undone.
std::vector<Afterwards> load_afterwards(const std::vector<Exported>& registry);

}  // namespace mvo::pg
