#pragma once

#include "core/run.hpp"
#include "pg/guard.hpp"

extern "C" {
#include <utils/timestamp.h>
}

namespace mvo::pg {

inline core::Microseconds now() {
  return core::Microseconds(GetCurrentTimestamp());
}

}  // namespace mvo::pg
