#include "pg/reads.hpp"

#include <algorithm>

#include "pg/identifier.hpp"

extern "C" {
#include <access/genam.h>
#include <access/table.h>
#include <catalog/catalog.h>
#include <catalog/dependency.h>
#include <catalog/indexing.h>
#include <catalog/pg_depend.h>
#include <catalog/pg_inherits.h>
#include <catalog/pg_language.h>
#include <catalog/pg_namespace.h>
#include <catalog/pg_operator.h>
#include <catalog/pg_proc.h>
#include <catalog/pg_rewrite.h>
#include <rewrite/rewriteSupport.h>
#include <storage/bufmgr.h>
#include <utils/fmgroids.h>
#include <utils/rel.h>
}

namespace mvo::pg {
namespace {

ScanKeyData key_of(AttrNumber column, Oid value) {
  ScanKeyData key;
  ScanKeyInit(&key, column, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(value));
  return key;
}

template <class Row>
const Row* row_of(HeapTuple tuple) {
  return reinterpret_cast<const Row*>(GETSTRUCT(tuple));
}

// Whether a name of a rule is that of the one that a view has.
bool is_select_rule(const NameData& name) {
  return strcmp(NameStr(name), ViewSelectRuleName) == 0;
}

void drop_repeats(std::vector<Oid>& objects) {
  std::ranges::sort(objects);
  const auto repeats = std::ranges::unique(objects);
  objects.erase(repeats.begin(), repeats.end());
}

struct ProcedureRow {
  Oid schema, language;
  char kind;
  bool parsed_body;
  char name[NAMEDATALEN];
  List* argument_types;
};

// Whether there is such a function.
bool read_procedure(Oid function, ProcedureRow* row) {
  HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
  if (!HeapTupleIsValid(tuple)) return false;
  const auto* form = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple));
  row->schema = form->pronamespace;
  row->language = form->prolang;
  row->kind = form->prokind;
  row->parsed_body = !heap_attisnull(tuple, Anum_pg_proc_prosqlbody, nullptr);
  strlcpy(row->name, NameStr(form->proname), NAMEDATALEN);
  row->argument_types = NIL;
  for (int i = 0; i < form->pronargs; ++i)
    row->argument_types = lappend_oid(row->argument_types, form->proargtypes.values[i]);
  ReleaseSysCache(tuple);
  return true;
}

// As regprocedure prints it, always with the schema.
std::string signature_of(const ProcedureRow& row) {
  const char* schema = call([&] { return get_namespace_name(row.schema); });
  std::string types;
  for (int i = 0; i < list_length(row.argument_types); ++i) {
    const char* type = call([&] {
      return format_type_extended(list_nth_oid(row.argument_types, i), -1,
                                  FORMAT_TYPE_ALLOW_INVALID | FORMAT_TYPE_FORCE_QUALIFY);
    });
    types += (i == 0 ? "" : ",") + std::string(type);
  }
  return print(core::Name{schema == nullptr ? "" : schema, row.name}) + "(" + types + ")";
}

}  // namespace

CatalogReads::CatalogReads()
    : rules_(call([] { return table_open(RewriteRelationId, AccessShareLock); })),
      dependencies_(call([] { return table_open(DependRelationId, AccessShareLock); })),
      children_(call([] { return table_open(InheritsRelationId, AccessShareLock); })) {}

void CatalogReads::end() {
  call([&] {
    table_close(children_, AccessShareLock);
    table_close(dependencies_, AccessShareLock);
    table_close(rules_, AccessShareLock);
  });
}

// A page that is read through takes about as long as a row that is looked up by an index; each view
// takes two look-ups.
void CatalogReads::expect(std::size_t views) {
  const std::size_t pages = call(
      [&] { return RelationGetNumberOfBlocks(rules_) + RelationGetNumberOfBlocks(dependencies_); });
  if (2 * views < pages) return;
  const auto rules = read_select_rules();
  for (const auto& [rule, view] : rules) read_through_.insert(view);
  read_references(rules);
}

DirectReads CatalogReads::of_view(Oid view) {
  if (read_through_.contains(view)) {
    const auto [first, last] = std::ranges::equal_range(references_, view, {}, &Reference::object);
    return reads_in(first, last, view);
  }
  const Oid rule = select_rule_of(view);
  if (!OidIsValid(rule)) return {};
  const auto references = references_of(RewriteRelationId, rule);
  return reads_in(references.begin(), references.end(), view);
}

DirectReads CatalogReads::of_function(Oid function) {
  const auto references = references_of(ProcedureRelationId, function);
  return reads_in(references.begin(), references.end(), InvalidOid);
}

// A rule depends on its own view, too.
DirectReads CatalogReads::reads_in(References first, References last, Oid view) {
  DirectReads reads;
  for (auto at = first; at != last; ++at) {
    if (at->catalog == RelationRelationId && at->referenced != view)
      reads.relations.push_back(at->referenced);
    if (at->catalog == ProcedureRelationId) reads.functions.push_back(at->referenced);
    if (at->catalog == OperatorRelationId)
      if (const Oid function = call([&] { return get_opcode(at->referenced); });
          OidIsValid(function))
        reads.functions.push_back(function);
  }
  drop_repeats(reads.relations);
  drop_repeats(reads.functions);
  return reads;
}

