// A receiver that fills a new table: many rows at a time, frozen, so that all its pages are
// all-visible from the start. Core's own receiver for REFRESH writes row by row and leaves none.
#pragma once

#include "pg/guard.hpp"

extern "C" {
#include <tcop/dest.h>
#include <utils/rel.h>
}

namespace mvo::pg {

// The table was created in this (sub)transaction and nobody else can see it. Allocated in the
// current memory context. Only server code that may raise: call it inside pg::call.
DestReceiver* fill_receiver(Relation table);

}  // namespace mvo::pg
