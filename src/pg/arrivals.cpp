#include "pg/arrivals.hpp"

#include <algorithm>
#include <utility>

#include "pg/compat.hpp"

namespace mvo::pg {
namespace {

constexpr std::size_t first_capacity = 1000;

}  // namespace

void Arrivals::open(std::size_t bytes) {
  capacity_ = first_capacity;
  most_ = std::max(bytes / sizeof(ItemPointerData), first_capacity);
  places_ = static_cast<ItemPointerData*>(palloc(sizeof(ItemPointerData) * capacity_));
  count_ = 0;
  file_ = nullptr;
}

void Arrivals::close() {
  if (file_ != nullptr) BufFileClose(file_);
  pfree(places_);
}

void Arrivals::add(const ItemPointerData& place) {
  if (count_ == capacity_) make_room();
  places_[count_++] = place;
}

void Arrivals::add_stored(std::uint32_t store) {
  ItemPointerData mark;
  ItemPointerSet(&mark, store, InvalidOffsetNumber);
  add(mark);
}

void Arrivals::make_room() {
  if (capacity_ == most_) return write_out();
  capacity_ = std::min(2 * capacity_, most_);
  places_ =
      static_cast<ItemPointerData*>(repalloc_huge(places_, sizeof(ItemPointerData) * capacity_));
}

void Arrivals::write_out() {
  if (file_ == nullptr) file_ = BufFileCreateTemp(false);
  BufFileWrite(file_, places_, sizeof(ItemPointerData) * count_);
  count_ = 0;
}

void Arrivals::rewind() {
  if (file_ == nullptr) return;
  write_out();
  if (BufFileSeek(file_, 0, 0, SEEK_SET) != 0)
    ereport(ERROR, (errcode_for_file_access(), errmsg("could not rewind temporary file")));
}

// How many of the next rows are in memory now; none at the end.
std::size_t Arrivals::read_back() {
  if (file_ == nullptr) return std::exchange(count_, 0);
  return BufFileRead(file_, places_, sizeof(ItemPointerData) * capacity_) / sizeof(ItemPointerData);
}

}  // namespace mvo::pg
