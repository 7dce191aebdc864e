// When a refreshed view is analysed, so that what reads it is not planned blind.
#pragma once

#include <cstdint>
#include <optional>

namespace mvo::core {

// A change that is worth it: more rows than threshold + scale * (rows of the view). The server's
// measure, with its settings for autovacuum.
struct AnalyzeLimits {
  double threshold;
  double scale;
};

// What is known of a refresh, cheaply.
struct Refill {
  bool was_populated;
  bool has_statistics;  // or, holding no rows, is known for that
  std::optional<std::int64_t> rows;
  std::optional<std::int64_t> changed;
  bool much_changed;  // how much is not known
  std::uint64_t pages_before;
  std::uint64_t pages_after;
};

// Of a view that was empty until now, always: it is as if created. Else only of one that is read by
// a later step; where the mode does not say what changed, size tells: statistics of a view that
// stays as large serve until autovacuum comes by.
bool needs_analyze(const Refill& refill, bool read_later, const AnalyzeLimits& limits);

}  // namespace mvo::core
