// Whether somebody has asked for a cancel, also where the server reports something else: a cancel
// that comes together with a lock_timeout is reported as that alone, and any function may survive
// one.
#pragma once

#include "pg/guard.hpp"

namespace mvo::pg {

// Hears, while it lives, of every cancel but those that lock_timeout or a ViewTimer make. Whoever
// survives an error asks it whether there was one. They may be nested. What it cannot hear is a
// cancel that arrives while the server's own signal for a lock_timeout is still to be delivered:
// the kernel makes one of the two.
class CancelWatch {
 public:
  CancelWatch();
  ~CancelWatch();
  CancelWatch(const CancelWatch&) = delete;
  CancelWatch& operator=(const CancelWatch&) = delete;

  bool heard() const;
  // Lets the cancel through that was heard.
  void raise_if_heard() const;

 private:
  unsigned before_;
};

}  // namespace mvo::pg
