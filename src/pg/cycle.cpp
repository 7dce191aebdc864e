#include <fmt/format.h>  // before the server, which redefines printf

#include "pg/cycle.hpp"

#include "pg/identifier.hpp"

namespace mvo::pg {

CycleText describe_cycle(const core::Views& views, const core::Cycle& cycle) {
  std::string path, declared;
  bool all_declared = true;
  for (std::size_t i = 0; i < cycle.size(); ++i) {
    const core::Node reader = cycle[i], source = cycle[(i + 1) % cycle.size()];
    path += print(views[reader].name) + " -> ";
    if (views.discovered().has({reader, source}))
      all_declared = false;
    else
      declared += fmt::format("{}{} -> {}", declared.empty() ? "" : ", ", print(views[reader].name),
                              print(views[source].name));
  }
  path += print(views[cycle.front()].name);
  if (declared.empty())
    return {path, "All of these dependencies were found in what the views read.",
            "Change what one of them reads."};
  return {path,
          all_declared
              ? "All of these dependencies are declared and were not found in what the views read."
              : fmt::format("Declared and not found in what the views read: {}.", declared),
          "Register one of them again without the dependency."};
}

}  // namespace mvo::pg
