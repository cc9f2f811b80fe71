#include "analyze/limits.h"

#include <charconv>
#include <cmath>

#include "base/format.h"
#include "base/text.h"

namespace mica::analyze {
namespace {

constexpr double kMostBytes = 9.0e18;

std::optional<double> parse_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value) || value < 0) return std::nullopt;
  return value;
}

std::string shown(std::uint64_t bytes) { return human_size(static_cast<std::int64_t>(bytes)); }
std::string percent(double share) { return format("{:.1f} %", share * 100); }

class Checker {
 public:
  explicit Checker(const Analysis& analysis) : analysis_(analysis) {}

  void efficiency(const std::optional<double>& least) {
    if (least && analysis_.efficiency < *least) add("min-efficiency", format("efficiency is {}, at least {} is asked for", percent(analysis_.efficiency), percent(*least)));
  }
  void amount(std::string_view limit, std::string_view what, std::uint64_t bytes, const std::optional<Amount>& most) {
    if (!most) return;
    const double share = analysis_.total_bytes > 0 ? static_cast<double>(bytes) / static_cast<double>(analysis_.total_bytes) : 0;
    const bool is_over = most->share ? share > *most->share : bytes > most->bytes;
    if (is_over) add(limit, format("{} is {} ({}), at most {} is allowed", what, shown(bytes), percent(share), most->share ? percent(*most->share) : shown(most->bytes)));
  }
  void size(std::string_view limit, const std::string& what, std::uint64_t bytes, const std::optional<std::uint64_t>& most) {
    if (most && bytes > *most) add(limit, format("{} {}, at most {} is allowed", what, shown(bytes), shown(*most)));
  }
  void dive(const Limits& limits) {
    const Dive& measured = analysis_.dive;
    if (limits.dive_lowest_efficiency && measured.efficiency < *limits.dive_lowest_efficiency)
      add("lowestEfficiency", format("dive's efficiency is {}, at least {} is asked for", percent(measured.efficiency), percent(*limits.dive_lowest_efficiency)));
    size("highestWastedBytes", "dive's wasted bytes are", measured.wasted_bytes, limits.dive_highest_wasted_bytes);
    const bool is_over = limits.dive_highest_user_percent && (measured.wasted_user_percent > *limits.dive_highest_user_percent || (measured.user_bytes == 0 && measured.wasted_bytes > 0));
    if (is_over) add("highestUserWastedPercent", format("dive's wasted part of user bytes is {}, at most {} is allowed", percent(measured.wasted_user_percent), percent(*limits.dive_highest_user_percent)));
  }
  std::vector<Breach> take() { return std::move(breaches_); }

 private:
  void add(std::string_view limit, std::string text) { breaches_.push_back({std::string(limit), std::move(text)}); }
  const Analysis& analysis_;
  std::vector<Breach> breaches_;
};

/// One rule of dive's; nullopt: disabled.
Result<std::optional<double>> dive_share(std::string_view text) {
  if (text == "disabled") return std::optional<double>();
  const auto value = parse_number(text);
  if (!value || *value > 1) return failf(Errc::invalid_argument, "{} is no number from 0 to 1", quoted(text));
  return value;
}

/// A YAML line without its comment; quotes around the value go.
std::string_view value_of(std::string_view text) {
  if (const auto comment = text.find(" #"); comment != text.npos) text = text.substr(0, comment);
  text = trim(text);
  if (text.size() >= 2 && (text[0] == '"' || text[0] == '\'') && text.back() == text[0]) text = text.substr(1, text.size() - 2);
  return text;
}

Result<> apply_rule(std::string_view key, std::string_view value, Limits& limits) {
  if (key == "lowestEfficiency" || key == "lowest-efficiency") {
    limits.dive_lowest_efficiency = TRY(dive_share(value));
  } else if (key == "highestUserWastedPercent" || key == "highest-user-wasted-percent") {
    limits.dive_highest_user_percent = TRY(dive_share(value));
  } else if (key == "highestWastedBytes" || key == "highest-wasted-bytes") {
    limits.dive_highest_wasted_bytes.reset();
    if (value != "disabled") limits.dive_highest_wasted_bytes = TRY(parse_bytes(value));
  } else {
    return failf(Errc::invalid_argument, "{} is no rule", quoted(key));
  }
  return {};
}

}  // namespace

