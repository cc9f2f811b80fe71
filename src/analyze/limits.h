/// What an image must keep to: budgets for CI, ours and those of the tool dive.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analyze/analysis.h"
#include "base/error.h"

namespace mica::analyze {

/// Bytes, or a share of something.
struct Amount {
  std::uint64_t bytes = 0;
  std::optional<double> share;     ///< set: of the whole, 0 to 1; bytes does not count
};

struct Limits {
  std::optional<double> min_efficiency;                 ///< strict
  std::optional<Amount> max_waste, max_reclaimable;     ///< strict; shares are of total_bytes
  std::optional<std::uint64_t> max_size, max_layer;     ///< unpacked bytes of the image, of each layer that is not the base's
  // dive's rules, by its measure:
  std::optional<double> dive_lowest_efficiency, dive_highest_user_percent;
  std::optional<std::uint64_t> dive_highest_wasted_bytes;
  bool any() const;
};

struct Breach {
  std::string limit;               ///< "max-waste", "lowestEfficiency"
  std::string text;                ///< "waste is 5.2MB (12.0 %), at most 1MB is allowed"
};
/// In the order of the members above. A value that is just what is allowed keeps to it.
std::vector<Breach> check(const Analysis& analysis, const Limits& limits);

/// "20MB" (powers of 1000, as the tables have them), "20MiB" or "20Mi" (powers of 1024), "1.5G", "300". Errors: invalid_argument.
Result<std::uint64_t> parse_bytes(std::string_view text);
/// The same, or "5%". Errors: invalid_argument.
Result<Amount> parse_amount(std::string_view text);
/// "0.95" or "95%": from 0 to 1. Errors: invalid_argument.
Result<double> parse_share(std::string_view text);

/// dive's defaults for CI: efficiency at least 0.9, wasted user bytes at most 0.1 of all, no limit on wasted bytes.
Limits dive_defaults();
/// The rules of a .dive-ci file over `limits`: a YAML mapping `rules` of lowestEfficiency, highestWastedBytes, highestUserWastedPercent, each a number or "disabled".
/// Errors: invalid_argument with the line.
Result<> apply_dive_rules(std::string_view yaml, Limits& limits);

}  // namespace mica::analyze
