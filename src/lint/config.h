/// Configuration of the linter: hadolint's file as it is, mica's own file, and the variables of the environment. Text comes in, settings go out: who reads
/// files and variables is elsewhere.
///
/// Keys of both files:
///
///     ignored: [DL3008, no-user]
///     override: {error: [...], warning: [...], info: [...], style: [...]}
///     trustedRegistries: [docker.io, "*.example.com"]
///     label-schema: {org.example.version: semver}        text, rfc3339, semver, url, hash, spdx, email
///     strict-labels, disable-ignore-pragma, no-fail, no-color: true or false
///     failure-threshold: warning                         error, warning, info, style, ignore
///     format: json
///
/// and of `.mica-lint.yaml` besides:
///
///     rules:
///       no-user: off                                     a severity alone, or
///       DL3064:
///         severity: error
///         allow: [PUBLIC_*, TOKEN_LIFETIME]              what the rule points at is let pass when it is one of these ('*' at either end)
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "json/json.h"
#include "lint/options.h"

namespace mica::lint {

struct Settings {
  Options options;
  std::optional<Severity> failure_threshold;
  std::optional<std::string> format;
  std::optional<bool> no_color, no_fail;
};

enum class ConfigKind : std::uint8_t { hadolint, mica };

/// Adds to `settings` what a file says; lists grow, single values are replaced. Names of rules become canonical ids; hadolint's file may name rules
/// that are not known here (they are kept as they are), mica's may not.
/// Errors: invalid_argument (unknown key or rule with suggestion, value of another type), in the words "NAME: key: ...".
Result<> read_config(const json::Value& root, std::string_view name, ConfigKind kind, Settings& settings);
/// The same from YAML text. Errors: also corrupt (no YAML), with the place.
Result<> read_config_text(std::string_view text, std::string_view name, ConfigKind kind, Settings& settings);

/// HADOLINT_IGNORE, HADOLINT_OVERRIDE_ERROR (..._WARNING, _INFO, _STYLE), HADOLINT_TRUSTED_REGISTRIES (also HADOLINT_ALLOWED_REGISTRIES),
/// HADOLINT_REQUIRE_LABELS ("key:kind,key:kind"), HADOLINT_STRICT_LABELS, HADOLINT_DISABLE_IGNORE_PRAGMA, HADOLINT_NOFAIL, HADOLINT_FORMAT,
/// HADOLINT_FAILURE_THRESHOLD, NO_COLOR. As hadolint does, values that make no sense are passed over.
void read_environment(const std::function<std::optional<std::string>(std::string_view name)>& variable, Settings& settings);

std::optional<LabelKind> label_kind_of(std::string_view name);

/// Settings as the text of a `.mica-lint.yaml`: `lint --print-config`.
std::string config_text(const Settings& settings);

}  // namespace mica::lint
