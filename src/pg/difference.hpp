// The difference between what a view holds and what its query gives, found and written.
#pragma once

#include "pg/comparison.hpp"

namespace mvo::pg {

// After an error the rollback ends what it holds.
class Difference {
 public:
  // Runs the query. `may_give_up`: when it finds too much to write it row by row.
  Difference(Relation view, bool may_give_up);

  bool gave_up() const { return comparison_.gave_up(); }
  bool too_much_to_add() const { return comparison_.too_much_to_add(); }
  // What the query gave.
  std::uint64_t rows() const { return comparison_.rows(); }

  // Writes it, unless it gave up; returns the number of rows written.
  std::uint64_t write();
  // Where it gave up: all rows of the query, in their order. Use it inside pg::call. What the
  // receiver allocates for them is good until end().
  void replay(DestReceiver* receiver) { comparison_.replay(receiver); }

  void end();

 private:
  MemoryContext memory_;
  Comparison comparison_{};
};

}  // namespace mvo::pg
