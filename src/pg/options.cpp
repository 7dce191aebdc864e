#include <fmt/format.h>  // before the server, which redefines printf

#include "core/error.hpp"
#include "pg/guc_scope.hpp"
#include "pg/registry.hpp"
#include "pg/settings.hpp"

namespace mvo::pg {
namespace {

using core::Code;
using core::Error;

constexpr int most_retries = 100;

struct Entry {
  std::string key, kind, value;  // kind: as jsonb_typeof() names it
};

std::vector<Entry> read_entries(const std::string& json, const char* path) {
  const SpiRows rows = query(
      "SELECT key, jsonb_typeof(value), coalesce(value #>> '{}', '')"
      " FROM jsonb_each(CASE WHEN $2 = '' THEN $1::jsonb ELSE $1::jsonb -> $2 END)",
      {text_argument(json), text_argument(path)}, Sees::caller);
  std::vector<Entry> entries;
  for (std::uint64_t i = 0; i < rows.size(); ++i)
    entries.push_back({rows.text(i, 0), rows.text(i, 1), rows.text(i, 2)});
  return entries;
}

[[noreturn]] void reject_value(const Entry& entry, const std::string& wanted) {
  throw Error{Code::parameter_invalid, fmt::format("invalid value for option \"{}\"", entry.key),
              wanted};
}

void require_kind(const Entry& entry, bool right, const char* wanted) {
  if (!right) reject_value(entry, fmt::format("It must be {}, not {}.", wanted, entry.kind));
}

std::vector<std::pair<std::string, std::string>> read_storage(const std::string& json) {
  std::vector<std::pair<std::string, std::string>> storage;
  for (const Entry& entry : read_entries(json, "with")) {
    require_kind(entry, entry.kind == "string" || entry.kind == "number" || entry.kind == "boolean",
                 "a string, a number or a boolean");
    storage.emplace_back(entry.key, entry.value);
  }
  return storage;
}

std::optional<std::string>* text_option(Options& options, const std::string& key) {
  if (key == "owner") return &options.owner;
  if (key == "access_method") return &options.access_method;
  if (key == "tablespace") return &options.tablespace;
  if (key == "comment") return &options.comment;
  return nullptr;
}

bool is_limit(const std::string& key) {
  return key == "lock_timeout" || key == "view_timeout" || key == "retries";
}

// Runs read them from the registry. Times are written as in a configuration file: a number of
// milliseconds, or a string with a unit.
void check_limit(const Entry& entry) {
  if (entry.key == "retries") {
    require_kind(entry, entry.kind == "number", "a number");
    if (!parse_count(entry.value, most_retries))
      reject_value(entry, fmt::format("It must be an integer from 0 to {}.", most_retries));
    return;
  }
  require_kind(entry, entry.kind == "string" || entry.kind == "number", "a string or a number");
  if (!parse_milliseconds(entry.value))
    reject_value(entry,
                 "It must be a time of zero or more, like 500 for milliseconds or \"5min\".");
}

void read_entry(Options& options, const Entry& entry) {
  auto* text = text_option(options, entry.key);
  if (text == nullptr && !is_limit(entry.key) && entry.key != "enabled" && entry.key != "with")
    throw Error{Code::parameter_invalid,
                fmt::format("unrecognized option \"{}\"", entry.key),
                {},
                "The options are owner, access_method, tablespace, with, comment, enabled,"
                " lock_timeout, view_timeout and retries."};
  if (entry.kind == "null") return;  // the default
  if (text != nullptr) {
    require_kind(entry, entry.kind == "string", "a string");
    *text = entry.value;
  } else if (entry.key == "enabled") {
    require_kind(entry, entry.kind == "boolean", "a boolean");
    options.enabled = entry.value == "true";
  } else if (is_limit(entry.key)) {
    check_limit(entry);
  } else {
    require_kind(entry, entry.kind == "object", "an object of storage parameters");
    options.with = read_storage(options.json);
  }
}

}  // namespace

Options read_options(const std::string& json) {
  GucScope settings;
  settings.set("search_path", "pg_catalog, pg_temp");
  Options options;
  options.json = json;
  {
    const SpiConnection connection;
    const bool is_object =
        query("SELECT jsonb_typeof($1::jsonb) = 'object'", {text_argument(json)}, Sees::caller)
            .boolean(0, 0);
    if (!is_object) throw Error{Code::parameter_invalid, "options must be a JSON object"};
    for (const Entry& entry : read_entries(json, "")) read_entry(options, entry);
  }
  settings.end();
  return options;
}

}  // namespace mvo::pg
