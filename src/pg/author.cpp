#include <fmt/format.h>  // before the server, which redefines printf

#include "pg/author.hpp"

#include <charconv>

#include "core/error.hpp"
#include "pg/identifier.hpp"

extern "C" {
#include <access/xlog.h>
}

namespace mvo::pg {
namespace {

std::string prefix_of_keys() {
  return fmt::format("{}/", GetSystemIdentifier());
}

Oid role_named(const std::string& name) {
  return call([&] { return get_role_oid(name.c_str(), true); });
}

}  // namespace

Author author_of(Oid role) {
  return {role, call([&] { return GetUserNameFromId(role, false); }),
          prefix_of_keys() + fmt::to_string(role)};
}

Author find_author(const std::string& name, const std::string& key) {
  const std::string ours = prefix_of_keys();
  if (!key.starts_with(ours)) return {role_named(name), name, key};
  Oid role = InvalidOid;
  std::from_chars(key.data() + ours.size(), key.data() + key.size(), role);
  const char* present = call([&] { return GetUserNameFromId(role, true); });
  if (present == nullptr) return {InvalidOid, name, key};
  return {role, present, key};
}

Oid role_of(const Author& author) {
  if (!author.is_gone()) return author.role;
  const bool replaced = OidIsValid(role_named(author.name));
  throw core::Error{
      core::Code::author_missing,
      fmt::format("role {}, which registered it, no longer exists", print(author.name)),
      replaced ? "The role that has this name now is another one." : "",
      "Register it again with mv_register()."};
}

}  // namespace mvo::pg
