// Registering and forgetting.
#pragma once

#include "pg/registration.hpp"

namespace mvo::pg {

// The arguments of mv_register(), as written.
struct RegisterRequest {
  std::string name;
  std::string definition;
  std::vector<std::string> depends_on;
  std::vector<std::string> unique_key;
  std::vector<std::string> indexes;
  std::string mode;
  std::string options;
};

// Stores; touches nothing else. Returns the name. A view of that name that is registered already
// keeps its owner.
// Errors: 42602, 42622, 3F000, 42501, 42809 for a name that is something else, 42P19, 42601, 42P02,
// 22023, and what the analysis of the definition raises unless it means that something does not
// exist yet.
core::Name register_view(const RegisterRequest& request);

// Forgets; the live view stays. 42704 when it is not registered, 42501.
void unregister_view(const std::string& name);

}  // namespace mvo::pg
