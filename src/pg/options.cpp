#include <fmt/format.h>  // before the server, which redefines printf

#include "core/error.hpp"
#include "pg/guc_scope.hpp"
#include "pg/registry.hpp"
#include "pg/settings.hpp"

namespace mvo::pg {
namespace {

using core::Code;
using core::Error;
using std::chrono::milliseconds;

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

void require_kind(const Entry& entry, bool right, const char* wanted) {
  if (!right)
    throw Error{Code::parameter_invalid, fmt::format("invalid value for option \"{}\"", entry.key),
                fmt::format("It must be {}, not {}.", wanted, entry.kind)};
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

// As in a configuration file: a number of milliseconds, or a string with a unit.
milliseconds read_time(const Entry& entry) {
  require_kind(entry, entry.kind == "string" || entry.kind == "number", "a string or a number");
  const auto time = parse_milliseconds(entry.value);
  if (!time)
    throw Error{Code::parameter_invalid, fmt::format("invalid value for option \"{}\"", entry.key),
                "It must be a time of zero or more, like 500 for milliseconds or \"5min\"."};
  return *time;
}

void read_limit(core::Limits& limits, const Entry& entry) {
  if (entry.key == "lock_timeout") {
    limits.lock_timeout = read_time(entry);
  } else if (entry.key == "view_timeout") {
    limits.view_timeout = read_time(entry);
  } else {
    require_kind(entry, entry.kind == "number", "a number");
    limits.retries = parse_count(entry.value, most_retries);
    if (!limits.retries)
      throw Error{Code::parameter_invalid,
                  fmt::format("invalid value for option \"{}\"", entry.key),
                  fmt::format("It must be an integer from 0 to {}.", most_retries)};
  }
}

void read_entry(Options& options, const Entry& entry) {
  auto* text = text_option(options, entry.key);
  const bool is_limit =
      entry.key == "lock_timeout" || entry.key == "view_timeout" || entry.key == "retries";
  if (text == nullptr && !is_limit && entry.key != "enabled" && entry.key != "with")
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
  } else if (is_limit) {
    read_limit(options.limits, entry);
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
