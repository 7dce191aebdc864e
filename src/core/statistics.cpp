#include "core/statistics.hpp"

namespace mvo::core {
namespace {

double difference(std::uint64_t a, std::uint64_t b) {
  return static_cast<double>(a > b ? a - b : b - a);
}

}  // namespace

bool needs_analyze(const Refill& refill, bool read_later, const AnalyzeLimits& limits) {
  if (!refill.was_populated) return true;
  if (!read_later) return false;
  if (!refill.has_statistics || refill.much_changed) return true;
  if (refill.changed && refill.rows)
    return static_cast<double>(*refill.changed) >
           limits.threshold + limits.scale * static_cast<double>(*refill.rows);
  return difference(refill.pages_before, refill.pages_after) >
         limits.scale * static_cast<double>(refill.pages_before);
}

}  // namespace mvo::core
