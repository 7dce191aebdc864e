// How mv_orchestrator.diff_work_mem is divided.
#pragma once

#include "pg/row_table.hpp"
#include "pg/settings.hpp"

namespace mvo::pg {

// In eighths.
enum class DiffShare : std::size_t { table = 4, pairs = 1, stores = 3 };

inline std::size_t kilobytes_for(DiffShare share) {
  return static_cast<std::size_t>(diff_work_mem_kb()) * static_cast<std::size_t>(share) / 8;
}

inline std::size_t rows_for(DiffShare share) {
  return kilobytes_for(share) * 1024 / RowTable::bytes_a_row;
}

}  // namespace mvo::pg
