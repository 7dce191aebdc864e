// The SQLSTATE of each error of our own.
#pragma once

#include "core/error.hpp"

namespace mvo::pg {

int sqlstate_of(core::Code code);

}  // namespace mvo::pg
