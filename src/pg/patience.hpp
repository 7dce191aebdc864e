// Waiting for locks without holding any.
#pragma once

#include <functional>

#include "pg/guard.hpp"

namespace mvo::pg {

// Sleeps, and lets a pending cancel or terminate through.
void pause(int milliseconds);

// Runs body(), which takes locks and is rolled back whatever it gives. A lock that is not had
// within a moment is not waited for while others are held: they are given back and body() is run
// again after a pause, so that it never stands in a circle of waiting sessions. 55P03 after the
// lock limit. With `wait` it waits in the ordinary way, for the server's detector to judge: a
// transaction that keeps locks anyhow gains nothing by giving back a few.
void look_without_holding_locks(bool wait, const std::function<void()>& body);

}  // namespace mvo::pg
