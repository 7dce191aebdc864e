// Locks of a run. A *run lock* is one per registered name, whether the view exists or not, known to
// us alone. A run holds it exclusively on the views that it changes and shared on those that
// they read and that may be read in its name, taken in one order, so that two calls never wait for
// each other in a circle.
#pragma once

#include "core/view.hpp"
#include "pg/guard.hpp"
#include "pg/relation.hpp"

extern "C" {
#include <catalog/namespace.h>
#include <storage/lock.h>
}

namespace mvo::pg {

// What a call does when another one holds a run lock that it needs.
enum class Overlap { wait, skip, fail };

std::optional<Overlap> parse_overlap(std::string_view text);

struct RunLock {
  core::Name view;
  bool exclusive;
  Oid role;  // who may have it: the caller, or the owner of a view that reads this one

  auto operator<=>(const RunLock&) const = default;
};

// Run locks that are kept beyond the end of a transaction. An error that ends the transaction they
// were taken in, or a later one, releases them, as the server does with all that a session holds.
class SessionLocks {
 public:
  SessionLocks() = default;
  ~SessionLocks() { release(); }
  SessionLocks(const SessionLocks&) = delete;
  SessionLocks& operator=(const SessionLocks&) = delete;

  void add(const LOCKTAG& tag, LOCKMODE mode) { held_.emplace_back(tag, mode); }
  // Cannot fail.
  void release();
  // The server has released them.
  void forget() { held_.clear(); }

 private:
  std::vector<std::pair<LOCKTAG, LOCKMODE>> held_;
};

// Takes the locks, which have to be sorted, until the end of the (sub)transaction, or, with
// `session`, until that is released. Returns nothing
// when it has all; with Overlap::skip, says who holds the first that it could not have. Raises
// 55P03 with Overlap::fail, after the lock limit, and where waiting might never end: when this
// transaction already holds a lock on any of the registered views.
std::optional<std::string> take_run_locks(const std::vector<RunLock>& locks, Overlap overlap,
                                          const core::Views& registered,
                                          SessionLocks* session = nullptr);

// Whether this transaction holds a lock on any of the registered views.
bool holds_view_lock(const core::Views& registered);

// Takes the lock on a relation by its name; nothing when there is none, also when it went while we
// waited. `check` is called before it is locked, and again when the name has come to another.
std::optional<Oid> lock_if_exists(const core::Name& name, LOCKMODE mode,
                                  RangeVarGetRelidCallback check = nullptr);

// Takes ExclusiveLock on a materialized view that the caller may refresh, by its name: 42P01 when
// it does not exist, 42501, 42809 when it is something else.
void lock_to_refresh(const core::Name& view);
// The same; its errors say that the view could not be locked.
void lock_view(const core::Name& view);

// The view of that name, which lock_view() has locked: 55006 when the name, as its schema was
// renamed, has come to another relation since.
LiveRelation get_locked_view(const core::Name& view);

}  // namespace mvo::pg
