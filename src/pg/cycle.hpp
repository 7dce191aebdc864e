// A cycle among views, in words.
#pragma once

#include "core/order.hpp"
#include "core/view.hpp"

namespace mvo::pg {

struct CycleText {
  std::string path;    // a -> b -> a
  std::string detail;  // which of its edges are somebody's word alone
  std::string hint;    // how to end it
};

CycleText describe_cycle(const core::Views& views, const core::Cycle& cycle);

}  // namespace mvo::pg
