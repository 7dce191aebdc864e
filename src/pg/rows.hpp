// The rows that a set-returning function returns: all at once, after all its work is done.
#pragma once

#include "core/run.hpp"
#include "pg/guard.hpp"

namespace mvo::pg {

struct Column {
  Datum value = 0;
  bool null = false;
};

Column column(std::string_view text);
Column column(const std::string& text);
Column column(std::int32_t value);
Column column(bool value);
Column column(const char* text) = delete;  // it would be a boolean
Column column(const std::vector<std::string>& texts);
Column column(const std::optional<std::int64_t>& value);
Column column(core::Microseconds elapsed);  // interval
Column column(const std::optional<core::Microseconds>& elapsed);
Column text_or_null(const std::string& text);

class ResultRows {
 public:
  // Needs a caller that accepts a materialized set: 0A000 otherwise.
  explicit ResultRows(FunctionCallInfo call);
  void add(std::initializer_list<Column> columns);

 private:
  ReturnSetInfo* result_;
};

}  // namespace mvo::pg
