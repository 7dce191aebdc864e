#include "pg/error_code.hpp"

#include "pg/prelude.hpp"

namespace mvo::pg {

int sqlstate_of(core::Code code) {
  using core::Code;
  switch (code) {
    case Code::name_invalid:
      return ERRCODE_INVALID_NAME;
    case Code::name_too_long:
      return ERRCODE_NAME_TOO_LONG;
    case Code::null_not_allowed:
      return ERRCODE_NULL_VALUE_NOT_ALLOWED;
    case Code::parameter_invalid:
      return ERRCODE_INVALID_PARAMETER_VALUE;
    case Code::syntax:
      return ERRCODE_SYNTAX_ERROR;
    case Code::parameter_in_definition:
      return ERRCODE_UNDEFINED_PARAMETER;
    case Code::cycle:
      return ERRCODE_INVALID_RECURSION;
    case Code::not_registered:
    case Code::author_missing:
      return ERRCODE_UNDEFINED_OBJECT;
    case Code::schema_missing:
      return ERRCODE_UNDEFINED_SCHEMA;
    case Code::view_missing:
      return ERRCODE_UNDEFINED_TABLE;
    case Code::column_missing:
      return ERRCODE_UNDEFINED_COLUMN;
    case Code::name_taken:
      return ERRCODE_DUPLICATE_TABLE;
    case Code::not_a_view:
      return ERRCODE_WRONG_OBJECT_TYPE;
    case Code::rights_missing:
      return ERRCODE_INSUFFICIENT_PRIVILEGE;
    case Code::overlap:
      return ERRCODE_LOCK_NOT_AVAILABLE;
    case Code::changed_after_snapshot:
      return ERRCODE_T_R_SERIALIZATION_FAILURE;
    case Code::mode_impossible:
      return ERRCODE_FEATURE_NOT_SUPPORTED;
    case Code::not_ready:
      return ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE;
    case Code::in_use:
      return ERRCODE_OBJECT_IN_USE;
    case Code::deadlock:
      return ERRCODE_T_R_DEADLOCK_DETECTED;
    case Code::too_many_locks:
      return ERRCODE_OUT_OF_MEMORY;  // the server's for a full lock table
    case Code::view_timeout:
      return ERRCODE_QUERY_CANCELED;
  }
  return ERRCODE_INTERNAL_ERROR;
}

}  // namespace mvo::pg
