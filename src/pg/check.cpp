#include <fmt/format.h>  // before the server, which redefines printf

#include "pg/check.hpp"

#include <algorithm>
#include <functional>

#include "core/error.hpp"
#include "pg/cancel_watch.hpp"
#include "pg/checked_view.hpp"
#include "pg/guc_scope.hpp"
#include "pg/registry.hpp"
#include "pg/rights.hpp"
#include "pg/seen.hpp"
#include "pg/stored_text.hpp"
#include "pg/subtransaction.hpp"
#include "pg/utility.hpp"
#include "pg/view_timer.hpp"

extern "C" {
#include <storage/lmgr.h>
#include <storage/proc.h>
}

namespace mvo::pg {
namespace {

using core::Kind;

constexpr int longest_lock_wait_ms = 100;
// Reading a text can run its author's code, and that can sleep.
constexpr std::chrono::seconds longest_look{5};

using Check = void (*)(const CheckedView&);

// Those that look at a view; they stop at the first lock that is not had.
constexpr Check checks_of_views[] = {check_definition, check_indexes, check_query};

// As LockLimit does it, the shorter limit counts.
void limit_lock_waits(GucScope& scope) {
  const int limit =
      LockTimeout > 0 ? std::min(LockTimeout, longest_lock_wait_ms) : longest_lock_wait_ms;
  scope.set("lock_timeout", std::to_string(limit));
}

// By its OID, as who checks it need not be allowed to use its schema.
std::optional<LiveRelation> lock_live(const core::Name& name) {
  for (;;) {
    const auto found = find_relation(name);
    if (!found) return std::nullopt;
    call([&] { LockRelationOid(found->oid, AccessShareLock); });
    const auto locked = find_relation(name);
    if (locked && locked->oid == found->oid) return locked;
  }
}

void report_busy(const CheckedView& view) {
  view.report(Kind::busy,
              fmt::format("It, or something that it reads, was locked for more than {} ms.",
                          longest_lock_wait_ms),
              "Call mv_check() again later: what else is wrong with it is not known.");
}

void report_failure(const CheckedView& view, const std::string& message) {
  view.report(Kind::check_failed, view.only_if_shown(valid_text(message)),
              "What else is wrong with it is not known; a refresh may fail as well.");
}

enum class Looked { done, busy, too_long };

Looked look_alone(CheckedView view, Check check) {
  const StatementMemory memory;  // freed after the rollback
  try {
    Subtransaction looking;
    GucScope limit;
    limit_lock_waits(limit);
    within(longest_look, [&] {
      view.live = lock_live(view.name());
      check(view);
      return true;
    });
    looking.roll_back();
  } catch (const PgError& error) {
    if (error.is_own_interrupt()) throw;
    if (means_busy(error.sqlstate())) return Looked::busy;
    report_failure(view, error.what());
  } catch (const core::Error& error) {
    if (error.code == core::Code::overlap) return Looked::busy;
    if (error.code == core::Code::view_timeout) {
      report_failure(view, fmt::format("It took longer than {} s.", longest_look.count()));
      return Looked::too_long;
    }
    report_failure(view, error.message);
  }
  return Looked::done;
}

// Runs one check, of which nothing stays; what went wrong is reported, but for a lock.
Looked look(const CheckedView& view, Check check) {
  const CancelWatch watch;
  const Looked looked = look_alone(view, check);
  watch.raise_if_heard();
  return looked;
}

// The checks that look at a view, up to the first that is not done.
void look_at(const CheckedView& view, bool with_key) {
  std::vector<Check> checks(std::begin(checks_of_views), std::end(checks_of_views));
  if (with_key) checks.push_back(check_key);
  for (const Check check : checks) {
    const Looked looked = look(view, check);
    if (looked == Looked::busy) report_busy(view);
    if (looked != Looked::done) return;
  }
}

bool has_rights_of_owner(const std::optional<LiveRelation>& live, const Registration& registered) {
  return live && live->is_view() ? has_rights_of(live->owner) : has_rights_of(registered.author);
}

// Whether it is shown to the caller.
bool check_view(const Dependencies& all, core::Node node, const std::vector<Oid>& seen,
                std::vector<core::Problem>& problems) {
  const core::Name& name = all.views[node].name;
  const auto registration = load_registration(name);
  if (!registration) return false;  // unregistered a moment ago
  const auto live = find_relation(name);
  const bool owns = has_rights_of_owner(live, *registration);
  if (!owns && !is_monitor()) return false;

  const CheckedView view{*registration,
                         live,
                         seen,
                         all.views,
                         node,
                         all.of[node],
                         owns && has_rights_of(registration->author),
                         problems};
  check_existence(view);
  check_dependencies(view);
  look_at(view, owns);
  return true;
}

}  // namespace

bool means_busy(int sqlstate) {
  return sqlstate == ERRCODE_LOCK_NOT_AVAILABLE || sqlstate == ERRCODE_T_R_DEADLOCK_DETECTED;
}

std::string statement(const char* function, const core::Name& view) {
  const std::string name = print(view);
  const char* quoted = call([&] { return quote_literal_cstr(name.c_str()); });
  return fmt::format("SELECT * FROM {}({});", function, quoted);
}

std::vector<core::Problem> check_views() {
  const Dependencies all = load_dependencies(Sees::latest);
  SeenViews seen = load_seen();
  std::vector<core::Problem> problems;
  std::vector<bool> shown;
  for (core::Node node = 0; node < all.views.size(); ++node) {
    check_for_interrupts();
    shown.push_back(check_view(all, node, seen[all.views[node].name], problems));
  }
  check_cycles(all.views, shown, problems);
  core::sort(problems);
  return problems;
}

}  // namespace mvo::pg
