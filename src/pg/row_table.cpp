#include "pg/row_table.hpp"

#include <algorithm>
#include <bit>

namespace mvo::pg {
namespace {

constexpr std::size_t first_capacity = 256;

}  // namespace

void RowTable::initialize(MemoryContext memory, std::size_t expected_most) {
  memory_ = memory;
  expected_most_ = std::min<std::size_t>(expected_most, none / 4);
  capacity_ = std::min(first_capacity, expected_most_);
  entries_ = static_cast<Entry*>(MemoryContextAllocHuge(memory_, sizeof(Entry) * capacity_));
  buckets_ = nullptr;
  clear();
}

void RowTable::clear() {
  count_ = expected_ = 0;
  if (buckets_ != nullptr) pfree(buckets_);
  buckets_ = nullptr;
}

void RowTable::release() {
  clear();
  pfree(entries_);
  entries_ = nullptr;
}

void RowTable::add(std::uint64_t hash, const ItemPointerData& tid) {
  if (count_ == capacity_) {
    if (capacity_ > none / 4)
      ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("too many rows to compare")));
    // Not beyond what is expected, before it is.
    capacity_ = count_ < expected_most_ ? std::min(2 * capacity_, expected_most_) : 2 * capacity_;
    entries_ = static_cast<Entry*>(repalloc_huge(entries_, sizeof(Entry) * capacity_));
  }
  entries_[count_++] = {hash, tid, false, none};
}

void RowTable::make_buckets() {
  const std::uint64_t size = std::bit_ceil(std::uint64_t{count_});
  bucket_mask_ = size - 1;
  buckets_ =
      static_cast<std::uint32_t*>(MemoryContextAllocHuge(memory_, sizeof(std::uint32_t) * size));
  memset(buckets_, 0xff, sizeof(std::uint32_t) * size);
  for (std::uint32_t i = count_; i-- > 0;) {  // backwards: the first row of a chain comes first
    if (entries_[i].matched) continue;
    std::uint32_t& first = bucket(entries_[i].hash);
    entries_[i].next = first;
    first = i;
  }
}

}  // namespace mvo::pg
