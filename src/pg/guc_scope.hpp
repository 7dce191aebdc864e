// Settings that hold until the scope ends.
#pragma once

#include "pg/guard.hpp"

namespace mvo::pg {

// A GUC nesting level. After an error it is the rollback of the surrounding (sub)transaction that
// ends the level, as everywhere in the server; the destructor therefore does nothing.
//
// What others' code has set since may not be set again at the same level: the server asserts it.
class GucScope {
 public:
  GucScope() : level_(call([] { return NewGUCNestLevel(); })) {}

  void set(const char* name, const std::string& value, GucContext context = PGC_USERSET) {
    call([&] {
      (void)set_config_option(name, value.c_str(), context, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
                              false);
    });
  }

  // Settings written as pg_proc.proconfig writes them: name=value.
  void set_all(const std::vector<std::string>& settings);

  void end() {
    call([&] { AtEOXact_GUC(false, level_); });
  }

 private:
  int level_;
};

}  // namespace mvo::pg
