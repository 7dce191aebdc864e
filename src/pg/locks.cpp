#include <fmt/format.h>  // before the server, which redefines printf

#include "pg/locks.hpp"

#include <set>

#include "core/error.hpp"
#include "pg/compat.hpp"
#include "pg/failure.hpp"
#include "pg/identifier.hpp"
#include "pg/relation.hpp"
#include "pg/utility.hpp"

extern "C" {
#include <commands/extension.h>
#include <common/hashfn.h>
}

namespace mvo::pg {
namespace {

using core::Code;
using core::Error;

// Names are hashed to the 48 bits that the tag has room for. Two names that collide share a lock:
// they wait for each other, and nothing worse.
LOCKTAG tag_of(const core::Name& view, Oid extension) {
  const std::string key = view.schema + '\0' + view.name;
  const std::uint64_t hash = hash_bytes_extended(reinterpret_cast<const unsigned char*>(key.data()),
                                                 static_cast<int>(key.size()), 0);
  LOCKTAG tag;
  SET_LOCKTAG_OBJECT(tag, MyDatabaseId, extension, static_cast<std::uint32_t>(hash),
                     static_cast<std::uint16_t>(hash >> 32));
  return tag;
}

LOCKMODE mode_of(const RunLock& lock) {
  return lock.exclusive ? ExclusiveLock : ShareLock;
}

// Who holds a lock that is in our way, or waits for one before us.
std::string holders_of(const LOCKTAG& tag, LOCKMODE mode) {
  const LockData* locks = call([] { return GetLockStatusData(); });
  std::set<int> processes;
  for (int i = 0; i < locks->nelements; ++i) {
    const LockInstanceData& lock = locks->locks[i];
    if (lock.pid == MyProcPid || memcmp(&lock.locktag, &tag, sizeof tag) != 0) continue;
    for (LOCKMODE other = AccessShareLock; other <= AccessExclusiveLock; ++other)
      if (((lock.holdMask & LOCKBIT_ON(other)) != 0 || lock.waitLockMode == other) &&
          DoLockModesConflict(mode, other))
        processes.insert(lock.pid);
  }
  if (processes.empty()) return "a process that has just ended";
  if (processes.contains(0)) return "a prepared transaction";  // it has no process
  return fmt::format("process {}", fmt::join(processes, ", "));
}

bool holds_any_lock(Oid relation) {
  LOCKTAG tag;
  SET_LOCKTAG_RELATION(tag, MyDatabaseId, relation);
  for (LOCKMODE mode = AccessShareLock; mode <= AccessExclusiveLock; ++mode)
    if (compat::holds_lock(tag, mode)) return true;
  return false;
}

std::optional<core::Name> view_locked_by_us(const core::Views& registered) {
  for (core::Node node = 0; node < registered.size(); ++node) {
    const core::Name& name = registered[node].name;
    const auto relation = find_relation(name);
    if (relation && call([&] { return holds_any_lock(relation->oid); })) return name;
  }
  return std::nullopt;
}

void wait_for(const RunLock& lock, const LOCKTAG& tag, const core::Views& registered,
              bool session) {
  if (const auto held = view_locked_by_us(registered))
    throw Error{Code::overlap,
                fmt::format("could not wait for another run: this transaction already holds a lock "
                            "on materialized view {}",
                            print(*held)),
                fmt::format("Materialized view {} is in a run of {}.", print(lock.view),
                            holders_of(tag, mode_of(lock))),
                "Call it in a transaction of its own, or try again later."};
  naming("lock", lock.view,
         [&] { call([&] { (void)LockAcquire(&tag, mode_of(lock), session, false); }); });
}

}  // namespace

bool holds_view_lock(const core::Views& registered) {
  return view_locked_by_us(registered).has_value();
}

std::optional<Oid> lock_if_exists(const core::Name& name, LOCKMODE mode,
                                  RangeVarGetRelidCallback check) {
  RangeVar* relation = range_var(name);
  const Oid oid = call(
      [&] { return RangeVarGetRelidExtended(relation, mode, RVR_MISSING_OK, check, nullptr); });
  return OidIsValid(oid) ? std::optional(oid) : std::nullopt;
}

std::optional<Overlap> parse_overlap(std::string_view text) {
  if (text == "wait") return Overlap::wait;
  if (text == "skip") return Overlap::skip;
  if (text == "fail") return Overlap::fail;
  return std::nullopt;
}

void SessionLocks::release() {
  for (const auto& [tag, mode] : held_) (void)LockRelease(&tag, mode, true);
  held_.clear();
}

std::optional<std::string> take_run_locks(const std::vector<RunLock>& locks, Overlap overlap,
                                          const core::Views& registered, SessionLocks* session) {
  const Oid extension = call([] { return get_extension_oid("mv_orchestrator", false); });
  const bool keep = session != nullptr;
  for (const RunLock& lock : locks) {
    const LOCKTAG tag = tag_of(lock.view, extension);
    const auto result = call([&] { return LockAcquire(&tag, mode_of(lock), keep, true); });
    const bool busy = result == LOCKACQUIRE_NOT_AVAIL;
    if (busy && overlap == Overlap::wait) wait_for(lock, tag, registered, keep);
    if (!busy || overlap == Overlap::wait) {
      if (keep) session->add(tag, mode_of(lock));
      continue;
    }
    const std::string reason = fmt::format("materialized view {} is in a run of {}",
                                           print(lock.view), holders_of(tag, mode_of(lock)));
    if (overlap == Overlap::skip) return reason;
    throw Error{Code::overlap, reason, {}, "Try again later, or call with on_overlap => 'wait'."};
  }
  return std::nullopt;
}

void lock_to_refresh(const core::Name& view) {
  RangeVar* name = range_var(view);
  call([&] {
    (void)RangeVarGetRelidExtended(name, ExclusiveLock, 0, compat::refresh_callback(), nullptr);
  });
  if (const auto relation = find_relation(view)) check_is_view(view, *relation);
}

void lock_view(const core::Name& view) {
  naming("lock", view, [&] { lock_to_refresh(view); });
}

LiveRelation get_locked_view(const core::Name& view) {
  const LiveRelation relation = get_relation(view);
  check_is_view(view, relation);
  LOCKTAG tag;
  SET_LOCKTAG_RELATION(tag, MyDatabaseId, relation.oid);
  if (compat::holds_lock(tag, ExclusiveLock) &&
      call([&] { return compat::may_refresh(relation.oid, GetUserId()); }))
    return relation;
  throw Error{Code::in_use, "its name came to another relation during the run"};
}

}  // namespace mvo::pg
