// A registration, whole: what a row of the registry says about one view.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/mode.hpp"
#include "core/name.hpp"
#include "pg/author.hpp"
#include "pg/identifier.hpp"

namespace mvo::pg {

struct Options {
  std::optional<std::string> owner;
  std::optional<std::string> access_method;
  std::optional<std::string> tablespace;
  std::optional<std::string> comment;
  std::vector<std::pair<std::string, std::string>> with;  // storage parameters
  bool enabled = true;
  std::string json = "{}";  // as it is stored
};

struct Registration {
  core::Name name;
  Author author;
  std::string definition;
  std::vector<WrittenName> depends_on;
  std::vector<std::string> unique_key;  // column names, unquoted
  std::vector<std::string> indexes;     // CREATE INDEX statements
  core::Mode mode = core::Mode::automatic;
  Options options;
  std::vector<std::string> settings;  // see recorded_settings.hpp
  // The live view is known to have been made of this text.
  bool applied = false;
};

}  // namespace mvo::pg
