// Texts from anywhere, such as another server's error message, made fit to be stored and sent.
#pragma once

#include "pg/guard.hpp"

namespace mvo::pg {

// What is not valid in the database's encoding becomes question marks.
std::string valid_text(std::string_view text);
// A valid text of at most so many bytes, cut between two characters; what is cut ends in "...".
std::string cut_text(const std::string& text, std::size_t most_bytes);

}  // namespace mvo::pg
