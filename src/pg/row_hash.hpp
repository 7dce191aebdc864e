// What a row is, byte for byte: a hash of it and the comparison that confirms a match.
#pragma once

#include "pg/guard.hpp"

extern "C" {
#include <executor/tuptable.h>
#include <nodes/bitmapset.h>
}

namespace mvo::pg {

// Rows are equal when all their values are, as images: 1.0 and 1.00 differ. Values that are
// compressed or out of line are the same as their plain form.
//
// A long value counts with its length and its first bytes, so that little of it has to be fetched;
// every match is confirmed by a comparison in any case. Only server code that may raise: use it
// inside pg::call.
class RowHasher {
 public:
  RowHasher() = default;
  // Of a value at most `prefix` bytes are hashed.
  RowHasher(TupleDesc columns, std::uint64_t seed, std::size_t prefix)
      : columns_(columns), seed_(seed), prefix_(prefix) {}

  // The slot's values are deformed.
  std::uint64_t hash(const TupleTableSlot* row) const;
  // Of some of its columns, counted from 0.
  std::uint64_t hash_of(const Bitmapset* columns, const TupleTableSlot* row) const;

 private:
  std::uint64_t add(std::uint64_t hash, const TupleTableSlot* row, int column) const;

  TupleDesc columns_ = nullptr;
  std::uint64_t seed_ = 0;
  std::size_t prefix_ = 0;
};

bool same_row(TupleDesc columns, const TupleTableSlot* a, const TupleTableSlot* b);
bool same_column(TupleDesc columns, int i, const TupleTableSlot* a, const TupleTableSlot* b);
bool same_value(Form_pg_attribute column, Datum a, Datum b);

}  // namespace mvo::pg
