// The settings that decide what a definition's text means.
#pragma once

#include "pg/guard.hpp"
#include "pg/guc_scope.hpp"

namespace mvo::pg {

// Those of this moment, as pg_proc.proconfig writes them (name=value). search_path has "$user"
// replaced by the current role, so that the text means the same to everybody, and pg_temp last, so
// that nobody's temporary table comes before a real one.
std::vector<std::string> record_settings();

// The same for a text that the server printed with canonical_settings(): it means in them what it
// says. The search_path alone is that of this moment.
std::vector<std::string> record_settings_of_printed();

// Of the recorded settings, search_path alone: what is in force when a view's query runs.
std::vector<std::string> search_path_of(const std::vector<std::string>& settings);
// The schemas of the recorded search_path, in order.
std::vector<std::string> recorded_search_path(const std::vector<std::string>& settings);

// Puts recorded settings in force, to read the text that they were recorded with. Warnings about
// backslashes in it were given when it was registered.
void put_in_force(GucScope& scope, const std::vector<std::string>& settings);

// The settings in which two texts are compared: every name qualified, one way to print a date.
std::vector<std::string> canonical_settings();

}  // namespace mvo::pg
