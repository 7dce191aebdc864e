// A text cut into words by the server's scanner.
#pragma once

#include "core/function_body.hpp"
#include "pg/guard.hpp"

namespace mvo::pg {

// Without comments and constants. Of a text that cannot be cut, what comes before the fault.
std::vector<core::Token> words_of(const std::string& text);

}  // namespace mvo::pg
