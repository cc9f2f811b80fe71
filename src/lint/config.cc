#include "lint/config.h"

#include <algorithm>
#include <array>

#include "base/format.h"
#include "base/text.h"
#include "json/yaml.h"
#include "lint/rule.h"

namespace mica::lint {
namespace {

constexpr auto kKinds = std::to_array<std::pair<std::string_view, LabelKind>>({{"text", LabelKind::text},
                                                                               {"rfc3339", LabelKind::rfc3339},
                                                                               {"semver", LabelKind::semver},
                                                                               {"url", LabelKind::url},
                                                                               {"hash", LabelKind::hash},
                                                                               {"spdx", LabelKind::spdx},
                                                                               {"email", LabelKind::email}});

std::string suggest(std::string_view word, std::span<const std::string_view> known) {
  const auto near = closest(word, known);
  return near ? format(" (did you mean {}?)", *near) : "";
}

std::string near_rule(std::string_view name) {
  std::vector<std::string_view> known;
  for (const Rule* rule : rules()) {
    known.push_back(rule->id);
    for (const std::string_view alias : split_blanks(rule->aliases)) known.push_back(alias);
  }
  return suggest(name, known);
}

/// "DL3008", "SC2086": what hadolint's configuration may name, known here or not.
bool is_foreign_id(std::string_view name) {
  return name.size() > 2 && (name.starts_with("DL") || name.starts_with("SC")) && parse_int(name.substr(2)).has_value();
}

std::vector<std::string> ids_of(std::string_view name) {
  std::vector<std::string> ids;
  for (const Rule* rule : rules_named(name)) ids.emplace_back(rule->id);
  if (ids.empty()) ids.emplace_back(name);
  return ids;
}

class Reader {
 public:
  Reader(std::string_view name, ConfigKind kind, Settings& settings) : name_(name), kind_(kind), settings_(settings) {}

  Result<> read(const json::Value& root) {
    if (root.is_null()) return {};
    if (!root.is_object()) return failf(Errc::invalid_argument, "{}: a map of keys is expected", name_);
    for (const auto& [key, value] : root.as_object()) TRY(read_key(key, value));
    return {};
  }

 private:
  Result<> read_key(std::string_view key, const json::Value& value) {
    Options& options = settings_.options;
    if (key == "ignored") {
      const auto names = TRY(rule_names(key, value));
      options.ignored.insert(names.begin(), names.end());
    } else if (key == "override") {
      return read_override(value);
    } else if (key == "trustedRegistries" || key == "trusted-registries") {
      const auto registries = TRY(strings(key, value));
      options.trusted_registries.insert(options.trusted_registries.end(), registries.begin(), registries.end());
    } else if (key == "label-schema") {
      return read_schema(value);
    } else if (key == "strict-labels") {
      options.strict_labels = TRY(boolean(key, value));
    } else if (key == "disable-ignore-pragma") {
      options.honour_pragmas = !TRY(boolean(key, value));
    } else if (key == "no-fail") {
      settings_.no_fail = TRY(boolean(key, value));
    } else if (key == "no-color") {
      settings_.no_color = TRY(boolean(key, value));
    } else if (key == "failure-threshold") {
      settings_.failure_threshold = TRY(severity(key, value));
    } else if (key == "format") {
      settings_.format = TRY(text(key, value));
    } else if (key == "verbose" && kind_ == ConfigKind::hadolint) {
      TRY(boolean(key, value));
    } else if (key == "rules" && kind_ == ConfigKind::mica) {
      return read_rules(value);
    } else {
      constexpr auto kKnown = std::to_array<std::string_view>({"ignored", "override", "trustedRegistries", "label-schema", "strict-labels",
                                                               "disable-ignore-pragma", "no-fail", "no-color", "failure-threshold", "format", "rules"});
      return failf(Errc::invalid_argument, "{}: unknown key {}{}", name_, quoted(key),
                   suggest(key, std::span(kKnown).first(kKnown.size() - (kind_ == ConfigKind::hadolint ? 1 : 0))));
    }
    return {};
  }

  Result<> read_override(const json::Value& value) {
    if (value.is_null()) return {};
    if (!value.is_object()) return wrong("override", "a map of severities");
    for (const auto& [key, names] : value.as_object()) {
      constexpr std::array<std::string_view, 4> kSeverities = {"error", "warning", "info", "style"};
      if (std::ranges::find(kSeverities, key) == kSeverities.end())
        return failf(Errc::invalid_argument, "{}: override: unknown severity {}{}", name_, quoted(key), suggest(key, kSeverities));
      const auto ids = TRY(rule_names("override." + key, names));
      for (const std::string& id : ids) settings_.options.severities[id] = *severity_of(key);
    }
    return {};
  }

