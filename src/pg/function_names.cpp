#include "pg/function_names.hpp"

#include <set>

#include "core/function_body.hpp"
#include "pg/datum.hpp"
#include "pg/guc_scope.hpp"
#include "pg/identifier.hpp"
#include "pg/words.hpp"

extern "C" {
#include <catalog/namespace.h>
#include <catalog/pg_language.h>
#include <catalog/pg_namespace.h>
#include <catalog/pg_proc.h>
#include <commands/proclang.h>
#include <utils/catcache.h>
#include <utils/regproc.h>
}

namespace mvo::pg {
namespace {

using core::Mention;

// The string body of a function whose names are looked up along the caller's search_path.
std::optional<std::string> body_of(Oid function) {
  char* body = nullptr;
  Datum settings = 0;
  bool has_settings = false;
  call([&] {
    HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(tuple)) return;
    bool no_tree = true, no_source = true, no_settings = true;
    (void)SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosqlbody, &no_tree);
    const Datum source = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosrc, &no_source);
    const Datum config = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_proconfig, &no_settings);
    const Oid language = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple))->prolang;
    const bool readable =
        language == SQLlanguageId || language == get_language_oid("plpgsql", true);
    if (readable && no_tree && !no_source) body = TextDatumGetCString(source);
    has_settings = !no_settings;
    if (has_settings) settings = PointerGetDatum(DatumGetArrayTypePCopy(config));
    ReleaseSysCache(tuple);
  });
  if (body == nullptr) return std::nullopt;
  if (has_settings)
    for (const auto& setting : to_strings(settings))
      if (setting && setting->starts_with("search_path=")) return std::nullopt;
  return body;
}

// All functions of a name in a schema.
std::vector<Oid> functions_in(Oid schema, const std::string& name) {
  List* found = NIL;
  call([&] {
    CatCList* list = SearchSysCacheList1(PROCNAMEARGSNSP, CStringGetDatum(name.c_str()));
    for (int i = 0; i < list->n_members; ++i) {
      const auto* row = reinterpret_cast<Form_pg_proc>(GETSTRUCT(&list->members[i]->tuple));
      if (row->pronamespace == schema) found = lappend_oid(found, row->oid);
    }
    ReleaseSysCacheList(list);
  });
  std::vector<Oid> functions;
  for (int i = 0; i < list_length(found); ++i) functions.push_back(list_nth_oid(found, i));
  return functions;
}

bool has(Oid schema, const Mention& mention) {
  const char* name = mention.name.c_str();
  switch (mention.kind) {
    case Mention::Kind::relation:
      return call([&] { return OidIsValid(get_relname_relid(name, schema)); });
    case Mention::Kind::function:
      return !functions_in(schema, mention.name).empty();
    case Mention::Kind::type:
      return call([&] {
        return SearchSysCacheExists2(TYPENAMENSP, CStringGetDatum(name), ObjectIdGetDatum(schema));
      });
  }
  return false;
}

class Search {
 public:
  explicit Search(const std::vector<std::string>& search_path) {
    for (const std::string& name : search_path) {
      const Oid schema = call([&] { return get_namespace_oid(name.c_str(), true); });
      if (OidIsValid(schema) && schema != PG_CATALOG_NAMESPACE) path_.push_back(schema);
    }
  }

  std::vector<UnqualifiedNames> from(std::vector<Oid> functions) {
    std::vector<UnqualifiedNames> found;
    while (!functions.empty()) {
      check_for_interrupts();
      const Oid function = functions.back();
      functions.pop_back();
      if (!seen_.insert(function).second) continue;
      const auto body = body_of(function);
      if (!body) continue;
      if (auto names = unqualified_names(*body, functions); !names.empty())
        found.push_back({to_string(call([&] { return format_procedure_qualified(function); })),
                         std::move(names)});
    }
    return found;
  }

 private:
  // The schema of the path where something of that name is; nothing for what the server has itself,
  // which is found first.
  Oid schema_of(const Mention& mention) const {
    if (has(PG_CATALOG_NAMESPACE, mention)) return InvalidOid;
    for (const Oid schema : path_)
      if (has(schema, mention)) return schema;
    return InvalidOid;
  }

  std::vector<std::string> unqualified_names(const std::string& body, std::vector<Oid>& called) {
    std::vector<std::string> names;
    for (const Mention& mention : core::mentions_in(words_of(body))) {
      const bool function = mention.kind == Mention::Kind::function;
      const Oid schema =
          mention.schema ? call([&] { return get_namespace_oid(mention.schema->c_str(), true); })
                         : schema_of(mention);
      if (!OidIsValid(schema)) continue;
      if (!mention.schema) names.push_back(print(mention.name) + (function ? "()" : ""));
      if (!function) continue;
      for (const Oid oid : functions_in(schema, mention.name)) called.push_back(oid);
    }
    return names;
  }

  std::vector<Oid> path_;
  std::set<Oid> seen_;
};

}  // namespace

std::vector<UnqualifiedNames> find_unqualified_names(const std::vector<Oid>& functions,
                                                     const std::vector<std::string>& search_path) {
  GucScope quiet;  // that a long name is cut, its author was told
  quiet.set("client_min_messages", "error");
  auto found = Search(search_path).from(functions);
  quiet.end();
  return found;
}

}  // namespace mvo::pg
