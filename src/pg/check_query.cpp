#include "pg/checked_view.hpp"
#include "pg/definition.hpp"
#include "pg/guc_scope.hpp"
#include "pg/identity.hpp"
#include "pg/recorded_settings.hpp"

namespace mvo::pg {
namespace {

// What an analysis finds missing, others report.
std::optional<Calls> calls_of_text(const Registration& registration) {
  try {
    const Identity identity(registration.author.role, Trust::restricted);
    GucScope settings;
    put_in_force(settings, registration.settings);
    const Calls calls = calls_of_query(analyse_query(registration.definition));
    settings.end();
    return calls;
  } catch (const PgError& error) {
    if (error.is_interrupt() || means_busy(error.sqlstate())) throw;
    return std::nullopt;
  }
}

std::optional<Calls> calls_of(const CheckedView& view) {
  if (view.is_view()) return calls_of_view(view.live->oid);
  if (view.registration.author.is_gone()) return std::nullopt;
  return calls_of_text(view.registration);
}

}  // namespace

void check_query(const CheckedView& view) {
  const auto calls = calls_of(view);
  if (!calls) return;
  report_unstable(view, *calls);
  report_unqualified(view, *calls);
}

}  // namespace mvo::pg
