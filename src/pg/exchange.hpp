// Putting newly built files in the place of a view's old ones.
#pragma once

#include "core/name.hpp"
#include "pg/guard.hpp"

namespace mvo::pg {

// A table that was built beside a view, with a copy of each of its indexes. Once exchanged it owns
// the view's old files.
struct Transient {
  core::Name name;
  Oid view;
  Oid table;
  std::vector<std::pair<Oid, Oid>> indexes;  // the view's, the table's
  std::uint64_t rows;
};

// Exchanges the rows of pg_class: this transaction sees the new contents through the view's own
// OIDs from now on, everybody else the old ones until it commits. The view is locked ExclusiveLock,
// so nobody but readers is there.
void exchange_files(const Transient& built);

// What has been exchanged in a run and still has to be finished under an exclusive lock.
class Exchanges {
 public:
  void add(Transient built) { exchanged_.push_back(std::move(built)); }

  // What was exchanged of a view has been rolled back.
  void forget(const core::Name& view) {
    std::erase_if(exchanged_, [&](const Transient& built) { return built.name == view; });
  }

  // Takes all exclusive locks together: 55P03 when a reader does not end within the lock limit.
  void lock();
  // Once they are had: drops the old files and gives the TOAST tables their names.
  void finish();

 private:
  std::vector<Transient> exchanged_;
};

}  // namespace mvo::pg
