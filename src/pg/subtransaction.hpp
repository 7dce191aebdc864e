// A subtransaction: the only thing around which an error may be survived.
#pragma once

#include "pg/guard.hpp"

extern "C" {
#include <utils/resowner.h>
}

namespace mvo::pg {

// Rolled back when it goes out of scope uncommitted. Leaves the caller's memory context and
// resource owner as they were.
class Subtransaction {
 public:
  Subtransaction();
  ~Subtransaction();
  Subtransaction(const Subtransaction&) = delete;
  Subtransaction& operator=(const Subtransaction&) = delete;

  void commit();
  void roll_back();

 private:
  void restore_caller();

  MemoryContext memory_;
  ResourceOwner owner_;
  bool open_ = false;
};

}  // namespace mvo::pg
