#include "build/plan_checks.h"

#include <algorithm>
#include <array>

#include "base/format.h"
#include "base/text.h"
#include "oci/platform.h"

namespace mica::build {
namespace {

namespace df = dockerfile;

constexpr int kMaxParts = 3;
constexpr std::array<std::string_view, 5> kOwnRules = {
    "JSONArgsRecommended", "LegacyKeyValueFormat", "MultipleInstructionsDisallowed", "WorkdirRelativePath", "ExposeProtoCasing"};

std::optional<bool> go_bool(std::string_view text) {
  constexpr std::array<std::string_view, 6> kTrue = {"1", "t", "T", "true", "TRUE", "True"};
  constexpr std::array<std::string_view, 6> kFalse = {"0", "f", "F", "false", "FALSE", "False"};
  if (std::ranges::find(kTrue, text) != kTrue.end()) return true;
  if (std::ranges::find(kFalse, text) != kFalse.end()) return false;
  return std::nullopt;
}

/// True when a part of `name` between underscores is one of `words`.
bool has_word(std::string_view name, std::span<const std::string_view> words) {
  for (const std::string_view part : split(name, '_'))
    for (const std::string_view word : words)
      if (equals_ignoring_case(part, word)) return true;
  return false;
}

/// "check=…" of a comment line without '#'; the value ends at the first blank.
std::optional<std::string_view> check_value(std::string_view comment) {
  comment = trim_left(comment);
  const auto pair = split_once(comment, '=');
  if (!pair || !equals_ignoring_case(trim(pair->first), "check")) return std::nullopt;
  const auto words = split_blanks(pair->second);
  return words.empty() ? std::string_view() : words.front();
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> known, std::string_view prefix) {
  const auto near = closest(word, known);
  return near ? format("did you mean {}{}?", prefix, *near) : "";
}

}  // namespace

Result<CheckOptions> parse_check_options(std::string_view text) {
  CheckOptions options;
  text = trim(text);
  if (text.empty()) return options;
  std::vector<std::string_view> parts = split(text, ';');
  if (parts.size() > kMaxParts)
    return failf(Errc::invalid_argument, "failed to parse check options: invalid check option {}", quoted(parts[kMaxParts]));
  for (const std::string_view part : parts) {
    const auto pair = split_once(part, '=');
    if (!pair) return failf(Errc::invalid_argument, "failed to parse check options: invalid check option {}", quoted(part));
    const std::string_view key = trim(pair->first), value = trim(pair->second);
    if (key == "skip") {
      if (value == "all") options.skip_all = true;
      for (const std::string_view rule : split(value, ',')) options.skipped.emplace(trim(rule));
    } else if (key == "error") {
      const auto wanted = go_bool(value);
      if (!wanted)
        return failf(Errc::invalid_argument, "failed to parse check options: failed to parse check option {}: want true or false",
                     quoted(part));
      options.warnings_are_errors = *wanted;
    } else if (key != "experimental") {
      constexpr std::array<std::string_view, 3> kKeys = {"skip", "error", "experimental"};
      std::string text = format("failed to parse check options: invalid check option {}", quoted(key));
      if (const auto near = closest(key, kKeys)) text += format(" (did you mean {}?)", *near);
      return fail(Errc::invalid_argument, std::move(text));
    }
  }
  return options;
}

CheckOptions check_options_of(const std::vector<std::string>& comments) {
  CheckOptions all;
  for (const std::string& comment : comments) {
    const auto value = check_value(comment);
    if (!value) continue;
    auto options = parse_check_options(*value);
    if (!options) continue;
    all.skip_all |= options->skip_all;
    all.skipped.merge(options->skipped);
  }
  return all;
}

void Checks::add(df::Diagnostic diagnostic) {
  for (const auto& known : found_)
    if (known.where.line == diagnostic.where.line && known.code == diagnostic.code && known.message == diagnostic.message) return;
  found_.push_back(std::move(diagnostic));
}

void Checks::warn(std::string_view rule, std::string message, const Spot& spot, std::string suggestion) {
  if (options_.skips(rule)) return;
  if (spot.comments && !spot.comments->empty() && check_options_of(*spot.comments).skips(rule)) return;
  add({.level = df::Diagnostic::Level::warning,
       .code = std::string(rule),
       .message = std::move(message),
       .suggestion = std::move(suggestion),
       .where = spot.where});
}

void Checks::take_over(const df::File& file) {
  if (file.warnings.empty()) return;
  std::vector<Spot> spots;  // in line order, as the file is
  for (const auto& instruction : file.global_args) spots.push_back({instruction.where, &instruction.comments});
  for (const auto& stage : file.stages) {
    spots.push_back({stage.where, &stage.comments});
    for (const auto& instruction : stage.instructions) spots.push_back({instruction.where, &instruction.comments});
  }
  const auto comments_at = [&](int line) -> const std::vector<std::string>* {
    const auto after = std::ranges::upper_bound(spots, line, {}, [](const Spot& s) { return s.where.line; });
    if (after == spots.begin()) return nullptr;
    const Spot& spot = *std::prev(after);
    return line <= std::max(spot.where.line, spot.where.end_line) ? spot.comments : nullptr;
  };
  for (const auto& warning : file.warnings)
    if (std::ranges::find(kOwnRules, warning.code) == kOwnRules.end())
      warn(warning.code, warning.message, {warning.where, comments_at(warning.where.line)}, warning.suggestion);
}

void Checks::undefined_variable(std::string_view name, std::span<const std::string_view> known, const Spot& spot) {
  warn("UndefinedVar", format("Usage of undefined variable '${}'", name), spot, did_you_mean(name, known, "$"));
}

void Checks::undefined_from_argument(std::string_view name, std::span<const std::string_view> known, const Spot& spot) {
  warn("UndefinedArgInFrom", format("FROM argument '{}' is not declared", name), spot, did_you_mean(name, known, ""));
}

void Checks::secret_name(std::string_view keyword, std::string_view name, const Spot& spot) {
  constexpr std::array<std::string_view, 10> kSecrets = {"apikey",   "auth",  "credential", "credentials", "key",
                                                         "password", "pword", "passwd",     "secret",      "token"};
  constexpr std::array<std::string_view, 3> kHarmless = {"public", "file", "version"};
  if (!has_word(name, kSecrets) || has_word(name, kHarmless)) return;
  warn("SecretsUsedInArgOrEnv", format("Do not use ARG or ENV instructions for sensitive data ({} {})", keyword, quoted(name)),
       spot);
}

void Checks::constant_platform(std::string_view stage_name, std::string_view platform, const Spot& spot) {
  const auto parsed = oci::Platform::parse(platform);
  if (!parsed) return;
  // A stage called "build-arm64" says by its name that the platform is meant.
  if (stage_name.find(parsed->os) != stage_name.npos || stage_name.find(parsed->architecture) != stage_name.npos) return;
  warn("FromPlatformFlagConstDisallowed", format("FROM --platform flag should not use constant value {}", quoted(platform)),
       spot);
}

void Checks::several_instructions(std::string_view keyword, const Spot& earlier) {
  warn("MultipleInstructionsDisallowed",
       format("Multiple {} instructions should not be used in the same stage because only the last one will be used", keyword),
       earlier);
}

void Checks::json_recommended(std::string_view keyword, const Spot& spot) {
  warn("JSONArgsRecommended",
       format("JSON arguments recommended for {} to prevent unintended behavior related to OS signals", keyword), spot);
}

void Checks::legacy_form(std::string_view keyword, const Spot& spot) {
  warn("LegacyKeyValueFormat", format("\"{0} key=value\" should be used instead of legacy \"{0} key value\" format", keyword),
       spot);
}

void Checks::ignored_source(std::string_view keyword, std::string_view source, const IgnoreRules& rules, const Spot& spot) {
  // With negations a folder may be excluded and still send files: nothing can be said from the pattern alone.
  if (rules.matcher.empty() || rules.matcher.has_negation()) return;
  const std::string path = clean_path(source);
  const std::string_view relative = trim_left(path, "/");
  bool ignored = false;
  if (relative.empty() || relative == ".") {
    ignored = std::ranges::any_of(rules.patterns, [](const std::string& p) { return p == "*" || p == "**" || p == "**/*"; });
  } else {
    ignored = rules.matcher.matches(relative);
  }
  if (!ignored) return;
  warn("CopyIgnoredFile",
       format("Attempting to {} file {} that is excluded by .dockerignore", keyword == "ADD" ? "Add" : "Copy", quoted(path)),
       spot);
}

std::vector<df::Diagnostic> Checks::take() {
  std::ranges::stable_sort(found_, {}, [](const df::Diagnostic& d) { return d.where.line; });
  return std::move(found_);
}

Result<> Checks::verdict(const df::File& file) const {
  if (!options_.warnings_are_errors || found_.empty()) return {};
  std::string rules, list;
  std::vector<const df::Diagnostic*> sorted;
  for (const auto& warning : found_) sorted.push_back(&warning);
  std::ranges::stable_sort(sorted, {}, [](const df::Diagnostic* d) { return d->where.line; });
  std::set<std::string_view> named;
  for (const df::Diagnostic* warning : sorted) {
    if (named.insert(warning->code).second) rules += (rules.empty() ? "" : ", ") + warning->code;
    list += format("\n{}:{}: {}: {}", file.name, warning->where.line, warning->code, warning->message);
    if (!warning->suggestion.empty()) list += format(" ({})", warning->suggestion);
  }
  return fail(
      Error(Errc::invalid_argument, format("lint violation found for rules: {}{}", rules, list))
          .with_hint("`# check=error=true` in the Dockerfile makes warnings errors; `# check=skip=RULE` switches one off"));
}

}  // namespace mica::build
