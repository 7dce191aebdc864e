// Steps that fail while their run goes on: on_error => 'continue'.
#pragma once

#include <functional>

#include "core/error.hpp"
#include "core/run.hpp"
#include "core/view.hpp"
#include "pg/guard.hpp"

namespace mvo::pg {

// Runs refresh() so that its error undoes nothing but what it did itself, and gives that error
// back. An interrupt is thrown on, as is running out of memory here. A cancel that came meanwhile
// is raised even when refresh() has survived it or failed by something else.
core::Attempt attempt(const std::function<core::Refreshed()>& refresh);

core::Failure failure_of(const PgError& error);
core::Failure failure_of(const core::Error& error);

// Says in their detail why steps failed. An error's own DETAIL, which can hold rows, is for members
// of the view's owner; `owners` are in the order of the steps.
void describe_failures(std::vector<core::Outcome>& outcomes, const core::Views& views,
                       const std::vector<Oid>& owners);

// One warning a run that had failures.
void warn_of_failures(const std::vector<core::Outcome>& outcomes);

// One error a run that had failures, once all that is done is committed: of the first one's
// SQLSTATE. It names the first few.
void raise_failures(const std::vector<core::Outcome>& outcomes, const core::Views& views,
                    std::int64_t run);

}  // namespace mvo::pg
