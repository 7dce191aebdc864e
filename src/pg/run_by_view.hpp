// A run that commits each view when it is done: in as many transactions as steps, and with as many
// snapshots. What is done stays, whatever comes after.
#pragma once

#include "core/run.hpp"
#include "pg/plan.hpp"
#include "pg/transactions.hpp"

namespace mvo::pg {

// Run locks for all views are held from the first transaction to the last; the locks on a view and
// what it reads for its own transaction alone. A step that fails by another transaction's doing is
// tried again. With `jobs` of more than one, and where that is worth it, the steps are taken by as
// many workers. History is written as the run goes. After the last commit it raises an error when a
// step failed: of the first one's SQLSTATE. A run that is skipped for another one says so in a
// NOTICE. Other errors: 42704, 42P19, 42501, and 55P03 for a run lock, before the first step;
// an interrupt at any time, after it was written down where it struck, unless that was a commit.
void run_by_view(Transactions& transactions, const PlanRequest& request, Overlap overlap,
                 core::OnError on_error, int jobs);

}  // namespace mvo::pg
