// Whose rights are in force.
#pragma once

#include "pg/guard.hpp"

namespace mvo::pg {

enum class Trust {
  // Code of the server's own that checks rights as this role; no user code runs.
  local,
  // User code may run: no SET ROLE, no temporary objects, nothing left behind for later.
  restricted,
};

// Another role until the scope ends, by whichever way: setting it back cannot fail.
class Identity {
 public:
  Identity(Oid role, Trust trust) {
    GetUserIdAndSecContext(&caller_, &context_);
    SetUserIdAndSecContext(role,
                           context_ | (trust == Trust::restricted ? SECURITY_RESTRICTED_OPERATION
                                                                  : SECURITY_LOCAL_USERID_CHANGE));
  }
  ~Identity() { SetUserIdAndSecContext(caller_, context_); }
  Identity(const Identity&) = delete;
  Identity& operator=(const Identity&) = delete;

 private:
  Oid caller_;
  int context_;
};

}  // namespace mvo::pg
