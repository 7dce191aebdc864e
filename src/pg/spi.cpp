#include "pg/spi.hpp"

#include <stdexcept>
#include <unordered_map>

#include "pg/datum.hpp"

namespace mvo::pg {
namespace {

Datum array_datum(std::vector<Datum>& values, bool* nulls, Oid type) {
  return call([&] {
    int sizes[] = {static_cast<int>(values.size())}, from[] = {1};
    std::int16_t length;
    bool by_value;
    char align;
    get_typlenbyvalalign(type, &length, &by_value, &align);
    return PointerGetDatum(
        construct_md_array(values.data(), nulls, 1, sizes, from, type, length, by_value, align));
  });
}

struct Parameters {
  std::vector<Oid> types;
  std::vector<Datum> values;
  std::string nulls;

  explicit Parameters(std::initializer_list<Argument> arguments) {
    for (const Argument& argument : arguments) {
      types.push_back(argument.type);
      values.push_back(argument.value);
      nulls.push_back(argument.null ? 'n' : ' ');
    }
  }
  int count() const { return static_cast<int>(types.size()); }
};

SpiRows rows_of(int result) {
  if (result < 0)
    throw std::runtime_error(std::string("SPI failed: ") + SPI_result_code_string(result));
  return {SPI_tuptable, SPI_processed};
}

// The server plans it again when what it is about has changed.
SPIPlanPtr kept_plan(const char* sql, Parameters& parameters) {
  static std::unordered_map<std::string, SPIPlanPtr> plans;
  const auto found = plans.find(sql);
  if (found != plans.end()) return found->second;
  SPIPlanPtr plan = call([&] {
    SPIPlanPtr prepared = SPI_prepare_cursor(sql, parameters.count(), parameters.types.data(),
                                             CURSOR_OPT_GENERIC_PLAN);
    if (prepared != nullptr) SPI_keepplan(prepared);
    return prepared;
  });
  if (plan == nullptr) rows_of(SPI_result);
  return plans.emplace(sql, plan).first->second;
}

}  // namespace

Argument text_argument(std::string_view text) {
  return {TEXTOID, text_datum(text)};
}

Argument nullable_argument(const std::optional<std::string>& text) {
  if (!text) return {TEXTOID, 0, true};
  return text_argument(*text);
}

Argument array_argument(const std::vector<std::string>& texts) {
  return {TEXTARRAYOID, text_array_datum(texts)};
}

Argument array_argument(const std::vector<std::optional<std::string>>& texts) {
  std::vector<Datum> values;
  std::unique_ptr<bool[]> nulls(new bool[texts.size()]);
  for (const auto& text : texts) {
    nulls[values.size()] = !text;
    values.push_back(text ? text_datum(*text) : Datum{0});
  }
  return {TEXTARRAYOID, array_datum(values, nulls.get(), TEXTOID)};
}

Argument array_argument(const std::vector<std::optional<std::int64_t>>& numbers) {
  std::vector<Datum> values;
  std::unique_ptr<bool[]> nulls(new bool[numbers.size()]);
  for (const auto& number : numbers) {
    nulls[values.size()] = !number;
    values.push_back(Int64GetDatum(number.value_or(0)));
  }
  return {INT8ARRAYOID, array_datum(values, nulls.get(), INT8OID)};
}

Argument int_argument(std::int32_t value) {
  return {INT4OID, Int32GetDatum(value)};
}

Argument bigint_argument(std::int64_t value) {
  return {INT8OID, Int64GetDatum(value)};
}

Argument bool_argument(bool value) {
  return {BOOLOID, BoolGetDatum(value)};
}

// Columns count from 0 here, from 1 in SPI.
std::optional<Datum> SpiRows::datum(std::uint64_t row, int column) const {
  bool null = false;
  const Datum value =
      call([&] { return SPI_getbinval(table_->vals[row], table_->tupdesc, column + 1, &null); });
  if (null) return std::nullopt;
  return value;
}

std::string SpiRows::text(std::uint64_t row, int column) const {
  return pg::to_string(datum(row, column).value());
}

std::optional<std::string> SpiRows::optional_text(std::uint64_t row, int column) const {
  const auto value = datum(row, column);
  if (!value) return std::nullopt;
  return pg::to_string(*value);
}

std::vector<std::string> SpiRows::texts(std::uint64_t row, int column) const {
  std::vector<std::string> texts;
  for (auto& text : to_strings(datum(row, column).value())) texts.push_back(text.value());
  return texts;
}

bool SpiRows::boolean(std::uint64_t row, int column) const {
  return DatumGetBool(datum(row, column).value());
}

std::int32_t SpiRows::integer(std::uint64_t row, int column) const {
  return DatumGetInt32(datum(row, column).value());
}

std::optional<std::int64_t> SpiRows::bigint(std::uint64_t row, int column) const {
  const auto value = datum(row, column);
  if (!value) return std::nullopt;
  return DatumGetInt64(*value);
}

SpiRows query(const char* sql, std::initializer_list<Argument> arguments, Sees sees) {
  Parameters parameters(arguments);
  return rows_of(call([&] {
    return SPI_execute_with_args(sql, parameters.count(), parameters.types.data(),
                                 parameters.values.data(), parameters.nulls.c_str(),
                                 sees == Sees::caller, 0);
  }));
}

SpiRows repeated_query(const char* sql, std::initializer_list<Argument> arguments, Sees sees) {
  Parameters parameters(arguments);
  SPIPlanPtr plan = kept_plan(sql, parameters);
  return rows_of(call([&] {
    return SPI_execute_plan(plan, parameters.values.data(), parameters.nulls.c_str(),
                            sees == Sees::caller, 0);
  }));
}

}  // namespace mvo::pg