  Result<> read_schema(const json::Value& value) {
    if (value.is_null()) return {};
    if (!value.is_object()) return wrong("label-schema", "a map from labels to kinds");
    for (const auto& [label, kind] : value.as_object()) {
      const std::string name = TRY(text("label-schema." + label, kind));
      const auto known = label_kind_of(name);
      if (!known) {
        std::vector<std::string_view> names;
        for (const auto& [one, unused] : kKinds) names.push_back(one);
        return failf(Errc::invalid_argument, "{}: label-schema.{}: unknown kind {}{}", name_, label, quoted(name), suggest(name, names));
      }
      settings_.options.label_schema[label] = *known;
    }
    return {};
  }

  Result<> read_rules(const json::Value& value) {
    if (value.is_null()) return {};
    if (!value.is_object()) return wrong("rules", "a map from rules to what they should do");
    for (const auto& [name, wanted] : value.as_object()) {
      const auto ids = TRY(known_rule("rules", name));
      const std::string place = format("rules.{}", name);
      if (!wanted.is_object()) {
        const Severity level = TRY(severity(place, wanted));
        for (const std::string& id : ids) settings_.options.severities[id] = level;
        continue;
      }
      for (const auto& [key, one] : wanted.as_object()) {
        if (key == "severity") {
          const Severity level = TRY(severity(place + ".severity", one));
          for (const std::string& id : ids) settings_.options.severities[id] = level;
        } else if (key == "allow") {
          const auto patterns = TRY(strings(place + ".allow", one));
          for (const std::string& id : ids) {
            auto& allowed = settings_.options.allowed[id];
            allowed.insert(allowed.end(), patterns.begin(), patterns.end());
          }
        } else {
          constexpr std::array<std::string_view, 2> kKnown = {"severity", "allow"};
          return failf(Errc::invalid_argument, "{}: {}: unknown key {}{}", name_, place, quoted(key), suggest(key, kKnown));
        }
      }
    }
    return {};
  }

  Result<std::vector<std::string>> known_rule(std::string_view place, std::string_view name) {
    if (rules_named(name).empty() && (kind_ == ConfigKind::mica ? !name.starts_with("SC") || !is_foreign_id(name) : !is_foreign_id(name)))
      return failf(Errc::invalid_argument, "{}: {}: no rule is called {}{}", name_, place, quoted(name), near_rule(name));
    return ids_of(name);
  }
  Result<std::vector<std::string>> rule_names(std::string_view place, const json::Value& value) {
    std::vector<std::string> ids;
    const auto names = TRY(strings(place, value));
    for (const std::string& name : names) {
      const auto known = TRY(known_rule(place, name));
      ids.insert(ids.end(), known.begin(), known.end());
    }
    return ids;
  }

  Result<std::vector<std::string>> strings(std::string_view place, const json::Value& value) {
    std::vector<std::string> found;
    if (value.is_null()) return found;
    if (value.is_string()) return std::vector<std::string>{value.as_string()};
    if (!value.is_array()) return wrong(place, "a list");
    for (const json::Value& one : value.as_array()) found.push_back(TRY(text(place, one)));
    return found;
  }
  Result<std::string> text(std::string_view place, const json::Value& value) {
    if (value.is_string()) return value.as_string();
    if (value.is_null()) return std::string();
    return wrong(place, "text");
  }
  Result<bool> boolean(std::string_view place, const json::Value& value) {
    if (value.is_bool()) return value.as_bool();
    return wrong(place, "true or false");
  }
  Result<Severity> severity(std::string_view place, const json::Value& value) {
    // YAML 1.1 takes a bare "off" for false.
    if (value.is_bool() && !value.as_bool()) return Severity::off;
    const std::string name = TRY(text(place, value));
    if (const auto known = severity_of(name)) return *known;
    constexpr std::array<std::string_view, 6> kNames = {"error", "warning", "info", "style", "ignore", "off"};
    return failf(Errc::invalid_argument, "{}: {}: unknown severity {}{}", name_, place, quoted(name), suggest(name, kNames));
  }
  std::unexpected<Error> wrong(std::string_view place, std::string_view wanted) {
    return failf(Errc::invalid_argument, "{}: {}: {} is expected", name_, place, wanted);
  }

