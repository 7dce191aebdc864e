#include <fmt/format.h>  // before the server, which redefines printf

#include "pg/exclusive_locks.hpp"

#include <algorithm>
#include <chrono>

#include "core/error.hpp"
#include "pg/cancel_watch.hpp"
#include "pg/guc_scope.hpp"
#include "pg/identifier.hpp"
#include "pg/lock_holders.hpp"
#include "pg/patience.hpp"
#include "pg/subtransaction.hpp"

extern "C" {
#include <storage/lmgr.h>
#include <storage/proc.h>
#include <utils/timestamp.h>
}

namespace mvo::pg {
namespace {

using core::Code;
using core::Error;
using std::chrono::milliseconds;

constexpr milliseconds first_pause{20};
constexpr milliseconds longest_pause{1000};
// Where readers follow each other all the time no short attempt may get through. Then they are
// better held up a little than the work thrown away: for a fortieth of the time that we have
// waited.
constexpr milliseconds shortest_attempt{50}, longest_attempt{1000};
constexpr int part_of_wait = 40;

milliseconds now() {
  return milliseconds(GetCurrentTimestamp() / 1000);
}

struct Obstacle {
  core::Name view;
  std::vector<Holder> holders;
};

// The first view that somebody reads, without touching its lock.
std::optional<Obstacle> find_obstacle(const std::vector<ExclusiveLockRequest>& wanted) {
  for (const ExclusiveLockRequest& request : wanted)
    for (const Oid relation : request.relations)
      if (auto holders = holders_against(relation, AccessExclusiveLock); !holders.empty())
        return Obstacle{request.view, std::move(holders)};
  return std::nullopt;
}

void lock_within(Oid relation, milliseconds limit) {
  GucScope scope;
  scope.set("lock_timeout", std::to_string(std::max<long>(limit.count(), 1)));
  call([&] { LockRelationOid(relation, AccessExclusiveLock); });
  scope.end();
}

// An attempt costs a transaction id and, on standbys, a replayed lock.
bool attempt(const std::vector<ExclusiveLockRequest>& wanted, milliseconds limit) {
  const CancelWatch watch;
  Subtransaction holding;
  const milliseconds end = now() + limit;
  try {
    for (const ExclusiveLockRequest& request : wanted)
      for (const Oid relation : request.relations) lock_within(relation, end - now());
  } catch (const PgError& error) {
    if (error.sqlstate() != ERRCODE_LOCK_NOT_AVAILABLE) throw;
    holding.roll_back();
    watch.raise_if_heard();
    return false;
  }
  holding.commit();
  return true;
}

bool any_left(const std::optional<Obstacle>& before, const std::optional<Obstacle>& present) {
  return before && present && std::ranges::any_of(present->holders, [&](const Holder& holder) {
           return std::ranges::find(before->holders, holder) != before->holders.end();
         });
}

[[noreturn]] void give_up(const core::Name& view, const std::optional<Obstacle>& in_the_way) {
  throw Error{Code::overlap,
              fmt::format("could not lock materialized view {} exclusively", print(view)),
              in_the_way ? fmt::format("It is in use by {}.", print(in_the_way->holders)) : "",
              "Try again later, or raise mv_orchestrator.lock_timeout.",
              0,
              {},
              view};
}

// Between attempts we wait for nothing that the server's deadlock detector could see.
class DeadlockWatch {
 public:
  void look(const std::optional<Obstacle>& present) {
    const Holder* waiting = present ? find_waiting(present->holders) : nullptr;
    if (waiting == nullptr) {
      since_ = never;
      return;
    }
    if (since_ == never) since_ = now();
    if (now() - since_ < milliseconds(DeadlockTimeout)) return;
    throw Error{Code::deadlock,
                "deadlock detected",
                fmt::format("Materialized view {} is in use by {}, which waits for this process.",
                            print(present->view), print({*waiting})),
                {},
                0,
                {},
                present->view};
  }

 private:
  static const Holder* find_waiting(const std::vector<Holder>& holders) {
    const auto found = std::ranges::find_if(holders, waits_for_us);
    return found == holders.end() ? nullptr : &*found;
  }

  static constexpr milliseconds never{0};

  milliseconds since_ = never;
};

}  // namespace

void take_exclusive_locks(std::vector<ExclusiveLockRequest>& wanted) {
  std::ranges::sort(wanted, {}, &ExclusiveLockRequest::view);
  const milliseconds limit(LockTimeout), started = now();
  milliseconds pause_time = first_pause;
  std::optional<Obstacle> failed_on;
  DeadlockWatch watch;
  for (;;) {
    auto present = find_obstacle(wanted);
    if (!any_left(failed_on, present)) {
      const milliseconds share = (now() - started) / part_of_wait;
      if (attempt(wanted, std::clamp(share, shortest_attempt, longest_attempt))) return;
      failed_on = present = find_obstacle(wanted);
    }
    watch.look(present);
    if (limit.count() > 0 && now() - started >= limit)
      give_up(present ? present->view : wanted.front().view, present);
    pause(static_cast<int>(pause_time.count()));
    pause_time = std::min(2 * pause_time, longest_pause);
  }
}

}  // namespace mvo::pg
