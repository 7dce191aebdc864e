#include "pg/reads.hpp"

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
#include <utils/fmgroids.h>
}

namespace mvo::pg {
namespace {

ScanKeyData key_of(AttrNumber column, Oid value) {
  ScanKeyData key;
  ScanKeyInit(&key, column, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(value));
  return key;
}

// Adds what one row of pg_depend refers to. Only server code: called inside pg::call.
void add_reference(const FormData_pg_depend* row, Oid except, DirectReads* reads) {
  if (row->refclassid == RelationRelationId && row->refobjid != except)
    reads->relations = list_append_unique_oid(reads->relations, row->refobjid);
  if (row->refclassid == ProcedureRelationId)
    reads->functions = list_append_unique_oid(reads->functions, row->refobjid);
  if (row->refclassid == OperatorRelationId)
    if (const Oid function = get_opcode(row->refobjid); OidIsValid(function))
      reads->functions = list_append_unique_oid(reads->functions, function);
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

DirectReads CatalogReads::of_view(Oid view) {
  const Oid rule = select_rule_of(view);
  if (!OidIsValid(rule)) return {};
  return of_object(RewriteRelationId, rule, view);  // a rule depends on its own view, too
}

DirectReads CatalogReads::of_function(Oid function) {
  return of_object(ProcedureRelationId, function, InvalidOid);
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
    const Oid rule = HeapTupleIsValid(tuple)
                         ? reinterpret_cast<Form_pg_rewrite>(GETSTRUCT(tuple))->oid
                         : InvalidOid;
    systable_endscan(scan);
    return rule;
  });
}

DirectReads CatalogReads::of_object(Oid catalog, Oid object, Oid except) {
  return call([&] {
    ScanKeyData keys[2] = {key_of(Anum_pg_depend_classid, catalog),
                           key_of(Anum_pg_depend_objid, object)};
    DirectReads reads;
    SysScanDesc scan =
        systable_beginscan(dependencies_, DependDependerIndexId, true, nullptr, 2, keys);
    for (HeapTuple tuple = systable_getnext(scan); HeapTupleIsValid(tuple);
         tuple = systable_getnext(scan))
      add_reference(reinterpret_cast<Form_pg_depend>(GETSTRUCT(tuple)), except, &reads);
    systable_endscan(scan);
    return reads;
  });
}

// Not the server's find_all_inheritors(): it raises an error for a table that has just been
// dropped.
List* CatalogReads::children_of(Oid relation) {
  return call([&] {
    ScanKeyData key = key_of(Anum_pg_inherits_inhparent, relation);
    List* found = NIL;
    SysScanDesc scan = systable_beginscan(children_, InheritsParentIndexId, true, nullptr, 1, &key);
    for (HeapTuple tuple = systable_getnext(scan); HeapTupleIsValid(tuple);
         tuple = systable_getnext(scan))
      found = lappend_oid(found, reinterpret_cast<Form_pg_inherits>(GETSTRUCT(tuple))->inhrelid);
    systable_endscan(scan);
    return found;
  });
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
