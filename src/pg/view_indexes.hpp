// The indexes of a view, as the modes that write its files themselves need them.
#pragma once

#include "pg/guard.hpp"

extern "C" {
#include <utils/rel.h>
}

namespace mvo::pg {

// Locks each index ShareUpdateExclusive (ALTER INDEX locks the index alone) and returns them.
// 55000 for one that is not valid: what it holds is not known, and building upon it would hide
// that.
std::vector<Oid> lock_indexes(Relation view);

// The names of those that are not valid; the view is locked.
std::vector<std::string> invalid_indexes(Oid view);

// That the view has these indexes still: 55006 where something that we called changed them.
void check_indexes_are(Relation view, const std::vector<Oid>& indexes);

// Puts the name of the view's index in the place of a copy's in an error of building the copy.
void name_index(PgError& error, Oid view_index);

}  // namespace mvo::pg
