// Who may do what: checked for all views of a call before anything is locked or done.
#pragma once

#include "core/view.hpp"
#include "pg/author.hpp"
#include "pg/relation.hpp"

namespace mvo::pg {

// The role that is asked for, as the caller has its rights: of the owner or a superuser.
bool has_rights_of(Oid role);
// The rights of an author who is gone only a superuser has.
bool has_rights_of(const Author& author);

// 42501 unless the caller has the rights of a view's owner.
void require_rights_of(const Author& owner);
// 42501 unless the role may create in the schema of the name.
void require_create_in_schema_of(const core::Name& name, Oid role);
// Whether the caller watches over all views: a member of pg_monitor or a superuser.
bool is_monitor();
// Whether the caller may see what is not for everybody's eyes of a view of this owner, as in the
// view mv_orchestrator.status; an owner who is gone is InvalidOid.
bool may_look_into(Oid owner);

// Whether a role may read a view, or any column of it. One that does not exist may be read by those
// who have its author's rights.
bool may_read(const core::Name& view, Oid role);
// Whether the caller has the rights of the owner of a name's schema, who may do away with what is
// in it.
bool owns_schema_of(const core::Name& name);

// Collects the views for which a right is missing and then raises one error that lists them.
class Refusals {
 public:
  // `action` as in "permission denied to <action> materialized view a".
  explicit Refusals(const char* action) : action_(action) {}
  void add(const core::Name& view, const std::string& reason = {});
  // 42501 when there are any.
  void raise_if_any() const;

 private:
  const char* action_;
  std::vector<core::Name> views_;
  std::string reasons_;
};

// "Role a lacks CREATE on schema b."
std::string lacks_create(Oid role, Oid schema);

// Schema of a name: 3F000 when it does not exist, 42602 for a temporary one.
Oid schema_of(const core::Name& name);

}  // namespace mvo::pg
