#include <fmt/format.h>  // before the server, which redefines printf

#include "pg/identifier.hpp"

#include "core/error.hpp"
#include "pg/datum.hpp"

extern "C" {
#include <utils/varlena.h>
}

namespace mvo::pg {
namespace {

using core::Code;
using core::Error;

std::vector<std::string> parts_of(const std::string& text, const char* what) {
  Datum parts = 0;
  try {
    const Datum written = text_datum(text);
    parts = call([&] { return DirectFunctionCall2(parse_ident, written, BoolGetDatum(true)); });
  } catch (PgError& error) {
    if (error.sqlstate() != ERRCODE_INVALID_PARAMETER_VALUE) throw;
    // One error turned into another, nothing survived: the function touches nothing but memory.
    throw Error{Code::name_invalid, fmt::format("invalid {}: \"{}\"", what, text),
                to_string(error.data().detail),
                "Write a name as in SQL: a, s.a or \"Odd name\".\"x.y\"."};
  }
  std::vector<std::string> identifiers;
  for (auto& part : to_strings(parts)) identifiers.push_back(std::move(*part));
  for (const std::string& identifier : identifiers)
    if (identifier.size() >= NAMEDATALEN)
      throw Error{Code::name_too_long, fmt::format("{} is too long: \"{}\"", what, identifier),
                  fmt::format("A name has at most {} bytes.", NAMEDATALEN - 1)};
  return identifiers;
}

}  // namespace

WrittenName parse_name(const std::string& text, const char* what) {
  std::vector<std::string> parts = parts_of(text, what);
  if (parts.size() == 1) return {std::nullopt, parts[0]};
  if (parts.size() == 2) return {parts[0], parts[1]};
  throw Error{Code::name_invalid, fmt::format("invalid {}: \"{}\"", what, text),
              "A name has at most two parts, a schema and a name."};
}

std::string parse_identifier(const std::string& text, const char* what) {
  std::vector<std::string> parts = parts_of(text, what);
  if (parts.size() == 1) return parts[0];
  throw Error{Code::name_invalid, fmt::format("invalid {}: \"{}\"", what, text),
              "It must be one identifier, without a dot."};
}

// The server's copies are freed at once: an order prints a name for each edge of the graph.
std::string print(const std::string& identifier) {
  const char* quoted = call([&] { return quote_identifier(identifier.c_str()); });
  std::string printed(quoted);
  if (quoted != identifier.c_str()) pfree(const_cast<char*>(quoted));
  return printed;
}

std::string print(const core::Name& name) {
  char* quoted =
      call([&] { return quote_qualified_identifier(name.schema.c_str(), name.name.c_str()); });
  std::string printed(quoted);
  pfree(quoted);
  return printed;
}

std::string print(const WrittenName& name) {
  return name.schema ? print(core::Name{*name.schema, name.name}) : print(name.name);
}

std::string print_list(const std::vector<core::Name>& names) {
  std::string list;
  for (const core::Name& name : names) list += (list.empty() ? "" : ", ") + print(name);
  return list;
}

std::vector<std::string> caller_search_path() {
  List* schemas = call([] { return fetch_search_path(false); });
  std::vector<std::string> path;
  for (int i = 0; i < list_length(schemas); ++i)
    if (const char* name = call([&] { return get_namespace_name(list_nth_oid(schemas, i)); }))
      path.emplace_back(name);
  return path;
}

std::vector<std::string> split_search_path(const std::string& setting) {
  List* schemas = NIL;
  // The split scribbles on its input, and its output points into it.
  const bool valid =
      call([&] { return SplitIdentifierString(pstrdup(setting.c_str()), ',', &schemas); });
  std::vector<std::string> path;
  if (!valid) return path;
  for (int i = 0; i < list_length(schemas); ++i)
    path.emplace_back(static_cast<const char*>(list_nth(schemas, i)));
  return path;
}

std::string creation_schema() {
  List* schemas = call([] { return fetch_search_path(false); });
  const char* name =
      schemas == NIL ? nullptr : call([&] { return get_namespace_name(linitial_oid(schemas)); });
  if (name == nullptr)
    throw Error{Code::schema_missing, "no schema has been selected to register in"};
  return name;
}

}  // namespace mvo::pg
