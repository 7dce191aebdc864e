#include "pg/definition_reads.hpp"

#include <algorithm>

#include "pg/compat.hpp"
#include "pg/datum.hpp"
#include "pg/recorded_settings.hpp"

extern "C" {
#include <nodes/nodeFuncs.h>
#include <tcop/tcopprot.h>
}

namespace mvo::pg {
namespace {

struct Search {
  List* found;  // of RangeVar
  List* with;   // names of the WITH queries in scope, of char*
};

bool find_relations(Node* node, Search* search);

bool is_with_query(const RangeVar* relation, const Search* search) {
  if (relation->schemaname != nullptr) return false;
  for (int i = 0; i < list_length(search->with); ++i)
    if (strcmp(static_cast<char*>(list_nth(search->with, i)), relation->relname) == 0) return true;
  return false;
}

// A WITH query is known to those after it; of WITH RECURSIVE, to all of them.
void search_with(const WithClause* clause, Search* search) {
  for (int pass = clause->recursive ? 0 : 1; pass < 2; ++pass)
    for (int i = 0; i < list_length(clause->ctes); ++i) {
      auto* query = static_cast<CommonTableExpr*>(list_nth(clause->ctes, i));
      if (pass == 1) (void)find_relations(query->ctequery, search);
      if (pass == 0 || !clause->recursive) search->with = lappend(search->with, query->ctename);
    }
}

bool search_select(SelectStmt* select, Search* search) {
  const int outer = list_length(search->with);
  WithClause* with = select->withClause;
  if (with != nullptr) search_with(with, search);
  select->withClause = nullptr;  // done
  (void)compat::walk_raw_tree(reinterpret_cast<Node*>(select), find_relations, search);
  select->withClause = with;
  search->with = list_truncate(search->with, outer);
  return false;
}

// Called by the server's tree walker: no C++ exception may leave it.
bool find_relations(Node* node, Search* search) {
  if (node == nullptr) return false;
  switch (nodeTag(node)) {
    case T_SelectStmt:
      return search_select(castNode(SelectStmt, node), search);
    case T_RangeVar:
      if (!is_with_query(castNode(RangeVar, node), search))
        search->found = lappend(search->found, node);
      return false;
    case T_LockingClause:  // FOR UPDATE OF: names of the FROM list
      return false;
    default:
      return compat::walk_raw_tree(node, find_relations, search);
  }
}

List* search_text(const std::string& definition) {
  return call([&] {
    Search search{NIL, NIL};
    List* statements = pg_parse_query(definition.c_str());
    for (int i = 0; i < list_length(statements); ++i)
      (void)find_relations(static_cast<RawStmt*>(list_nth(statements, i))->stmt, &search);
    return search.found;
  });
}

bool takes_backslashes_literally() {
  const char* value =
      call([] { return GetConfigOption("standard_conforming_strings", false, false); });
  return std::string_view(value) == "on";
}

// What a literal looks like is all that a setting can change in how a text is parsed.
List* search_text(const std::string& definition, const std::vector<std::string>& settings) {
  const std::string off = "standard_conforming_strings=off";
  const bool literally = std::ranges::find(settings, off) == settings.end();
  if (literally && takes_backslashes_literally()) return search_text(definition);
  GucScope scope;
  put_in_force(scope, {literally ? "standard_conforming_strings=on" : off});
  List* found = search_text(definition);
  scope.end();
  return found;
}

bool may_search(const std::string& schema, Oid author) {
  if (schema == "pg_temp") return false;
  return call([&] {
    const Oid oid = get_namespace_oid(schema.c_str(), true);
    // Asked for its rights, a schema that has just been dropped would be an error.
    return !OidIsValid(oid) || !OidIsValid(author) ||
           !SearchSysCacheExists1(NAMESPACEOID, ObjectIdGetDatum(oid)) ||
           compat::has_schema_right(oid, author, ACL_USAGE);
  });
}

}  // namespace

std::vector<WrittenName> relations_named_in(const std::string& definition,
                                            const std::vector<std::string>& settings) {
  const List* found = search_text(definition, settings);
  std::vector<WrittenName> names;
  for (int i = 0; i < list_length(found); ++i) {
    const auto* relation = static_cast<RangeVar*>(list_nth(found, i));
    WrittenName name{std::nullopt, relation->relname};
    if (relation->schemaname != nullptr) name.schema = relation->schemaname;
    if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
  }
  return names;
}

std::vector<std::string> schemas_searched(const std::vector<std::string>& settings, Oid author) {
  std::vector<std::string> path = recorded_search_path(settings);
  if (std::ranges::find(path, "pg_catalog") == path.end()) path.insert(path.begin(), "pg_catalog");
  std::erase_if(path, [&](const std::string& schema) { return !may_search(schema, author); });
  return path;
}

}  // namespace mvo::pg
