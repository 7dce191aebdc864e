#include "pg/refresh.hpp"

namespace mvo::pg {

core::Refreshed refresh_in(core::Mode mode, const core::Name& view,
                           const std::vector<std::string>& settings) {
  switch (mode) {
    case core::Mode::concurrent:
      return refresh_concurrent(view, settings);
    case core::Mode::plain:
    case core::Mode::automatic:
      break;
  }
  return refresh_plain(view, settings);
}

}  // namespace mvo::pg
