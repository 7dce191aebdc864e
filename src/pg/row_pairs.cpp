#include "pg/row_pairs.hpp"

extern "C" {
#include <access/sysattr.h>
#include <optimizer/optimizer.h>
}

namespace mvo::pg {
namespace {

// The first columns of an index and those that its expressions and its predicate read, numbered as
// the server numbers members of a set of columns.
Bitmapset* add_columns(Bitmapset* columns, const IndexInfo* index, int first) {
  for (int i = 0; i < first; ++i)
    if (index->ii_IndexAttrNumbers[i] != 0)
      columns = bms_add_member(columns,
                               index->ii_IndexAttrNumbers[i] - FirstLowInvalidHeapAttributeNumber);
  pull_varattnos(reinterpret_cast<Node*>(index->ii_Expressions), 1, &columns);
  pull_varattnos(reinterpret_cast<Node*>(index->ii_Predicate), 1, &columns);
  return columns;
}

Bitmapset* unique_columns(const ResultRelInfo* indexes) {
  Bitmapset* columns = nullptr;
  for (int i = 0; i < indexes->ri_NumIndices; ++i) {
    const IndexInfo* index = indexes->ri_IndexRelationInfo[i];
    if (index->ii_Unique || index->ii_ExclusionOps != nullptr)
      columns = add_columns(columns, index, index->ii_NumIndexKeyAttrs);
  }
  return columns;
}

Bitmapset* indexed_columns(const ResultRelInfo* indexes) {
  Bitmapset* columns = nullptr;
  for (int i = 0; i < indexes->ri_NumIndices; ++i) {
    const IndexInfo* index = indexes->ri_IndexRelationInfo[i];
    columns = add_columns(columns, index, index->ii_NumIndexAttrs);
  }
  return columns;
}

// Counted from 0. An expression may read the whole row: then no two rows are alike enough.
Bitmapset* counted_from_zero(const Bitmapset* columns) {
  if (bms_is_member(-FirstLowInvalidHeapAttributeNumber, columns)) return nullptr;
  Bitmapset* counted = nullptr;
  for (int i = -1; (i = bms_next_member(columns, i)) >= 0;)
    counted = bms_add_member(counted, i + FirstLowInvalidHeapAttributeNumber - 1);
  return counted;
}

Bitmapset* pair_columns(const ResultRelInfo* indexes) {
  const Bitmapset* unique = unique_columns(indexes);
  return counted_from_zero(unique != nullptr ? unique : indexed_columns(indexes));
}

bool alike(TupleDesc columns, const Bitmapset* some, const TupleTableSlot* a,
           const TupleTableSlot* b) {
  for (int i = -1; (i = bms_next_member(some, i)) >= 0;)
    if (!same_column(columns, i, a, b)) return false;
  return true;
}

}  // namespace

void RowPairs::open(StoredRows* stored, const ResultRelInfo* indexes, std::uint64_t seed,
                    std::size_t most) {
  stored_ = stored;
  columns_ = RelationGetDescr(indexes->ri_RelationDesc);
  hasher_ = RowHasher(columns_, seed, MaxAllocSize);
  key_ = pair_columns(indexes);
  most_ = most;
  table_.initialize(CurrentMemoryContext, most);
}

bool RowPairs::hold(const ItemPointerData& place) {
  if (key_ == nullptr || table_.size() >= most_) return false;
  table_.add(hasher_.hash_of(key_, stored_->at(place)), place);
  return true;
}

TupleTableSlot* RowPairs::take(const TupleTableSlot* row) {
  TupleTableSlot* old = nullptr;
  (void)table_.match(hasher_.hash_of(key_, row), [&](const ItemPointerData& place) {
    old = stored_->at(place);
    if (alike(columns_, key_, old, row)) return true;
    old = nullptr;
    return false;
  });
  return old;
}

}  // namespace mvo::pg
