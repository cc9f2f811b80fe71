#include "lint/config.h"

#include <doctest/doctest.h>

namespace mica::lint {
namespace {

Settings read(std::string_view text, ConfigKind kind = ConfigKind::mica) {
  Settings settings;
  const auto root = json::parse(text);
  REQUIRE(root.has_value());
  const auto done = read_config(*root, "config", kind, settings);
  CAPTURE(done ? "" : done.error().text());
  REQUIRE(done.has_value());
  return settings;
}

std::string refusal(std::string_view text, ConfigKind kind = ConfigKind::mica) {
  Settings settings;
  const auto root = json::parse(text);
  REQUIRE(root.has_value());
  const auto done = read_config(*root, "config", kind, settings);
  return done ? "" : done.error().text();
}

}  // namespace

TEST_CASE("hadolint's configuration is read as it is") {
  const Settings settings = read(R"({
      "ignored": ["DL3008", "SC2086", "DL9999"],
      "override": {"error": ["DL3006"], "style": ["DL3059"]},
      "trustedRegistries": ["docker.io", "*.example.com"],
      "label-schema": {"author": "text", "created": "rfc3339", "mail": "email", "version": "semver"},
      "strict-labels": true, "disable-ignore-pragma": true, "no-fail": true, "no-color": false,
      "failure-threshold": "warning", "format": "json", "verbose": true})",
                                 ConfigKind::hadolint);
  CHECK(settings.options.ignored == std::set<std::string, std::less<>>{"DL3008", "DL9999", "SC2086"});
  CHECK(settings.options.severities.at("DL3006") == Severity::error);
  CHECK(settings.options.severities.at("DL3059") == Severity::style);
  CHECK(settings.options.trusted_registries == std::vector<std::string>{"docker.io", "*.example.com"});
  CHECK(settings.options.label_schema.at("created") == LabelKind::rfc3339);
  CHECK(settings.options.strict_labels);
  CHECK_FALSE(settings.options.honour_pragmas);
  CHECK(settings.no_fail == true);
  CHECK(settings.no_color == false);
  CHECK(settings.failure_threshold == Severity::warning);
  CHECK(settings.format == "json");
}

TEST_CASE("a rule may be named by any of its names, in any case; one of BuildKit's is three rules") {
  const Settings settings = read(R"({"ignored": ["workdirrelativepath", "MultipleInstructionsDisallowed"], "rules": {"No-User": "off"}})");
  CHECK(settings.options.ignored == std::set<std::string, std::less<>>{"DL3000", "DL3012", "DL4003", "DL4004"});
  CHECK(settings.options.severities.at("no-user") == Severity::off);
}

TEST_CASE("mica's own file has settings for single rules") {
  const Settings settings = read(R"({"rules": {"DL3057": "warning", "no-user": false, "DL3064": {"severity": "error", "allow": ["PUBLIC_*"]}}})");
  CHECK(settings.options.severities.at("DL3057") == Severity::warning);
  CHECK(settings.options.severities.at("no-user") == Severity::off);
  CHECK(settings.options.severities.at("DL3064") == Severity::error);
  CHECK(settings.options.allowed.at("DL3064") == std::vector<std::string>{"PUBLIC_*"});
}

TEST_CASE("what is not known is refused, with what it may have been") {
  CHECK(refusal(R"({"ignore": []})") == R"(config: unknown key "ignore" (did you mean ignored?))");
  CHECK(refusal(R"({"rules": {}})", ConfigKind::hadolint) == R"(config: unknown key "rules")");
  CHECK(refusal(R"({"ignored": ["no-usr"]})") == R"(config: ignored: no rule is called "no-usr" (did you mean no-user?))");
  CHECK(refusal(R"({"override": {"fatal": []}})") == R"(config: override: unknown severity "fatal")");
  CHECK(refusal(R"({"failure-threshold": "warnin"})") == R"(config: failure-threshold: unknown severity "warnin" (did you mean warning?))");
  CHECK(refusal(R"({"label-schema": {"a": "semvr"}})") == R"(config: label-schema.a: unknown kind "semvr" (did you mean semver?))");
  CHECK(refusal(R"({"strict-labels": "yes"})") == "config: strict-labels: true or false is expected");
  CHECK(refusal(R"({"ignored": [1]})") == "config: ignored: text is expected");
  CHECK(refusal(R"([])") == "config: a map of keys is expected");
  CHECK(refusal(R"(null)").empty());
}

TEST_CASE("variables of the environment are hadolint's, and nonsense in them is passed over") {
  const std::map<std::string, std::string, std::less<>> variables = {{"HADOLINT_IGNORE", "DL3006, DL3007"},
                                                                     {"HADOLINT_OVERRIDE_ERROR", "DL3059"},
                                                                     {"HADOLINT_TRUSTED_REGISTRIES", "docker.io,example.com"},
                                                                     {"HADOLINT_REQUIRE_LABELS", "version:semver,author:text,bad:kind"},
                                                                     {"HADOLINT_STRICT_LABELS", "Yes"},
                                                                     {"HADOLINT_DISABLE_IGNORE_PRAGMA", "1"},
                                                                     {"HADOLINT_NOFAIL", "0"},
                                                                     {"HADOLINT_FORMAT", "sarif"},
                                                                     {"HADOLINT_FAILURE_THRESHOLD", "nonsense"},
                                                                     {"NO_COLOR", "1"}};
  Settings settings;
  read_environment(
      [&](std::string_view name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        return found == variables.end() ? std::nullopt : std::optional(found->second);
      },
      settings);
  CHECK(settings.options.ignored == std::set<std::string, std::less<>>{"DL3006", "DL3007"});
  CHECK(settings.options.severities.at("DL3059") == Severity::error);
  CHECK(settings.options.trusted_registries.size() == 2);
  CHECK(settings.options.label_schema.size() == 2);
  CHECK(settings.options.strict_labels);
  CHECK_FALSE(settings.options.honour_pragmas);
  CHECK(settings.no_fail == false);
  CHECK(settings.format == "sarif");
  CHECK_FALSE(settings.failure_threshold.has_value());
  CHECK(settings.no_color == true);
}

TEST_CASE("settings are printed as a file that says the same") {
  const Settings settings = read(R"({"ignored": ["DL3008"], "failure-threshold": "error", "label-schema": {"a": "url"},
                                     "rules": {"no-user": "off", "DL3064": {"severity": "info", "allow": ["*_NAME"]}}})");
  CHECK(config_text(settings) == R"(failure-threshold: error
disable-ignore-pragma: false
strict-labels: false
ignored:
  - "DL3008"
label-schema:
  "a": url
rules:
  "DL3064":
    severity: info
    allow:
      - "*_NAME"
  "no-user":
    severity: ignore
)");
}

}  // namespace mica::lint
