// Texts and arrays of texts between C++ and the server.
#pragma once

#include "pg/guard.hpp"

namespace mvo::pg {

std::string to_string(Datum datum);
std::string to_string(const char* text);
// An OID that the server printed.
Oid to_oid(const std::string& text);
Datum text_datum(std::string_view text);
Datum text_array_datum(const std::vector<std::string>& texts);
// Of any number of dimensions, read in storage order.
std::vector<std::optional<std::string>> to_strings(Datum text_array);

}  // namespace mvo::pg
