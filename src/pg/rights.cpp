#include <fmt/format.h>  // before the server, which redefines printf

#include "pg/rights.hpp"

#include "core/error.hpp"
#include "pg/identifier.hpp"

namespace mvo::pg {

bool has_rights_of(Oid role) {
  return call([&] { return has_privs_of_role(GetUserId(), role); });
}

void Refusals::raise_if_any() const {
  if (views_.empty()) return;
  throw core::Error{core::Code::rights_missing,
                    fmt::format("permission denied to {} materialized view{} {}", action_,
                                views_.size() == 1 ? "" : "s", print_list(views_))};
}

Oid schema_of(const core::Name& name) {
  const Oid schema = call([&] { return get_namespace_oid(name.schema.c_str(), false); });
  if (call([&] { return isAnyTempNamespace(schema); }))
    throw core::Error{
        core::Code::name_invalid,
        fmt::format("materialized view {} cannot be in a temporary schema", print(name))};
  return schema;
}

}  // namespace mvo::pg