bool Limits::any() const {
  return min_efficiency || max_waste || max_reclaimable || max_size || max_layer || dive_lowest_efficiency || dive_highest_user_percent || dive_highest_wasted_bytes;
}

std::vector<Breach> check(const Analysis& analysis, const Limits& limits) {
  Checker checker(analysis);
  checker.efficiency(limits.min_efficiency);
  checker.amount("max-waste", "waste", analysis.waste.bytes, limits.max_waste);
  checker.amount("max-reclaimable", "reclaimable waste", analysis.waste.reclaimable_bytes, limits.max_reclaimable);
  checker.size("max-size", "the image has", analysis.total_bytes, limits.max_size);
  for (const auto& layer : analysis.layers)
    if (!layer.inherited) checker.size("max-layer", format("layer {} has", layer.index), layer.bytes, limits.max_layer);
  checker.dive(limits);
  return checker.take();
}

Result<std::uint64_t> parse_bytes(std::string_view text) {
  const auto bad = [&] {
    return fail(Error(Errc::invalid_argument, format("{} is no size", quoted(text))).with_hint("a size is 300, 20MB, 1.5GB (powers of 1000) or 20MiB (powers of 1024)"));
  };
  const auto last = text.find_last_of("0123456789.");
  if (last == text.npos) return bad();
  const auto number = parse_number(text.substr(0, last + 1));
  if (!number) return bad();
  std::string unit = to_lower(trim(text.substr(last + 1)));
  double factor = 1;
  if (!unit.empty() && unit != "b") {
    const auto power = std::string_view("kmgtp").find(unit[0]);
    const std::string_view rest = std::string_view(unit).substr(1);
    if (power == std::string_view::npos || !(rest.empty() || rest == "b" || rest == "i" || rest == "ib")) return bad();
    factor = std::pow(rest.starts_with('i') ? 1024.0 : 1000.0, static_cast<double>(power + 1));
  }
  const double bytes = *number * factor;
  if (bytes > kMostBytes) return bad();
  return static_cast<std::uint64_t>(std::llround(bytes));
}

Result<double> parse_share(std::string_view text) {
  const bool is_percent = text.ends_with('%');
  const auto number = parse_number(trim(is_percent ? text.substr(0, text.size() - 1) : text));
  const double share = number ? *number / (is_percent ? 100 : 1) : 2;
  if (share > 1) return fail(Error(Errc::invalid_argument, format("{} is no share of a whole", quoted(text))).with_hint("write 0.95 or 95%"));
  return share;
}

Result<Amount> parse_amount(std::string_view text) {
  if (!text.ends_with('%')) {
    const auto bytes = TRY(parse_bytes(text));
    return Amount{.bytes = bytes};
  }
  const double share = TRY(parse_share(text));
  return Amount{.share = share};
}

Limits dive_defaults() { return {.dive_lowest_efficiency = 0.9, .dive_highest_user_percent = 0.1}; }

Result<> apply_dive_rules(std::string_view yaml, Limits& limits) {
  bool in_rules = false;
  int number = 0;
  for (std::string_view line : split(yaml, '\n')) {
    ++number;
    line = trim_right(line);
    const std::string_view text = trim(line);
    if (text.empty() || text.starts_with('#') || text == "---") continue;
    const auto parts = split_once(text, ':');
    if (!parts) return failf(Errc::invalid_argument, "line {}: {} is no key and value", number, quoted(text));
    const std::string_view key = value_of(parts->first), value = value_of(parts->second);
    if (!line.starts_with(' ') && !line.starts_with('\t')) {
      in_rules = key == "rules";
      continue;
    }
    if (in_rules) TRY_DOING(apply_rule(key, value, limits), format("line {}", number));
  }
  return {};
}

}  // namespace mica::analyze
