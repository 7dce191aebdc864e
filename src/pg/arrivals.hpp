// In which order the rows of a query came, and where each of them is to be found again.
#pragma once

#include "pg/guard.hpp"

extern "C" {
#include <storage/buffile.h>
#include <storage/itemptr.h>
}

namespace mvo::pg {

// Six bytes a row: as many as may be in memory, what is beyond that in a temporary file. Only
// server code that may raise: use it inside pg::call.
class Arrivals {
 public:
  // In the current memory context, of which it takes so much at most.
  void open(std::size_t bytes);
  void close();

  // A row that is the one of the view at this place.
  void add(const ItemPointerData& place);
  // A row that was put into one of several stores.
  void add_stored(std::uint32_t store);

  // Calls in_view(place) or in_store(store) for each row, once.
  template <class InView, class InStore>
  void replay(InView in_view, InStore in_store);

 private:
  void make_room();
  void write_out();
  void rewind();
  std::size_t read_back();

  ItemPointerData* places_;  // one that is not valid names a store
  std::size_t count_;        // in memory
  std::size_t capacity_;
  std::size_t most_;
  BufFile* file_;  // null while memory is enough
};

template <class InView, class InStore>
void Arrivals::replay(InView in_view, InStore in_store) {
  rewind();
  for (std::size_t left = read_back(); left > 0; left = read_back())
    for (std::size_t i = 0; i < left; ++i) {
      if (ItemPointerIsValid(&places_[i]))
        in_view(places_[i]);
      else
        in_store(ItemPointerGetBlockNumberNoCheck(&places_[i]));
    }
}

}  // namespace mvo::pg
