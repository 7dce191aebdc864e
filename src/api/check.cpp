// mv_check
#include "pg/check.hpp"

#include "pg/entry.hpp"
#include "pg/identifier.hpp"
#include "pg/rows.hpp"

#include "api/only_api.hpp"

using namespace mvo;

// mv_check() -> severity, name, problem, detail, hint
MVO_FUNCTION(mv_check) {
  const auto problems = pg::check_views();
  pg::ResultRows rows(fcinfo);
  for (const core::Problem& problem : problems)
    rows.add({pg::column(core::to_string(problem.severity)), pg::column(pg::print(problem.view)),
              pg::column(core::to_string(problem.kind)), pg::text_or_null(problem.detail),
              pg::text_or_null(problem.hint)});
  return Datum{0};
}
