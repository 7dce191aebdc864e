#include "pg/core_refresh.hpp"
#include "pg/refresh.hpp"

namespace mvo::pg {

core::Refreshed refresh_concurrent(const core::Name& view,
                                   const std::vector<std::string>& settings) {
  return {run_core_refresh(view, true, settings), std::nullopt};
}

}  // namespace mvo::pg
