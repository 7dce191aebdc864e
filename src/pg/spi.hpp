// Queries on the extension's own tables.
#pragma once

#include <initializer_list>

#include "pg/guard.hpp"

extern "C" {
#include <executor/spi.h>
}

namespace mvo::pg {

class SpiConnection {
 public:
  SpiConnection() {
    call([] { SPI_connect(); });
  }
  // SPI_finish raises nothing. After an error it might close a connection that was opened deeper
  // down and not ours: then the rollback closes both.
  ~SpiConnection() {
    if (std::uncaught_exceptions() == exceptions_) SPI_finish();
  }
  SpiConnection(const SpiConnection&) = delete;
  SpiConnection& operator=(const SpiConnection&) = delete;

 private:
  int exceptions_ = std::uncaught_exceptions();
};

// What a query sees: what the calling statement sees, for functions that are STABLE; or, READ
// COMMITTED, all that is committed by now.
enum class Sees { caller, latest };

struct Argument {
  Oid type;
  Datum value = 0;
  bool null = false;
};

Argument text_argument(std::string_view text);
Argument nullable_argument(const std::optional<std::string>& text);
Argument array_argument(const std::vector<std::string>& texts);
Argument array_argument(const std::vector<std::optional<std::string>>& texts);
Argument array_argument(const std::vector<std::optional<std::int64_t>>& numbers);
Argument int_argument(std::int32_t value);
Argument bigint_argument(std::int64_t value);
Argument bool_argument(bool value);

// The rows of the last query; valid until the connection ends.
class SpiRows {
 public:
  SpiRows(SPITupleTable* table, std::uint64_t count) : table_(table), count_(count) {}

  std::uint64_t size() const { return count_; }
  bool is_null(std::uint64_t row, int column) const { return !datum(row, column); }
  std::string text(std::uint64_t row, int column) const;
  std::optional<std::string> optional_text(std::uint64_t row, int column) const;
  std::vector<std::string> texts(std::uint64_t row, int column) const;
  bool boolean(std::uint64_t row, int column) const;
  std::int32_t integer(std::uint64_t row, int column) const;
  std::optional<std::int64_t> bigint(std::uint64_t row, int column) const;

 private:
  std::optional<Datum> datum(std::uint64_t row, int column) const;

  SPITupleTable* table_;
  std::uint64_t count_;
};

// Runs one statement; for a statement that writes, size() is the number of rows written.
SpiRows query(const char* sql, std::initializer_list<Argument> arguments, Sees sees);
// The same, planned once in a session, for whatever arguments.
SpiRows repeated_query(const char* sql, std::initializer_list<Argument> arguments, Sees sees);

}  // namespace mvo::pg
