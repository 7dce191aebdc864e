#include "pg/refresh.hpp"

namespace mvo::pg {

core::Refreshed refresh_in(core::Mode mode, const core::Name& view,
                           const std::vector<std::string>& settings, Exchanges& exchanges) {
  switch (mode) {
    case core::Mode::concurrent:
      return refresh_concurrent(view, settings);
    case core::Mode::swap:
      return refresh_swap(view, settings, exchanges);
    case core::Mode::diff:
      return refresh_diff(view, settings);
    case core::Mode::plain:
    case core::Mode::automatic:
      break;
  }
  return refresh_plain(view, settings);
}

}  // namespace mvo::pg
