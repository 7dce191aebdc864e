#include "pg/normal_form.hpp"

#include "pg/definition.hpp"
#include "pg/guc_scope.hpp"
#include "pg/identity.hpp"
#include "pg/live_view.hpp"
#include "pg/recorded_settings.hpp"
#include "pg/subtransaction.hpp"

extern "C" {
#include <parser/parsetree.h>
#include <utils/ruleutils.h>
}

namespace mvo::pg {
namespace {

// Printing once is not a fixpoint: `varchar IN (…)` needs three rounds.
constexpr int most_rounds = 5;

void name_branches(Node* operation, Query* query, List* top);

// Gives every branch of a set operation the column names of the first one. They mean nothing there,
// and pg_get_viewdef prints them so, but not pg_get_querydef: without this a restored view would
// differ from its own text.
void name_branches_like(List* top, Query* query) {
  if (query->setOperations != nullptr) name_branches(query->setOperations, query, top);
}

void name_branches(Node* operation, Query* query, List* top) {
  if (IsA(operation, SetOperationStmt)) {
    auto* both = castNode(SetOperationStmt, operation);
    name_branches(both->larg, query, top);
    name_branches(both->rarg, query, top);
    return;
  }
  Query* branch = rt_fetch(castNode(RangeTblRef, operation)->rtindex, query->rtable)->subquery;
  for (int i = 0; i < list_length(branch->targetList) && i < list_length(top); ++i) {
    auto* column = static_cast<TargetEntry*>(list_nth(branch->targetList, i));
    if (!column->resjunk) column->resname = static_cast<TargetEntry*>(list_nth(top, i))->resname;
  }
  name_branches_like(top, branch);
}

std::string print_query(Query* query) {
  return call([&] {
    name_branches_like(query->targetList, query);
    return pg_get_querydef(query, false);
  });
}

// Needs canonical settings. `query` was analysed with whatever settings its text asks for.
std::string normal_form(Query* query) {
  std::string text = print_query(query);
  for (int round = 1; round < most_rounds; ++round) {
    std::string next = print_query(analyse_query(text));
    if (next == text) break;
    text = std::move(next);
  }
  return text;
}

std::string normal_form_of_registered(const Registration& registration) {
  const Identity identity(registration.author.role, Trust::restricted);
  GucScope settings;
  put_in_force(settings, registration.settings);
  Query* query = analyse_query(registration.definition);
  // At a level of their own: what the text called may have set the same at the first.
  GucScope canonical;
  canonical.set_all(canonical_settings());
  std::string text = normal_form(query);
  canonical.end();
  settings.end();
  return text;
}

std::string normal_form_of_live(const LiveRelation& view) {
  const Identity identity(view.owner, Trust::restricted);
  GucScope settings;
  settings.set_all(canonical_settings());
  std::string text = normal_form(analyse_query(print_definition(view)));
  settings.end();
  return text;
}

}  // namespace

Matched match(const Registration& registration, const LiveRelation& view) {
  if (registration.author.is_gone()) return {Match::invalid, "whoever registered it is gone"};
  Matched result{Match::invalid, {}};
  Subtransaction attempt;
  result.live = normal_form_of_live(view);
  try {
    result.registered = normal_form_of_registered(registration);
    result.match = result.registered == result.live ? Match::same : Match::differs;
  } catch (const PgError& error) {
    if (error.is_interrupt()) throw;
    result.reason = error.what();
    result.sqlstate = error.sqlstate();
  }
  attempt.roll_back();  // nothing that looking did or locked stays
  return result;
}

}  // namespace mvo::pg
