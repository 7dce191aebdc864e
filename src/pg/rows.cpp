#include "pg/rows.hpp"

#include "pg/datum.hpp"

extern "C" {
#include <utils/timestamp.h>
#include <utils/tuplestore.h>
}

namespace mvo::pg {

Column column(std::string_view text) {
  return {text_datum(text)};
}

Column column(const std::string& text) {
  return column(std::string_view(text));
}

Column column(bool value) {
  return {BoolGetDatum(value)};
}

Column column(std::int32_t value) {
  return {Int32GetDatum(value)};
}

Column column(const std::vector<std::string>& texts) {
  return {text_array_datum(texts)};
}

Column column(const std::optional<std::int64_t>& value) {
  return {Int64GetDatum(value.value_or(0)), !value};
}

Column column(core::Microseconds elapsed) {
  return {call([&] {
    auto* interval = static_cast<Interval*>(palloc0(sizeof(Interval)));
    interval->time = elapsed.count();
    return IntervalPGetDatum(interval);
  })};
}

Column column(const std::optional<core::Microseconds>& elapsed) {
  if (!elapsed) return {0, true};
  return column(*elapsed);
}

Column text_or_null(const std::string& text) {
  if (text.empty()) return {0, true};
  return column(std::string_view(text));
}

ResultRows::ResultRows(FunctionCallInfo fcinfo)
    : result_(reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo)) {
  // TABLE is a row type, SETOF text is none.
  call([&] {
    const bool rows = type_is_rowtype(get_func_rettype(fcinfo->flinfo->fn_oid));
    InitMaterializedSRF(fcinfo, rows ? 0 : MAT_SRF_USE_EXPECTED_DESC);
  });
}

void ResultRows::add(std::initializer_list<Column> columns) {
  std::vector<Datum> values;
  std::unique_ptr<bool[]> nulls(new bool[columns.size()]);
  for (const Column& column : columns) {
    nulls[values.size()] = column.null;
    values.push_back(column.value);
  }
  call([&] {
    tuplestore_putvalues(result_->setResult, result_->setDesc, values.data(), nulls.get());
  });
}

}  // namespace mvo::pg
