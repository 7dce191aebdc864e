// Names as SQL reads and prints them.
#pragma once

#include "core/name.hpp"
#include "pg/guard.hpp"

namespace mvo::pg {

// A name as somebody wrote it, folded and unquoted.
struct WrittenName {
  std::optional<std::string> schema;
  std::string name;

  bool operator==(const WrittenName&) const = default;
};

// Reads `a`, `s.a`, `"Odd name"."x.y"` as parse_ident() does. Raises 42602 for what is no name
// or has more than two parts, 42622 for a part over 63 bytes; `what` names it in the message.
WrittenName parse_name(const std::string& text, const char* what);
// Reads one identifier, such as a column.
std::string parse_identifier(const std::string& text, const char* what);

// As quote_identifier() and quote_qualified_identifier() print them.
std::string print(const std::string& identifier);
std::string print(const core::Name& name);
std::string print(const WrittenName& name);
// a, s.b, "Odd name"
std::string print_list(const std::vector<core::Name>& names);

// The schemas of the caller's search_path that exist, in order.
std::vector<std::string> caller_search_path();
// The schemas that a search_path setting names, in order, whether they exist or not.
std::vector<std::string> split_search_path(const std::string& setting);
// The schema in which a new unqualified name is created: 3F000 when there is none.
std::string creation_schema();

// The first name along the path, or the one with the schema that is written, that `exists` accepts.
template <class Exists>
std::optional<core::Name> look_up(const WrittenName& written, const std::vector<std::string>& path,
                                  Exists exists) {
  if (written.schema) {
    core::Name name{*written.schema, written.name};
    return exists(name) ? std::optional(std::move(name)) : std::nullopt;
  }
  for (const std::string& schema : path)
    if (core::Name name{schema, written.name}; exists(name)) return name;
  return std::nullopt;
}

}  // namespace mvo::pg
