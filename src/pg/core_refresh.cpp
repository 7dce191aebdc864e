#include "pg/core_refresh.hpp"

#include "pg/identifier.hpp"
#include "pg/utility.hpp"

namespace mvo::pg {

std::int64_t run_core_refresh(const core::Name& view, bool concurrently) {
  RangeVar* relation = range_var(view);
  Node* statement = call([&] {
    auto* refresh = makeNode(RefreshMatViewStmt);
    refresh->concurrent = concurrently;
    refresh->relation = relation;
    return reinterpret_cast<Node*>(refresh);
  });
  const char* command =
      concurrently ? "REFRESH MATERIALIZED VIEW CONCURRENTLY " : "REFRESH MATERIALIZED VIEW ";
  return run_utility(statement, command + print(view));
}

}  // namespace mvo::pg
