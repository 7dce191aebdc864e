#include "pg/rights.hpp"

#include "core/error.hpp"
#include "pg/identifier.hpp"

namespace mvo::pg {

bool has_rights_of(Oid role) {
  return call([&] { return has_privs_of_role(GetUserId(), role); });
}

void Refusals::raise_if_any() const {
  if (views_.empty()) return;
  std::string list;
  for (const core::Name& view : views_) list += (list.empty() ? "" : ", ") + print(view);
  throw core::Error{core::Code::rights_missing, std::string("permission denied to ") + action_ +
                                                    " materialized view" +
                                                    (views_.size() == 1 ? " " : "s ") + list};
}

Oid schema_of(const core::Name& name) {
  const Oid schema = call([&] { return get_namespace_oid(name.schema.c_str(), false); });
  if (call([&] { return isAnyTempNamespace(schema); }))
    throw core::Error{core::Code::name_invalid,
                      "materialized view " + print(name) + " cannot be in a temporary schema"};
  return schema;
}

}  // namespace mvo::pg
