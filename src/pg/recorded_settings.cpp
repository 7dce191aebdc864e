#include "pg/recorded_settings.hpp"

#include <array>

#include "pg/identifier.hpp"

namespace mvo::pg {
namespace {

constexpr std::string_view search_path_prefix = "search_path=";

constexpr std::array recorded_names{
    "TimeZone",
    "DateStyle",
    "IntervalStyle",
    "standard_conforming_strings",
    "transform_null_equals",
    "default_text_search_config",
};

std::string current(const char* setting) {
  return call([&] { return GetConfigOptionByName(setting, nullptr, false); });
}

std::string lasting_search_path() {
  std::string path;
  for (std::string& schema : split_search_path(current("search_path"))) {
    if (schema.starts_with("pg_temp")) continue;  // pg_temp_3, too
    if (schema == "$user") schema = call([] { return GetUserNameFromId(GetUserId(), false); });
    path += print(schema) + ", ";
  }
  return path + "pg_temp";
}

}  // namespace

std::vector<std::string> record_settings() {
  std::vector<std::string> settings{std::string(search_path_prefix) + lasting_search_path()};
  for (const char* name : recorded_names)
    settings.push_back(std::string(name) + "=" + current(name));
  return settings;
}

std::vector<std::string> record_settings_of_printed() {
  GucScope scope;
  for (const std::string& setting : canonical_settings())
    if (!setting.starts_with(search_path_prefix)) scope.set_all({setting});
  const auto settings = record_settings();
  scope.end();
  return settings;
}

std::vector<std::string> search_path_of(const std::vector<std::string>& settings) {
  std::vector<std::string> found;
  for (const std::string& setting : settings)
    if (setting.starts_with(search_path_prefix)) found.push_back(setting);
  return found;
}

std::vector<std::string> recorded_search_path(const std::vector<std::string>& settings) {
  for (const std::string& setting : search_path_of(settings))
    return split_search_path(setting.substr(search_path_prefix.size()));
  return {};
}

void put_in_force(GucScope& scope, const std::vector<std::string>& settings) {
  scope.set_all(settings);
  scope.set("escape_string_warning", "off");
}

std::vector<std::string> canonical_settings() {
  return {"search_path=pg_catalog, pg_temp",
          "TimeZone=UTC",
          "DateStyle=ISO, YMD",
          "IntervalStyle=postgres",
          "standard_conforming_strings=on",
          "transform_null_equals=off",
          "extra_float_digits=1",
          "quote_all_identifiers=off"};
}

}  // namespace mvo::pg
