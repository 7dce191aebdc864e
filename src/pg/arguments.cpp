#include "pg/arguments.hpp"

#include "core/error.hpp"
#include "pg/datum.hpp"

extern "C" {
#include <tcop/utility.h>
#include <utils/fmgrprotos.h>
}

namespace mvo::pg {
namespace {

[[noreturn]] void reject_null(const char* name) {
  throw core::Error{core::Code::null_not_allowed, std::string(name) + " must not be null"};
}

}  // namespace

std::string Arguments::text(int place, const char* name) const {
  if (is_null(place)) reject_null(name);
  return to_string(datum(place));
}

Oid Arguments::oid(int place, const char* name) const {
  if (is_null(place)) reject_null(name);
  return DatumGetObjectId(datum(place));
}

std::string Arguments::text_or(int place, const char* fallback) const {
  return is_null(place) ? fallback : to_string(datum(place));
}

std::optional<std::string> Arguments::optional_text(int place) const {
  if (is_null(place)) return std::nullopt;
  return to_string(datum(place));
}

std::vector<std::string> Arguments::texts(int place, const char* name) const {
  return optional_texts(place, name).value_or(std::vector<std::string>{});
}

std::optional<std::vector<std::string>> Arguments::optional_texts(int place,
                                                                  const char* name) const {
  if (is_null(place)) return std::nullopt;
  std::vector<std::string> texts;
  for (auto& element : to_strings(datum(place))) {
    if (!element)
      throw core::Error{core::Code::null_not_allowed, std::string(name) + " must not contain null"};
    texts.push_back(std::move(*element));
  }
  return texts;
}

std::int32_t Arguments::integer_or(int place, std::int32_t fallback) const {
  return is_null(place) ? fallback : DatumGetInt32(datum(place));
}

bool Arguments::boolean_or(int place, bool fallback) const {
  return is_null(place) ? fallback : DatumGetBool(datum(place));
}

std::string Arguments::json_or(int place, const char* fallback) const {
  if (is_null(place)) return fallback;
  return call([&] { return DatumGetCString(DirectFunctionCall1(jsonb_out, datum(place))); });
}

void require_writable(const char* function) {
  call([&] { PreventCommandIfReadOnly(function); });
}

}  // namespace mvo::pg
