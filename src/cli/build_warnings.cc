#include "cli/build_warnings.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"

namespace mica::cli {
namespace {

struct Rule {
  std::string_view name, description;
};
constexpr Rule kRules[] = {
    {"ConsistentInstructionCasing", "Instructions should all be in upper case or all in lower case"},
    {"CopyIgnoredFile", "A file that the ignore file leaves out cannot be copied"},
    {"DuplicateStageName", "Two stages should not have the same name"},
    {"ExposeInvalidFormat", "EXPOSE takes a port and a protocol, no address and no port of the host"},
    {"ExposeProtoCasing", "The protocol of EXPOSE should be in lower case"},
    {"FromAsCasing", "FROM and AS should have the same casing"},
    {"FromPlatformFlagConstDisallowed", "FROM --platform should not name one fixed platform"},
    {"InvalidBaseImagePlatform", "The base image is of another platform than was asked for"},
    {"InvalidDefaultArgInFrom", "With the default values of its arguments, FROM names no valid image"},
    {"InvalidDefinitionDescription", "The comment above a stage or argument should begin with its name"},
    {"JSONArgsRecommended", "CMD and ENTRYPOINT should be in JSON form, so that signals reach the program"},
    {"LegacyKeyValueFormat", "Keys and values should be joined by an equals sign, not by a blank"},
    {"MaintainerDeprecated", "MAINTAINER is obsolete: use the label org.opencontainers.image.authors"},
    {"MultipleInstructionsDisallowed", "An instruction of which only the last one counts is there several times"},
    {"NoEmptyContinuation", "An empty line inside an instruction is obsolete and will become an error"},
    {"RedundantTargetPlatform", "FROM --platform=$TARGETPLATFORM says what is the case anyway"},
    {"ReservedStageName", "Reserved words should not be names of stages"},
    {"SecretsUsedInArgOrEnv", "Secrets should not be in ARG or ENV: they stay readable in the image"},
    {"StageNameCasing", "Names of stages should be in lower case"},
    {"UndefinedArgInFrom", "FROM uses an argument that is not declared before it"},
    {"UndefinedVar", "A variable is used that is not set"},
    {"WorkdirRelativePath", "A relative WORKDIR needs an absolute one before it: the base image may change its own"},
};

/// "StageNameCasing" to "stage-name-casing"; a run of capitals is one word ("JSONArgs": "json-args").
std::string kebab(std::string_view name) {
  const auto upper = [&](std::size_t i) { return i < name.size() && name[i] >= 'A' && name[i] <= 'Z'; };
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (i > 0 && upper(i) && (!upper(i - 1) || (i + 1 < name.size() && !upper(i + 1)))) out += '-';
    out += name[i];
  }
  return to_lower(out);
}

std::string short_text(const dockerfile::Diagnostic& warning) {
  std::string text = format("{}: {}", warning.code, warning.message);
  if (warning.where.line > 0) text += format(" (line {})", warning.where.line);
  return text;
}

json::Value line_record(int line) {
  json::Value value = json::Value::object();
  value.set("line", std::int64_t{line});
  return value;
}

json::Value ranges_of(const dockerfile::Range& where) {
  json::Value range = json::Value::object();
  range.set("start", line_record(where.line));
  range.set("end", line_record(std::max(where.line, where.end_line)));
  json::Value ranges = json::Value::array();
  ranges.push(std::move(range));
  return ranges;
}

json::Value one_text(std::string text) {
  json::Value list = json::Value::array();
  list.push(std::move(text));
  return list;
}

bool same(const dockerfile::Diagnostic& a, const dockerfile::Diagnostic& b) { return a.code == b.code && a.where == b.where && a.message == b.message; }

}  // namespace

std::string rule_url(std::string_view rule) { return format("https://docs.docker.com/go/dockerfile/rule/{}/", kebab(rule)); }

std::string_view rule_description(std::string_view rule) {
  const auto* found = std::lower_bound(std::begin(kRules), std::end(kRules), rule, [](const Rule& r, std::string_view name) { return r.name < name; });
  return found != std::end(kRules) && found->name == rule ? found->description : "";
}

json::Value location_record(const dockerfile::Range& where) {
  json::Value value = json::Value::object();
  value.set("ranges", ranges_of(where));
  return value;
}

std::string warning_summary(const std::vector<build::Warned>& warnings, bool colour) {
  if (warnings.empty()) return {};
  const std::string head = format("{} warning{} found (use --check to expand):", warnings.size(), warnings.size() == 1 ? "" : "s");
  std::string text = colour ? format("\n \x1b[33m{}\x1b[0m\n", head) : format("\n {}\n", head);
  for (const auto& warning : warnings) text += format(" - {}\n", short_text(warning.diagnostic));
  return text;
}

json::Value warning_record(const dockerfile::Diagnostic& warning, const std::string& file, std::string_view source) {
  json::Value value = json::Value::object();
  value.set("level", 1);
  value.set("short", base64(short_text(warning)));
  value.set("detail", one_text(base64(rule_description(warning.code))));
  value.set("url", rule_url(warning.code));
  json::Value info = json::Value::object();
  info.set("filename", file);
  if (!source.empty()) info.set("data", base64(source));
  info.set("language", "Dockerfile");
  value.set("sourceInfo", std::move(info));
  if (warning.where.line > 0) value.set("range", ranges_of(warning.where));
  return value;
}

std::string check_page(const std::vector<build::Warned>& warnings, const std::string& path) {
  if (warnings.empty()) return "Check complete, no warnings found.\n";
  std::string text = warnings.size() == 1 ? "Check complete, 1 warning has been found!\n"
                                          : format("Check complete, {} warnings have been found!\n", warnings.size());
  constexpr std::string_view kRule = "--------------------\n";
  for (const auto& [diagnostic, file, excerpt] : warnings) {
    text += format("\nWARNING: {} - {}\n{}\n", diagnostic.code, rule_url(diagnostic.code), diagnostic.message);
    if (diagnostic.where.line == 0) {
      text += path + "\n";
      continue;
    }
    text += format("{}:{}\n{}{}", path, diagnostic.where.line, kRule, excerpt);
    text += excerpt.ends_with('\n') || excerpt.empty() ? kRule : "\n" + std::string(kRule);
  }
  return text;
}

json::Value check_record(const std::vector<build::Warned>& warnings, const std::string& file, std::string_view source) {
  json::Value all = json::Value::object();
  json::Value list = json::Value::array();
  for (const auto& warning : warnings) {
    json::Value value = json::Value::object();
    value.set("ruleName", warning.diagnostic.code);
    value.set("description", rule_description(warning.diagnostic.code));
    value.set("url", rule_url(warning.diagnostic.code));
    value.set("detail", warning.diagnostic.message);
    if (warning.diagnostic.where.line > 0) value.set("location", location_record(warning.diagnostic.where));
    list.push(std::move(value));
  }
  if (!warnings.empty()) all.set("warnings", std::move(list));
  json::Value info = json::Value::object();
  info.set("filename", file);
  info.set("data", base64(source));
  info.set("language", "Dockerfile");
  json::Value sources = json::Value::array();
  sources.push(std::move(info));
  all.set("sources", std::move(sources));
  return all;
}

void WarningKeeper::on(const build::Event& event) {
  if (const auto* warned = std::get_if<build::Warned>(&event)) {
    const bool known = std::any_of(warnings_.begin(), warnings_.end(), [&](const auto& one) { return same(one.diagnostic, warned->diagnostic); });
    if (known) return;
    warnings_.push_back(*warned);
  }
  next_.on(event);
}

}  // namespace mica::cli
