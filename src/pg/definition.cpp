#include "pg/definition.hpp"

#include "core/error.hpp"
#include "pg/compat.hpp"
#include "pg/failure.hpp"

extern "C" {
#include <mb/pg_wchar.h>
#include <nodes/nodeFuncs.h>
#include <parser/analyze.h>
#include <tcop/tcopprot.h>
}

namespace mvo::pg {
namespace {

using core::Code;
using core::Error;

template <class Body>
auto positioned(const std::string& text, Body body) {
  try {
    return call(body);
  } catch (PgError& error) {
    place_in_query(error, text);
    throw;
  }
}

List* parse(const std::string& text) {
  return positioned(text, [&] { return pg_parse_query(text.c_str()); });
}

// What a raw parse tree must not hold, and the byte at which it stands.
struct Forbidden {
  const char* what = nullptr;
  bool parameter = false;
  int location = -1;
};

Forbidden forbidden_at(Node* node) {
  switch (nodeTag(node)) {
    case T_ParamRef:
      return {"parameters", true, castNode(ParamRef, node)->location};
    case T_IntoClause:
      return {"INTO", false, castNode(IntoClause, node)->rel->location};
    case T_InsertStmt:
      return {"INSERT", false, castNode(InsertStmt, node)->relation->location};
    case T_UpdateStmt:
      return {"UPDATE", false, castNode(UpdateStmt, node)->relation->location};
    case T_DeleteStmt:
      return {"DELETE", false, castNode(DeleteStmt, node)->relation->location};
    case T_MergeStmt:
      return {"MERGE", false, castNode(MergeStmt, node)->relation->location};
    default:
      return {};
  }
}

// Called by the server's tree walker: no C++ exception may leave it.
bool find_forbidden(Node* node, Forbidden* found) {
  if (node == nullptr) return false;
  *found = forbidden_at(node);
  return found->what != nullptr || compat::walk_raw_tree(node, find_forbidden, found);
}

[[noreturn]] void reject(Code code, const std::string& message, const std::string& text, int byte) {
  int position = 0;
  if (byte >= 0) position = call([&] { return pg_mbstrlen_with_len(text.c_str(), byte); }) + 1;
  throw Error{code, message, {}, {}, position, text};
}

RawStmt* statement_at(List* statements, int i) {
  return static_cast<RawStmt*>(list_nth(statements, i));
}

RawStmt* parse_one_query(const std::string& text) {
  List* statements = parse(text);
  if (statements == NIL) reject(Code::syntax, "definition is empty", text, -1);
  if (list_length(statements) > 1) {
    // A statement's location is where the one before it ended; its text starts after the space.
    const auto start =
        text.find_first_not_of(" \t\r\n", statement_at(statements, 1)->stmt_location);
    reject(Code::syntax, "definition must be a single query", text, static_cast<int>(start));
  }
  RawStmt* statement = statement_at(statements, 0);
  if (!IsA(statement->stmt, SelectStmt)) {
    const auto start = text.find_first_not_of(" \t\r\n", statement->stmt_location);
    reject(Code::syntax, "definition must be a SELECT, VALUES, TABLE or WITH query", text,
           static_cast<int>(start));
  }
  return statement;
}

// As WITH (fillfactor = 70, toast.autovacuum_enabled = off) is parsed.
DefElem* storage_parameter(const std::string& name, const std::string& value) {
  const auto dot = name.find('.');
  const bool qualified = dot != std::string::npos;
  return makeDefElemExtended(qualified ? pnstrdup(name.c_str(), dot) : nullptr,
                             pstrdup(name.c_str() + (qualified ? dot + 1 : 0)),
                             reinterpret_cast<Node*>(makeString(pstrdup(value.c_str()))),
                             DEFELEM_UNSPEC, -1);
}

}  // namespace

void check_is_one_query(const std::string& definition) {
  RawStmt* statement = parse_one_query(definition);
  Forbidden found;
  call([&] { (void)find_forbidden(statement->stmt, &found); });
  if (found.what == nullptr) return;
  reject(found.parameter ? Code::parameter_in_definition : Code::syntax,
         std::string("definition must not contain ") + found.what, definition, found.location);
}

Query* analyse_query(const std::string& definition) {
  RawStmt* statement = parse_one_query(definition);
  return positioned(definition, [&] {
    return parse_analyze_fixedparams(statement, definition.c_str(), nullptr, 0, nullptr);
  });
}

CreateTableAsStmt* analyse_creation(const Registration& registration, bool with_data) {
  RawStmt* statement = parse_one_query(registration.definition);
  return positioned(registration.definition, [&] {
    auto* into = makeNode(IntoClause);
    into->rel = makeRangeVar(pstrdup(registration.name.schema.c_str()),
                             pstrdup(registration.name.name.c_str()), -1);
    into->onCommit = ONCOMMIT_NOOP;
    into->skipData = !with_data;
    const Options& options = registration.options;
    if (options.access_method) into->accessMethod = pstrdup(options.access_method->c_str());
    if (options.tablespace) into->tableSpaceName = pstrdup(options.tablespace->c_str());
    for (const auto& parameter : options.with)
      into->options = lappend(into->options, storage_parameter(parameter.first, parameter.second));

    auto* create = makeNode(CreateTableAsStmt);
    create->query = statement->stmt;
    create->into = into;
    create->objtype = OBJECT_MATVIEW;
    statement->stmt = reinterpret_cast<Node*>(create);
    const Query* analysed =
        parse_analyze_fixedparams(statement, registration.definition.c_str(), nullptr, 0, nullptr);
    return castNode(CreateTableAsStmt, analysed->utilityStmt);
  });
}

bool means_not_yet(const PgError& error) {
  return error.sqlstate() == ERRCODE_UNDEFINED_TABLE ||
         error.sqlstate() == ERRCODE_UNDEFINED_SCHEMA ||
         error.sqlstate() == ERRCODE_UNDEFINED_FUNCTION ||
         error.sqlstate() == ERRCODE_UNDEFINED_OBJECT;
}

}  // namespace mvo::pg
