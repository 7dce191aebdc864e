// What registered views read: as somebody declared it, and as it was discovered, from the rule of
// a view that exists, from the text of one that does not.
#pragma once

#include <functional>

#include "core/plan.hpp"
#include "pg/guard.hpp"
#include "pg/spi.hpp"

namespace mvo::pg {

// One thing that a view reads or is declared to depend on.
struct Dependency {
  std::string name;                // as it is printed; of what names nothing, as it was written
  std::optional<core::Node> view;  // when it is registered
  char kind = 0;                   // pg_class.relkind; 0 when there is no such relation
  bool declared = false;
  bool discovered = false;
  // The plain views and functions on the shortest way to it, the smallest among equals; empty when
  // it is read directly or not discovered.
  std::vector<std::string> via = {};
};

// What is known of one registered view. Names that only its text or its declaration holds and that
// are not registered are left out for a caller who is no member of its owner or of pg_monitor.
struct ViewDependencies {
  // Bytewise by name, each once: registered views and other sources that it reads, names in the
  // text of a view that does not exist that name nothing, and all that is declared.
  std::vector<Dependency> dependencies;
  // Functions that it calls, directly or on the way, and that nobody can look into, with their
  // argument types: public.f(integer). Bytewise. None is known of a view that does not exist.
  std::vector<std::string> opaque;
  // Names in the text of a view that does not exist that name nothing. Bytewise.
  std::vector<std::string> unresolved;
  // From the live view, and not from the registered text.
  bool from_live = false;
};

struct Dependencies {
  core::Views views;                 // with what was discovered, of the chosen ones, in their graph
  std::vector<ViewDependencies> of;  // by node; empty of those that were not chosen
  std::vector<core::Node> chosen;
};

// For those who show it: of all views, or of those that `choose` returns, ascending and distinct.
// Takes no lock on users' objects and runs no code of theirs.
Dependencies load_dependencies(
    Sees sees,
    const std::function<std::vector<core::Node>(const core::Views&)>& choose = core::all_views);

// The views alone, for those who plan.
core::Views load_views_with_reads(Sees sees);

}  // namespace mvo::pg
