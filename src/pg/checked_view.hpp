// One view as the checks see it. Each subject has a file of its own, check_<subject>.cpp; a check
// is called in a subtransaction that is rolled back, with lock waits limited and, where the view
// exists, AccessShareLock on it. It may raise anything.
#pragma once

#include "core/problem.hpp"
#include "pg/dependencies.hpp"
#include "pg/registration.hpp"
#include "pg/relation.hpp"
#include "pg/view_calls.hpp"

namespace mvo::pg {

struct CheckedView {
  const Registration& registration;
  std::optional<LiveRelation> live;  // what has its name now, of any kind
  const std::vector<Oid>& seen;      // see seen.hpp
  const core::Views& views;
  core::Node node;
  const ViewDependencies& known;
  // Whether the caller has the rights of everybody whose text is read or whose rows: of the author
  // and of the live view's owner.
  bool shows_texts;
  std::vector<core::Problem>& problems;

  const core::Name& name() const { return registration.name; }
  bool is_view() const { return live && live->is_view(); }

  void report(core::Severity severity, core::Kind kind, std::string detail,
              std::string hint) const {
    problems.push_back({severity, name(), kind, std::move(detail), std::move(hint)});
  }
  void report(core::Kind kind, std::string detail, std::string hint) const {
    report(core::severity_of(kind), kind, std::move(detail), std::move(hint));
  }
  // For who may see texts; empty for others.
  std::string only_if_shown(std::string text) const { return shows_texts ? text : std::string(); }
};

// missing, moved, replaced, name_taken, not_populated, owner_missing, owner_differs
void check_existence(const CheckedView& view);
// drift, definition_invalid
void check_definition(const CheckedView& view);
// missing_index, invalid_index
void check_indexes(const CheckedView& view);
// duplicate_key, null_in_key. Reads the view, so only for those who may.
void check_key(const CheckedView& view);
// unstable, unqualified_in_function
void check_query(const CheckedView& view);
// unknown_dependency, reversed_dependency, unused_dependency, undeclared_dependency,
// opaque_function
void check_dependencies(const CheckedView& view);
// cycle: one for each that shares no view with another, at the first of its views that `shown` has.
void check_cycles(const core::Views& views, const std::vector<bool>& shown,
                  std::vector<core::Problem>& problems);

// What check_query() says of what a query does.
void report_unstable(const CheckedView& view, const Calls& calls);
void report_unqualified(const CheckedView& view, const Calls& calls);

// Whether an error says that a lock was not had.
bool means_busy(int sqlstate);

// SELECT * FROM mv_create('a."B"');
std::string statement(const char* function, const core::Name& view);

}  // namespace mvo::pg
