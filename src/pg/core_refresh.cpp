#include "pg/core_refresh.hpp"

#include "pg/guc_scope.hpp"
#include "pg/identifier.hpp"
#include "pg/utility.hpp"

extern "C" {
#include <commands/event_trigger.h>
#include <commands/matview.h>
#include <tcop/utility.h>
}

namespace mvo::pg {
namespace {

// CONCURRENTLY makes its temporary table with the owner's rights but outside of the restricted
// operation, and event triggers fire for that: what they name without a schema must be found where
// the caller finds it, not where the view's author says, nor in a schema of the owner's name.
class CallersPath {
 public:
  CallersPath() {
    for (const std::string& schema : caller_search_path())
      path_ += (path_.empty() ? "" : ", ") + print(schema);
    if (path_.empty()) path_ = "pg_catalog";
    innermost = this;
  }
  ~CallersPath() { innermost = outer_; }
  CallersPath(const CallersPath&) = delete;
  CallersPath& operator=(const CallersPath&) = delete;

  // ProcessUtility_hook. Nothing in it needs a destructor.
  static void run(PlannedStmt* statement, const char* text, bool keep_tree,
                  ProcessUtilityContext context, ParamListInfo parameters,
                  QueryEnvironment* environment, DestReceiver* receiver, QueryCompletion* done) {
    const bool ours = innermost != nullptr && !InSecurityRestrictedOperation();
    const int level = ours ? NewGUCNestLevel() : 0;
    if (ours)
      (void)set_config_option("search_path", innermost->path_.c_str(), PGC_USERSET, PGC_S_SESSION,
                              GUC_ACTION_SAVE, true, 0, false);
    next(statement, text, keep_tree, context, parameters, environment, receiver, done);
    if (ours) AtEOXact_GUC(true, level);
  }

  static inline ProcessUtility_hook_type next = nullptr;

 private:
  static inline CallersPath* innermost = nullptr;

  CallersPath* outer_ = innermost;
  std::string path_;
};

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

void install_refresh_hook() {
  CallersPath::next =
      ProcessUtility_hook != nullptr ? ProcessUtility_hook : standard_ProcessUtility;
  ProcessUtility_hook = CallersPath::run;
}

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
  ObjectAddress refreshed;
  {
    const CallersPath path;
    GucScope scope;
    scope.set_all(settings);
    refreshed = call([&] {
      CommandCounterIncrement();
      return ExecRefreshMatView(statement, text.c_str(), nullptr, &completion);
    });
    scope.end();
  }
  triggers.finish(refreshed);
  call([] { CommandCounterIncrement(); });
  return static_cast<std::int64_t>(completion.nprocessed);
}

}  // namespace mvo::pg
