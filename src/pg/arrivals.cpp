#include "pg/arrivals.hpp"

#include <utility>

#include "pg/compat.hpp"

namespace mvo::pg {

void Arrivals::open() {
  places_ = static_cast<ItemPointerData*>(palloc(sizeof(ItemPointerData) * most_in_memory));
  count_ = 0;
  file_ = nullptr;
}

void Arrivals::close() {
  if (file_ != nullptr) BufFileClose(file_);
  pfree(places_);
}

void Arrivals::add(const ItemPointerData& place) {
  if (count_ == most_in_memory) write_out();
  places_[count_++] = place;
}

void Arrivals::add_stored(std::uint32_t store) {
  ItemPointerData mark;
  ItemPointerSet(&mark, store, InvalidOffsetNumber);
  add(mark);
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
  return BufFileRead(file_, places_, sizeof(ItemPointerData) * most_in_memory) /
         sizeof(ItemPointerData);
}

}  // namespace mvo::pg
