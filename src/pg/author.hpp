// Who registered a definition: the role with whose rights its text is read.
#pragma once

#include "pg/guard.hpp"

namespace mvo::pg {

// A role's name is not who it is: it can be dropped, or renamed, and another be made of that name.
// So the registry keeps, beside the name, a key: the role's OID with the identifier of the cluster
// in which that means something ("identifier/OID"). In a registry that came from another cluster,
// by a dump or an upgrade, the name is all there is to go by.
struct Author {
  Oid role = InvalidOid;  // InvalidOid: he is gone, and nobody has his rights
  std::string name = {};  // as it is now; of one who is gone, as it was
  std::string key = {};   // as the registry keeps it

  bool is_gone() const { return !OidIsValid(role); }
};

// A role that exists, as an author.
Author author_of(Oid role);
// The one whom the registry has by this name and key.
Author find_author(const std::string& name, const std::string& key);
// His role: 42704 when he is gone.
Oid role_of(const Author& author);

}  // namespace mvo::pg