  const std::string_view name_;
  const ConfigKind kind_;
  Settings& settings_;
};

bool is_truthy(std::string_view text) {
  for (const std::string_view yes : {"1", "y", "on", "true", "yes"})
    if (equals_ignoring_case(text, yes)) return true;
  return false;
}

std::vector<std::string_view> list(std::string_view text) {
  std::vector<std::string_view> parts;
  for (const std::string_view part : split(text, ','))
    if (!trim(part).empty()) parts.push_back(trim(part));
  return parts;
}

std::string_view name_of(LabelKind kind) {
  for (const auto& [name, value] : kKinds)
    if (value == kind) return name;
  return "text";
}

/// Scalars that YAML would read as something else go into quotes.
std::string scalar(std::string_view text) { return json::write(json::Value(text)); }

}  // namespace

std::optional<LabelKind> label_kind_of(std::string_view name) {
  if (name.empty() || name == "raw") return LabelKind::text;
  for (const auto& [known, kind] : kKinds)
    if (known == name) return kind;
  return std::nullopt;
}

Result<> read_config(const json::Value& root, std::string_view name, ConfigKind kind, Settings& settings) {
  return Reader(name, kind, settings).read(root);
}

Result<> read_config_text(std::string_view text, std::string_view name, ConfigKind kind, Settings& settings) {
  const json::Value root = TRY_DOING(json::parse_yaml(text), std::string(name));
  return read_config(root, name, kind, settings);
}

void read_environment(const std::function<std::optional<std::string>(std::string_view name)>& variable, Settings& settings) {
  Options& options = settings.options;
  if (const auto text = variable("HADOLINT_IGNORE"))
    for (const std::string_view name : list(*text))
      for (std::string& id : ids_of(name)) options.ignored.insert(std::move(id));
  for (const std::string_view level : {"error", "warning", "info", "style"})
    if (const auto text = variable("HADOLINT_OVERRIDE_" + to_upper(level)))
      for (const std::string_view name : list(*text))
        for (const std::string& id : ids_of(name)) options.severities[id] = *severity_of(level);
  for (const std::string_view name : {"HADOLINT_TRUSTED_REGISTRIES", "HADOLINT_ALLOWED_REGISTRIES"})
    if (const auto text = variable(name))
      for (const std::string_view registry : list(*text)) options.trusted_registries.emplace_back(registry);
  if (const auto text = variable("HADOLINT_REQUIRE_LABELS"))
    for (const std::string_view part : list(*text)) {
      const auto pair = split_once(part, ':');
      const auto kind = label_kind_of(pair ? trim(pair->second) : std::string_view());
      if (kind) options.label_schema[std::string(trim(pair ? pair->first : part))] = *kind;
    }
  if (const auto text = variable("HADOLINT_STRICT_LABELS")) options.strict_labels = is_truthy(*text);
  if (const auto text = variable("HADOLINT_DISABLE_IGNORE_PRAGMA")) options.honour_pragmas = !is_truthy(*text);
  if (const auto text = variable("HADOLINT_NOFAIL")) settings.no_fail = is_truthy(*text);
  if (const auto text = variable("HADOLINT_FORMAT"); text && !text->empty()) settings.format = *text;
  if (const auto text = variable("HADOLINT_FAILURE_THRESHOLD"))
    if (const auto threshold = severity_of(*text)) settings.failure_threshold = *threshold;
  if (const auto text = variable("NO_COLOR"); text && !text->empty()) settings.no_color = true;
}

std::string config_text(const Settings& settings) {
  const Options& options = settings.options;
  std::string text;
  const auto write_list = [&](std::string_view key, const auto& values) {
    if (values.empty()) return;
    text += format("{}:\n", key);
    for (const std::string& value : values) text += format("  - {}\n", scalar(value));
  };
  if (settings.failure_threshold) text += format("failure-threshold: {}\n", severity_name(*settings.failure_threshold));
  if (settings.format) text += format("format: {}\n", scalar(*settings.format));
  if (settings.no_color) text += format("no-color: {}\n", *settings.no_color);
  if (settings.no_fail) text += format("no-fail: {}\n", *settings.no_fail);
  text += format("disable-ignore-pragma: {}\nstrict-labels: {}\n", !options.honour_pragmas, options.strict_labels);
  write_list("ignored", options.ignored);
  write_list("trustedRegistries", options.trusted_registries);
  if (!options.label_schema.empty()) text += "label-schema:\n";
  for (const auto& [label, kind] : options.label_schema) text += format("  {}: {}\n", scalar(label), name_of(kind));
  std::set<std::string_view> changed;
  for (const auto& [id, severity] : options.severities) changed.insert(id);
  for (const auto& [id, patterns] : options.allowed) changed.insert(id);
  if (!changed.empty()) text += "rules:\n";
  for (const std::string_view id : changed) {
    text += format("  {}:\n", scalar(id));
    if (const auto found = options.severities.find(id); found != options.severities.end())
      text += format("    severity: {}\n", severity_name(found->second));
    if (const auto found = options.allowed.find(id); found != options.allowed.end()) {
      text += "    allow:\n";
      for (const std::string& pattern : found->second) text += format("      - {}\n", scalar(pattern));
    }
  }
  return text;
}

}  // namespace mica::lint
