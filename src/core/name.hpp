// A qualified name, and the one order that everything is sorted in: schema, then name, bytewise.
#pragma once

#include <compare>
#include <cstddef>
#include <functional>
#include <string>

namespace mvo::core {

struct Name {
  std::string schema;
  std::string name;

  auto operator<=>(const Name&) const = default;
};

struct NameHash {
  std::size_t operator()(const Name& name) const noexcept {
    const std::hash<std::string> hash;
    return hash(name.schema) * 31 + hash(name.name);
  }
};

}  // namespace mvo::core
