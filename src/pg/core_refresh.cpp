#include "pg/core_refresh.hpp"

#include "pg/guc_scope.hpp"
#include "pg/identifier.hpp"
#include "pg/utility.hpp"

extern "C" {
#include <commands/event_trigger.h>
#include <commands/matview.h>
}

namespace mvo::pg {
namespace {

// What the server does around a REFRESH inside a function, ProcessUtilitySlow() in utility.c, with
// one difference: the settings hold for the command alone. ProcessUtility_hook does not see it.
class EventTriggers {
 public:
  explicit EventTriggers(Node* statement)
      : statement_(statement), active_(call([] { return EventTriggerBeginCompleteQuery(); })) {}

  // The state is the backend's own: no rollback puts it back, and neither of these can fail.
  ~EventTriggers() {
    if (inhibited_) EventTriggerUndoInhibitCommandCollection();
    if (active_) EventTriggerEndCompleteQuery();
  }

  void start() {
    call([&] { EventTriggerDDLCommandStart(statement_); });
    // The commands that CONCURRENTLY runs inside are not the user's.
    call([] { EventTriggerInhibitCommandCollection(); });
    inhibited_ = true;
  }

  void finish(ObjectAddress refreshed) {
    call([] { EventTriggerUndoInhibitCommandCollection(); });
    inhibited_ = false;
    call([&] {
      EventTriggerCollectSimpleCommand(refreshed, InvalidObjectAddress, statement_);
      EventTriggerSQLDrop(statement_);
      EventTriggerDDLCommandEnd(statement_);
    });
  }

 private:
  Node* statement_;
  bool active_;
  bool inhibited_ = false;
};

}  // namespace

std::int64_t run_core_refresh(const core::Name& view, bool concurrently,
                              const std::vector<std::string>& settings) {
  RangeVar* relation = range_var(view);
  auto* statement = call([&] {
    auto* refresh = makeNode(RefreshMatViewStmt);
    refresh->concurrent = concurrently;
    refresh->relation = relation;
    return refresh;
  });
  const std::string text =
      (concurrently ? "REFRESH MATERIALIZED VIEW CONCURRENTLY " : "REFRESH MATERIALIZED VIEW ") +
      print(view);
  const StatementMemory memory;
  QueryCompletion completion;
  InitializeQueryCompletion(&completion);
  EventTriggers triggers(reinterpret_cast<Node*>(statement));
  triggers.start();
  GucScope scope;
  scope.set_all(settings);
  const ObjectAddress refreshed = call([&] {
    CommandCounterIncrement();
    return ExecRefreshMatView(statement, text.c_str(), nullptr, &completion);
  });
  scope.end();
  triggers.finish(refreshed);
  call([] { CommandCounterIncrement(); });
  return static_cast<std::int64_t>(completion.nprocessed);
}

}  // namespace mvo::pg
