// Under which OID a registered view was last seen: a hint, by which a view that was renamed, moved
// or made anew by hand can be told from one that was dropped. It is not dumped, nobody waits for it
// and nothing but what is said to people depends on it.
#pragma once

#include <unordered_map>
#include <utility>

#include "core/run.hpp"
#include "pg/plan.hpp"
#include "pg/registry.hpp"

namespace mvo::pg {

using SeenViews = std::unordered_map<core::Name, std::vector<Oid>, core::NameHash>;

// Of every name, the last one first.
SeenViews load_seen();

// Notes the views that live now under these names. Only in READ COMMITTED: elsewhere writing it
// could make the transaction fail.
void note_seen(const std::vector<core::Name>& views);

// As above, after a run: costs nothing as long as the views are those that were seen last.
void note_refreshed(const Planned& planned, const std::vector<core::Outcome>& outcomes,
                    const Facts& facts);

// For a name that is no longer registered.
void forget_seen(const core::Name& view);

}  // namespace mvo::pg
