// The registered views as they are drawn: with what they read, and with their state.
#pragma once

#include "core/picture.hpp"
#include "pg/guard.hpp"

namespace mvo::pg {

// `with_views`: the plain views and functions on the way, too; `with_sources`: what is not
// registered, too. Sees what the calling statement sees. Marks as failed only what
// mv_orchestrator.history shows to the caller. Takes no lock on users' objects.
core::Picture load_picture(bool with_views, bool with_sources);

}  // namespace mvo::pg
