// The registry as a script.
#pragma once

#include <string>
#include <vector>

namespace mvo::pg {

// Statements and comment lines that, run by a superuser in an empty database with the extension and
// the roles, rebuild the registrations that the caller may see, with their authors and settings;
// and, once their views are created, the views' owners, privileges, and comments on columns and
// indexes. The same registry gives the same text. Every name and text in it is quoted, and nothing
// in it runs what an author wrote but mv_register(), which reads it with his rights, restricted.
// Locks nothing.
std::vector<std::string> export_registry();

}  // namespace mvo::pg
