#include "pg/core_refresh.hpp"
#include "pg/refresh.hpp"

namespace mvo::pg {

core::Refreshed refresh_plain(const core::Name& view) {
  return {run_core_refresh(view, false), std::nullopt};
}

}  // namespace mvo::pg
