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

StatementMemory::StatementMemory()
    : own_(call([] {
        return AllocSetContextCreate(CurrentMemoryContext, "mv_orchestrator statement",
                                     ALLOCSET_DEFAULT_SIZES);
      })) {
  MemoryContextSwitchTo(own_);
}

StatementMemory::~StatementMemory() {
  MemoryContextSwitchTo(caller_);
  if (std::uncaught_exceptions() == exceptions_) MemoryContextDelete(own_);
}

void run_utility(Node* statement, const std::string& text) {
  const StatementMemory memory;
  call([&] {
    auto* planned = makeNode(PlannedStmt);
    planned->commandType = CMD_UTILITY;
    planned->canSetTag = true;
    planned->utilityStmt = statement;
    planned->stmt_location = -1;
    CommandCounterIncrement();
    ProcessUtility(planned, text.c_str(), false, PROCESS_UTILITY_QUERY, nullptr, nullptr,
                   None_Receiver, nullptr);
    CommandCounterIncrement();
  });
}

}  // namespace mvo::pg
