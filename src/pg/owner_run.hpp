// Running a view's query ourselves: whose rights and which settings.
#pragma once

#include "pg/compat.hpp"
#include "pg/guc_scope.hpp"
#include "pg/identity.hpp"
#include "pg/relation.hpp"

namespace mvo::pg {

// The owner's identity, restricted, and a level of settings of its own, so that nothing that the
// query sets stays; from 17 on the locked search_path of core's REFRESH. After an error the
// rollback ends the level.
class OwnerRun {
 public:
  OwnerRun(const LiveRelation& view, const std::vector<std::string>& settings)
      : identity_(view.owner, Trust::restricted) {
    call([] { compat::restrict_search_path(); });
    settings_.set_all(settings);
  }
  void end() { settings_.end(); }

 private:
  Identity identity_;
  GucScope settings_;
};

}  // namespace mvo::pg
