#include <fmt/format.h>  // before the server, which redefines printf

#include "pg/lock_holders.hpp"

#include <set>

#include "pg/compat.hpp"

extern "C" {
#include <utils/array.h>
#include <utils/fmgrprotos.h>
}

namespace mvo::pg {
namespace {

int session_worked_for = 0;

std::vector<int> blockers_of(int process) {
  std::vector<int> blockers;
  const ArrayType* array = call([&] {
    return DatumGetArrayTypeP(DirectFunctionCall1(pg_blocking_pids, Int32GetDatum(process)));
  });
  const int count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
  const auto* processes = reinterpret_cast<const int*>(ARR_DATA_PTR(array));
  blockers.assign(processes, processes + count);
  return blockers;
}

}  // namespace

std::vector<Holder> holders_against(Oid relation, LOCKMODE mode) {
  LOCKTAG tag;
  SET_LOCKTAG_RELATION(tag, MyDatabaseId, relation);
  std::vector<Holder> holders;
  int count = 0;
  const VirtualTransactionId* found = call([&] { return GetLockConflicts(&tag, mode, &count); });
  for (int i = 0; i < count; ++i) {
    const int process = call([&] { return compat::process_id(found[i]); });
    holders.push_back({found[i], process});
  }
  return holders;
}

std::string print(const std::vector<Holder>& holders) {
  std::set<int> processes;
  for (const Holder& holder : holders) processes.insert(holder.process);
  const bool prepared = processes.erase(0) > 0;
  if (processes.empty()) return "a prepared transaction";
  return fmt::format("process{} {}{}", processes.size() > 1 ? "es" : "", fmt::join(processes, ", "),
                     prepared ? " and a prepared transaction" : "");
}

bool waits_for(int process, int other) {
  std::set<int> known{process};
  std::vector<int> open{process};
  while (!open.empty()) {
    const int next = open.back();
    open.pop_back();
    if (next == 0) continue;  // a prepared transaction waits for nobody
    if (next == other) return true;
    for (const int blocker : blockers_of(next))
      if (known.insert(blocker).second) open.push_back(blocker);
  }
  return false;
}

bool waits_for_us(const Holder& holder) {
  return waits_for(holder.process, MyProcPid) ||
         (session_worked_for != 0 && waits_for(holder.process, session_worked_for));
}

void work_for(int session) {
  session_worked_for = session;
}

}  // namespace mvo::pg