// Not from the cache of rules by name, which would keep the whole query of each.
Oid CatalogReads::select_rule_of(Oid view) {
  return call([&] {
    ScanKeyData keys[2] = {key_of(Anum_pg_rewrite_ev_class, view), {}};
    ScanKeyInit(&keys[1], Anum_pg_rewrite_rulename, BTEqualStrategyNumber, F_NAMEEQ,
                CStringGetDatum(ViewSelectRuleName));
    SysScanDesc scan =
        systable_beginscan(rules_, RewriteRelRulenameIndexId, true, nullptr, 2, keys);
    HeapTuple tuple = systable_getnext(scan);
    const Oid rule = HeapTupleIsValid(tuple) ? row_of<FormData_pg_rewrite>(tuple)->oid : InvalidOid;
    systable_endscan(scan);
    return rule;
  });
}

std::vector<CatalogReads::Reference> CatalogReads::references_of(Oid catalog, Oid object) {
  std::vector<Reference> references;
  call([&] {
    ScanKeyData keys[2] = {key_of(Anum_pg_depend_classid, catalog),
                           key_of(Anum_pg_depend_objid, object)};
    SysScanDesc scan =
        systable_beginscan(dependencies_, DependDependerIndexId, true, nullptr, 2, keys);
    for (HeapTuple tuple = systable_getnext(scan); HeapTupleIsValid(tuple);
         tuple = systable_getnext(scan)) {
      const auto* row = row_of<FormData_pg_depend>(tuple);
      references.push_back({object, row->refclassid, row->refobjid});
    }
    systable_endscan(scan);
  });
  return references;
}

// Of all views: rule, view.
std::unordered_map<Oid, Oid> CatalogReads::read_select_rules() {
  std::unordered_map<Oid, Oid> rules;
  call([&] {
    SysScanDesc scan = systable_beginscan(rules_, InvalidOid, false, nullptr, 0, nullptr);
    for (HeapTuple tuple = systable_getnext(scan); HeapTupleIsValid(tuple);
         tuple = systable_getnext(scan)) {
      const auto* row = row_of<FormData_pg_rewrite>(tuple);
      if (is_select_rule(row->rulename)) rules.emplace(row->oid, row->ev_class);
    }
    systable_endscan(scan);
  });
  return rules;
}

void CatalogReads::read_references(const std::unordered_map<Oid, Oid>& rules) {
  call([&] {
    ScanKeyData key = key_of(Anum_pg_depend_classid, RewriteRelationId);
    SysScanDesc scan = systable_beginscan(dependencies_, InvalidOid, false, nullptr, 1, &key);
    for (HeapTuple tuple = systable_getnext(scan); HeapTupleIsValid(tuple);
         tuple = systable_getnext(scan)) {
      const auto* row = row_of<FormData_pg_depend>(tuple);
      if (const auto rule = rules.find(row->objid); rule != rules.end())
        references_.push_back({rule->second, row->refclassid, row->refobjid});
    }
    systable_endscan(scan);
  });
  std::ranges::sort(references_);
  const auto repeats = std::ranges::unique(references_);
  references_.erase(repeats.begin(), repeats.end());
}

// Not the server's find_all_inheritors(): it raises an error for a table that has just been
// dropped.
std::vector<Oid> CatalogReads::children_of(Oid relation) {
  std::vector<Oid> found;
  call([&] {
    ScanKeyData key = key_of(Anum_pg_inherits_inhparent, relation);
    SysScanDesc scan = systable_beginscan(children_, InheritsParentIndexId, true, nullptr, 1, &key);
    for (HeapTuple tuple = systable_getnext(scan); HeapTupleIsValid(tuple);
         tuple = systable_getnext(scan))
      found.push_back(row_of<FormData_pg_inherits>(tuple)->inhrelid);
    systable_endscan(scan);
  });
  return found;
}

std::optional<FoundRelation> relation_at(Oid relation) {
  struct {
    const char* schema = nullptr;
    char name[NAMEDATALEN];
    char kind;
    bool has_children;
  } row;
  call([&] {
    HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
    if (!HeapTupleIsValid(tuple)) return;
    const auto* form = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple));
    row.schema = get_namespace_name(form->relnamespace);
    strlcpy(row.name, NameStr(form->relname), NAMEDATALEN);
    row.kind = form->relkind;
    row.has_children = form->relhassubclass;
    ReleaseSysCache(tuple);
  });
  if (row.schema == nullptr) return std::nullopt;
  return FoundRelation{{row.schema, row.name}, row.kind, row.has_children};
}

std::optional<FoundFunction> function_at(Oid function) {
  ProcedureRow row;
  if (!call([&] { return read_procedure(function, &row); })) return std::nullopt;
  if (row.parsed_body || row.kind == PROKIND_AGGREGATE)
    return FoundFunction{signature_of(row), core::Reading::passes};
  if (row.language == INTERNALlanguageId || row.language == ClanguageId ||
      row.schema == PG_CATALOG_NAMESPACE ||
      call([&] { return OidIsValid(getExtensionOfObject(ProcedureRelationId, function)); }))
    return std::nullopt;
  return FoundFunction{signature_of(row), core::Reading::opaque};
}

bool is_pinned_relation(Oid relation) {
  return call([&] { return IsPinnedObject(RelationRelationId, relation); });
}

}  // namespace mvo::pg
