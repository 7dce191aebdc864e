// The arguments of an SQL function.
#pragma once

#include "pg/guard.hpp"

namespace mvo::pg {

// Places count from 0. A required argument that is NULL raises 22004 and names the argument.
class Arguments {
 public:
  explicit Arguments(FunctionCallInfo call) : call_(call) {}

  bool is_null(int place) const { return call_->args[place].isnull; }
  std::string text(int place, const char* name) const;
  Oid oid(int place, const char* name) const;
  std::string text_or(int place, const char* fallback) const;
  std::optional<std::string> optional_text(int place) const;
  // No array is the empty array; an element that is NULL raises 22004.
  std::vector<std::string> texts(int place, const char* name) const;
  std::optional<std::vector<std::string>> optional_texts(int place, const char* name) const;
  bool boolean_or(int place, bool fallback) const;
  std::int32_t integer_or(int place, std::int32_t fallback) const;
  // A jsonb argument as text.
  std::string json_or(int place, const char* fallback) const;

 private:
  Datum datum(int place) const { return call_->args[place].value; }

  FunctionCallInfo call_;
};

// For functions that write: 25006 in a read-only transaction, on a standby too.
void require_writable(const char* function);

}  // namespace mvo::pg
