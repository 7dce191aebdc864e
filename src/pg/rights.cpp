#include <fmt/format.h>  // before the server, which redefines printf

#include "pg/rights.hpp"

#include "core/error.hpp"
#include "pg/compat.hpp"
#include "pg/identifier.hpp"
#include "pg/registry.hpp"

extern "C" {
#include <catalog/pg_authid.h>
}

namespace mvo::pg {

bool has_rights_of(Oid role) {
  return call([&] { return has_privs_of_role(GetUserId(), role); });
}

bool has_rights_of(const Author& author) {
  return author.is_gone() ? call([] { return superuser(); }) : has_rights_of(author.role);
}

void require_rights_of(const Author& owner) {
  if (has_rights_of(owner)) return;
  const std::string name = print(owner.name);
  throw core::Error{core::Code::rights_missing, "permission denied",
                    owner.is_gone()
                        ? fmt::format("It was registered by role {}, which no longer exists.", name)
                        : fmt::format("It belongs to role {}.", name)};
}

void require_create_in_schema_of(const core::Name& name, Oid role) {
  const Oid schema = schema_of(name);
  if (call([&] { return compat::has_schema_right(schema, role, ACL_CREATE); })) return;
  throw core::Error{core::Code::rights_missing, "permission denied", lacks_create(role, schema)};
}

bool is_monitor() {
  return has_rights_of(Oid{ROLE_PG_MONITOR});
}

bool may_look_into(Oid owner) {
  return is_monitor() || (OidIsValid(owner) && has_rights_of(owner));
}

bool may_read(const core::Name& view, Oid role) {
  const auto relation = find_relation(view);
  if (!relation) {
    const auto registration = load_registration(view);
    if (!registration || registration->author.is_gone()) return false;
    const Oid author = registration->author.role;
    return call([&] { return has_privs_of_role(role, author); });
  }
  return call([&] {
    bool gone = false;
    const Oid schema = get_rel_namespace(relation->oid);
    return OidIsValid(schema) && compat::has_schema_right(schema, role, ACL_USAGE) &&
           (pg_class_aclcheck_ext(relation->oid, role, ACL_SELECT, &gone) == ACLCHECK_OK ||
            pg_attribute_aclcheck_all(relation->oid, role, ACL_SELECT, ACLMASK_ANY) == ACLCHECK_OK);
  });
}

bool owns_schema_of(const core::Name& name) {
  return call([&] {
    const Oid schema = get_namespace_oid(name.schema.c_str(), true);
    return OidIsValid(schema) && compat::owns_schema(schema, GetUserId());
  });
}

void Refusals::add(const core::Name& view, const std::string& reason) {
  views_.push_back(view);
  if (reason.empty() || reasons_.find(reason) != std::string::npos) return;
  reasons_ += (reasons_.empty() ? "" : "\n") + reason;
}

void Refusals::raise_if_any() const {
  if (views_.empty()) return;
  throw core::Error{core::Code::rights_missing,
                    fmt::format("permission denied to {} materialized view{} {}", action_,
                                views_.size() == 1 ? "" : "s", print_list(views_)),
                    reasons_,
                    {},
                    0,
                    {},
                    views_.size() == 1 ? std::optional(views_.front()) : std::nullopt};
}

std::string lacks_create(Oid role, Oid schema) {
  const std::string role_name = call([&] { return GetUserNameFromId(role, false); });
  const std::string schema_name = call([&] { return get_namespace_name(schema); });
  return fmt::format("Role {} lacks CREATE on schema {}.", print(role_name), print(schema_name));
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
