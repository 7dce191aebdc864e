#include "pg/refresh.hpp"

namespace mvo::pg {

core::Refreshed refresh_in(const core::Step& step, const core::Name& name, const LiveRelation& view,
                           const std::vector<std::string>& settings, Exchanges& exchanges) {
  switch (step.mode) {
    case core::Mode::concurrent:
      return refresh_concurrent(name, settings);
    case core::Mode::swap:
      return refresh_swap(name, view, settings, exchanges);
    case core::Mode::diff:
      return core::may_give_up(step.reason) ? refresh_diff_or_swap(name, view, settings, exchanges)
                                            : refresh_diff(view, settings);
    case core::Mode::plain:
    case core::Mode::automatic:
      break;
  }
  return refresh_plain(name, settings);
}

}  // namespace mvo::pg
