// The settings mv_orchestrator.*
#pragma once

#include "core/mode.hpp"

namespace mvo::pg {

// Called once, from _PG_init.
void define_settings();

// mv_orchestrator.mode: how views registered as "auto" are refreshed.
core::Mode mode_setting();
// The limit of each lock wait of ours in milliseconds, 0 for none: the smaller of
// mv_orchestrator.lock_timeout and the server's lock_timeout.
int lock_timeout_ms();

}  // namespace mvo::pg
