// The rows that a view holds, by their hash: where each of them is, until it has been matched.
#pragma once

#include "pg/guard.hpp"

extern "C" {
#include <storage/itemptr.h>
}

namespace mvo::pg {

// Plain memory that the server's contexts own, so that an error leaves nothing behind. Equal rows
// are entries of their own. Only server code that may raise: use it inside pg::call.
class RowTable {
 public:
  struct Entry {
    std::uint64_t hash;
    ItemPointerData tid;
    bool matched;
    std::uint32_t next;  // in the same bucket
  };

  // Bytes of memory for a row, about.
  static constexpr std::size_t bytes_a_row = sizeof(Entry) + 2 * sizeof(std::uint32_t);

  // Of memory it takes what `expected_most` rows need, and more only where there are more.
  void initialize(MemoryContext memory, std::size_t expected_most);
  void clear();
  // Frees its memory, and is of no use any more.
  void release();
  void add(std::uint64_t hash, const ItemPointerData& tid);
  // Forgets the entries for which keep(hash) is false. Nothing may be matched yet.
  template <class Keep>
  void filter(Keep keep);

  std::uint32_t size() const { return count_; }
  Entry& operator[](std::uint32_t i) { return entries_[i]; }

  // The first unmatched entry of this hash for which is_same(tid) holds is matched. Rows mostly
  // come in the order in which they were stored, so the entry after the last match is tried first;
  // the buckets are not even made before that fails once.
  template <class IsSame>
  bool match(std::uint64_t hash, IsSame is_same);

 private:
  static constexpr std::uint32_t none = ~std::uint32_t{0};

  void make_buckets();
  std::uint32_t& bucket(std::uint64_t hash) { return buckets_[hash & bucket_mask_]; }

  MemoryContext memory_;
  Entry* entries_;
  std::uint32_t* buckets_;  // null until they are needed
  std::uint64_t bucket_mask_;
  std::size_t expected_most_;
  std::size_t capacity_;
  std::uint32_t count_;
  std::uint32_t expected_;
};

template <class Keep>
void RowTable::filter(Keep keep) {
  std::uint32_t kept = 0;
  for (std::uint32_t i = 0; i < count_; ++i)
    if (keep(entries_[i].hash)) entries_[kept++] = entries_[i];
  count_ = kept;
}

template <class IsSame>
bool RowTable::match(std::uint64_t hash, IsSame is_same) {
  if (expected_ < count_) {
    Entry& next = entries_[expected_];
    if (next.hash == hash && !next.matched && is_same(next.tid)) {
      next.matched = true;
      ++expected_;
      return true;
    }
  }
  if (count_ == 0) return false;
  if (buckets_ == nullptr) make_buckets();
  for (std::uint32_t* place = &bucket(hash); *place != none;) {
    Entry& entry = entries_[*place];
    if (entry.matched) {
      *place = entry.next;  // so that many equal rows are not walked again and again
      continue;
    }
    if (entry.hash == hash && is_same(entry.tid)) {
      entry.matched = true;
      expected_ = *place + 1;
      *place = entry.next;
      return true;
    }
    place = &entry.next;
  }
  return false;
}

}  // namespace mvo::pg
