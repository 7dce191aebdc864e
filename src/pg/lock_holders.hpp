// Who holds a lock on a relation, and whether he waits for us.
#pragma once

#include "pg/guard.hpp"

extern "C" {
#include <storage/lock.h>
}

namespace mvo::pg {

struct Holder {
  VirtualTransactionId transaction;
  int process;  // 0 for a prepared transaction

  bool operator==(const Holder& other) const {
    return VirtualTransactionIdEquals(transaction, other.transaction);
  }
};

// Those whose locks on a relation conflict with `mode`; it is not waited for, nor locked.
std::vector<Holder> holders_against(Oid relation, LOCKMODE mode);

// As an error's detail names them.
std::string print(const std::vector<Holder>& holders);

// Whether a process waits, directly or through others, for a lock that another one has.
bool waits_for(int process, int other);
// For a lock that this process has, or the session that it works for.
bool waits_for_us(const Holder& holder);
// From now on this process works for that session, which waits for its end.
void work_for(int session);

}  // namespace mvo::pg
