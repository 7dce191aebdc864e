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

// Whether a holder waits, directly or through others, for a lock that this process has.
bool waits_for_us(const Holder& holder);

}  // namespace mvo::pg
