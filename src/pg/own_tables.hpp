// Access to the extension's own tables: as their owner, with a locked search_path.
#pragma once

#include "pg/guc_scope.hpp"
#include "pg/identity.hpp"
#include "pg/spi.hpp"

namespace mvo::pg {

// Open from the first query to the last use of its rows. No user code may run meanwhile.
class OwnTables {
 public:
  OwnTables();
  void end() { settings_.end(); }

 private:
  Identity identity_;
  GucScope settings_;
  SpiConnection connection_;
};

// Nobody drops or alters them before the transaction ends: ACCESS SHARE on the registry, when it
// exists.
void lock_own_tables();

}  // namespace mvo::pg
