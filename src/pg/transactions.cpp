#include <fmt/format.h>  // before the server, which redefines printf

#include "pg/transactions.hpp"

extern "C" {
#include <executor/spi.h>
#include <tcop/pquery.h>
#include <utils/portal.h>
}

namespace mvo::pg {
namespace {

bool is_atomic(FunctionCallInfo fcinfo) {
  return fcinfo->context == nullptr || !IsA(fcinfo->context, CallContext) ||
         castNode(CallContext, fcinfo->context)->atomic;
}

// By the client itself, and not from within a function or another procedure.
bool is_called_directly(FunctionCallInfo fcinfo) {
  if (ActivePortal == nullptr || ActivePortal->stmts == NIL) return false;
  const Node* statement = linitial_node(PlannedStmt, ActivePortal->stmts)->utilityStmt;
  return statement != nullptr && IsA(statement, CallStmt) &&
         reinterpret_cast<const CallStmt*>(statement)->funcexpr->funcid == fcinfo->flinfo->fn_oid;
}

void require_own_transactions(FunctionCallInfo fcinfo, const char* procedure) {
  if (IsTransactionBlock() && is_called_directly(fcinfo))
    ereport(ERROR,
            (errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
             errmsg("%s cannot run inside a transaction block", procedure),
             errdetail("It commits each materialized view when it is done."),
             errhint("CALL it with autocommit on, as the only statement of its query string; or "
                     "use mv_refresh_all().")));
  if (is_atomic(fcinfo))
    ereport(ERROR,
            (errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION),
             errmsg("%s cannot run where transactions cannot be ended", procedure),
             errdetail("It commits each materialized view when it is done."),
             errhint("CALL it at the top level, and not from a function, a block that handles "
                     "exceptions, or a procedure with SET or SECURITY DEFINER; or use "
                     "mv_refresh_all().")));
}

}  // namespace

Transactions::Transactions(FunctionCallInfo fcinfo, const char* procedure) {
  call([&] {
    require_own_transactions(fcinfo, procedure);
    SPI_connect_ext(SPI_OPT_NONATOMIC);
  });
}

// After an error the rollback closes the connection.
Transactions::~Transactions() {
  if (std::uncaught_exceptions() == exceptions_) SPI_finish();
}

void Transactions::commit() {
  end();
  go_on();
}

void Transactions::end() {
  call([] { SPI_commit(); });
}

void Transactions::go_on() {
  call([] { EnsurePortalSnapshotExists(); });
}

}  // namespace mvo::pg
