// A procedure that ends transactions and goes on in new ones.
#pragma once

#include "pg/guard.hpp"

namespace mvo::pg {

class Transactions {
 public:
  // 25001 in a transaction block, 2D000 in any other context that somebody else's transaction is.
  Transactions(FunctionCallInfo fcinfo, const char* procedure);
  ~Transactions();
  Transactions(const Transactions&) = delete;
  Transactions& operator=(const Transactions&) = delete;

  // Nothing that the transaction owned may be held by then: no lock that is to stay but for those
  // of the session, no snapshot, no level of settings. When it throws, the transaction has been
  // rolled back, session locks were released, and a new transaction has begun, in which nothing can
  // be done before go_on().
  void commit();
  // Commits, and holds no snapshot either until go_on(): nothing can be done but wait.
  void end();
  void go_on();

 private:
  int exceptions_ = std::uncaught_exceptions();
};

}  // namespace mvo::pg
