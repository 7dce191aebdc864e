// Building a table beside a view, in steps: the table, its rows, its indexes.
#pragma once

#include "pg/exchange.hpp"
#include "pg/fill.hpp"
#include "pg/guard.hpp"

extern "C" {
#include <access/table.h>
}

namespace mvo::pg {

// An empty table like the view, which is locked; nobody else can see it. Locks the view's TOAST
// table ShareUpdateExclusive.
Transient make_transient(const core::Name& name, Relation view);

// give(receiver) gives the receiver all rows and returns their number; it only calls the server.
template <class Give>
void fill(Transient& built, Give give) {
  built.rows = call([&] {
    Relation table = table_open(built.table, NoLock);
    DestReceiver* receiver = fill_receiver(table);
    const std::uint64_t rows = give(receiver);
    receiver->rDestroy(receiver);
    table_close(table, NoLock);
    return rows;
  });
}

// A copy of each of the view's indexes, in their order. 55006 when that changed the view's own.
void build_indexes(Transient& built, Relation view, const std::vector<Oid>& indexes);

}  // namespace mvo::pg
