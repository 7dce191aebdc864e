#include "pg/utility.hpp"

extern "C" {
#include <tcop/dest.h>
#include <tcop/utility.h>
}

namespace mvo::pg {

RangeVar* range_var(const core::Name& name) {
  return call(
      [&] { return makeRangeVar(pstrdup(name.schema.c_str()), pstrdup(name.name.c_str()), -1); });
}

std::int64_t run_utility(Node* statement, const std::string& text) {
  return call([&] {
    // Hundreds of statements in one call: what each leaves behind is freed at once.
    const MemoryContext caller = CurrentMemoryContext;
    const MemoryContext own =
        AllocSetContextCreate(caller, "mv_orchestrator statement", ALLOCSET_DEFAULT_SIZES);
    MemoryContextSwitchTo(own);

    auto* planned = makeNode(PlannedStmt);
    planned->commandType = CMD_UTILITY;
    planned->canSetTag = true;
    planned->utilityStmt = statement;
    planned->stmt_location = -1;
    QueryCompletion completion;
    InitializeQueryCompletion(&completion);
    CommandCounterIncrement();
    ProcessUtility(planned, text.c_str(), false, PROCESS_UTILITY_QUERY, nullptr, nullptr,
                   None_Receiver, &completion);
    CommandCounterIncrement();

    MemoryContextSwitchTo(caller);
    MemoryContextDelete(own);
    return static_cast<std::int64_t>(completion.nprocessed);
  });
}

}  // namespace mvo::pg
