// What a live materialized view is made of, in the words of a registration.
#pragma once

#include "pg/registration.hpp"
#include "pg/relation.hpp"

namespace mvo::pg {

// The functions below print names as the search_path in force asks for.

// As pg_get_viewdef() prints it, of the view as it is now. Needs its owner's identity, restricted.
std::string print_definition(const LiveRelation& view);

struct LiveIndexes {
  std::vector<std::string> statements;  // as pg_get_indexdef() prints them, with their tablespaces
  std::vector<std::string> invalid;     // names of those that are not valid
};

// Its indexes, by name. Locks each AccessShare; the view is locked already.
LiveIndexes print_indexes(const LiveRelation& view);

// How it is stored and its comment. The access method only where the default, here or in this
// session, is another one, and the tablespace only where it is not the database's.
Options options_of(const LiveRelation& view);

}  // namespace mvo::pg
