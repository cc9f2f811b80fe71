// The cases of tests/lint: what is found where, and what the file is after a fix. And the examples of all rules.
//
// A file RULE.cases holds cases of one rule:
//
//     ### name of the case
//     Dockerfile text; ␍ stands for a carriage return, ␃ at the end for a missing line end
//     --- config                  optional: a .mica-lint.yaml
//     --- expect
//     LINE:COLUMN RULE            all findings of the rule, and of others that are named
//     --- fixed                   optional: the file after this rule's safe fixes; "fixed unsafe": after the others as well
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "base/format.h"
#include "base/text.h"
#include "lint/config.h"
#include "lint/linter.h"
#include "lint/rule.h"

namespace mica::lint {
namespace {

namespace fs = std::filesystem;

struct Case {
  std::string file, name, text, config, expected;
  std::optional<std::string> fixed, fixed_unsafe;
  int line = 0;
};

std::string unescape(std::string text) {
  text = replace_all(std::move(text), "␍", "\r");
  const std::string end = "␃\n";
  if (text.ends_with(end)) text.resize(text.size() - end.size());
  return text;
}

std::vector<Case> read_cases(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string all(std::istreambuf_iterator<char>(in), {});
  std::vector<Case> cases;
  std::string* into = nullptr;
  int number = 0;
  for (const std::string_view line : split(all, '\n')) {
    ++number;
    if (line.starts_with("### ")) {
      cases.push_back({.file = path.filename().string(), .name = std::string(line.substr(4)), .line = number});
      into = &cases.back().text;
    } else if (cases.empty()) {
      continue;
    } else if (line == "--- config") {
      into = &cases.back().config;
    } else if (line == "--- expect") {
      into = &cases.back().expected;
    } else if (line == "--- fixed") {
      into = &cases.back().fixed.emplace();
    } else if (line == "--- fixed unsafe") {
      into = &cases.back().fixed_unsafe.emplace();
    } else {
      *into += std::string(line) + "\n";
    }
  }
  for (Case& one : cases) {
    // The blank line before the next case is no part of a text.
    for (std::optional<std::string>* text : {&one.fixed, &one.fixed_unsafe})
      if (*text) {
        while ((*text)->ends_with("\n\n")) (*text)->pop_back();
        *text = unescape(**text);
      }
    one.text = unescape(one.text);
  }
  return cases;
}

/// Options under which every rule of the table can be seen, so that "no new finding" is about all of them.
Options options_for(std::string_view rule) {
  Options options{.today = "2026-11-25"};
  const Rule* known = find_rule(rule);
  if (known && known->severity == Severity::off) options.severities[std::string(known->id)] = Severity::warning;
  return options;
}

std::string place(const Finding& finding, std::string_view source) {
  std::size_t begin = source.rfind('\n', finding.where.begin == 0 ? 0 : finding.where.begin - 1);
  if (finding.where.begin == 0) begin = source.npos;
  const std::size_t line_start = begin == source.npos ? 0 : begin + 1;
  const auto line = std::ranges::count(source.substr(0, line_start), '\n') + 1;
  return format("{}:{} {}", line, finding.where.begin - line_start + 1, finding.rule->id);
}

std::string found(const Report& report, const std::set<std::string>& named) {
  std::string text;
  for (const Finding& finding : report.findings)
    if (finding.suppressed_by.empty() && named.contains(std::string(finding.rule->id))) text += place(finding, report.source) + "\n";
  return text;
}

std::map<std::string, int> counts(const Report& report) {
  std::map<std::string, int> found;
  for (const Finding& finding : report.findings)
    if (finding.suppressed_by.empty()) ++found[std::string(finding.rule->id)];
  found["(errors)"] = static_cast<int>(report.errors.size());
  return found;
}

void check_fix(const std::string& text, const Options& options, bool unsafe, std::string_view rule, const std::string& wanted) {
  const Fixed fixed = fix_text("Dockerfile", text, options, unsafe, rule);
  CHECK(fixed.source == wanted);
  CHECK(fix_text("Dockerfile", fixed.source, options, unsafe, rule).source == fixed.source);
  const auto before = counts(lint_text("Dockerfile", text, options)), after = counts(lint_text("Dockerfile", fixed.source, options));
  for (const auto& [id, count] : after) {
    CAPTURE(id);
    const auto old = before.find(id);
    CHECK(count <= (old == before.end() ? 0 : old->second));
  }
}

bool fires(std::string_view id, std::string_view text, const Options& options) {
  const Report report = lint_text("Dockerfile", std::string(text), options);
  return std::ranges::any_of(report.findings, [&](const Finding& finding) { return finding.rule->id == id && finding.suppressed_by.empty(); });
}

}  // namespace

TEST_CASE("the cases of tests/lint give the findings and fixes that they expect") {
  const fs::path folder = fs::path(MICA_SOURCE_DIR) / "tests/lint";
  int count = 0;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".cases") files.push_back(entry.path());
  std::ranges::sort(files);
  for (const fs::path& path : files) {
    const std::string rule = path.stem().string();
    const Rule* known = find_rule(rule);
    REQUIRE_MESSAGE(known, path.filename().string(), ": no such rule");
    CHECK(known->id == rule);
    for (const Case& one : read_cases(path)) {
      ++count;
      INFO(one.file, ":", one.line, ": ", one.name);
      Settings settings{.options = options_for(rule)};
      if (!one.config.empty()) {
        const auto read = read_config_text(one.config, "config", ConfigKind::mica, settings);
        REQUIRE(read.has_value());
      }
      std::set<std::string> named = {rule};
      std::string expected;
      for (const std::string_view line : split(one.expected, '\n')) {
        if (trim(line).empty()) continue;
        const auto words = split_blanks(line);
        REQUIRE(words.size() == 2);
        named.emplace(words[1]);
        expected += std::string(line) + "\n";
      }
      CHECK(found(lint_text("Dockerfile", one.text, settings.options), named) == expected);
      if (one.fixed) check_fix(one.text, settings.options, false, rule, *one.fixed);
      if (one.fixed_unsafe) check_fix(one.text, settings.options, true, rule, *one.fixed_unsafe);
      if (!one.fixed && !one.fixed_unsafe) check_fix(one.text, settings.options, false, rule, fix_text("Dockerfile", one.text, settings.options, false, rule).source);
    }
  }
  MESSAGE(count, " cases");
}

TEST_CASE("every rule has a name of its own, says why, and its examples show it") {
  std::map<std::string, std::string> names;
  for (const Rule* rule : rules()) {
    CAPTURE(rule->id);
    CHECK(!rule->summary.empty());
    CHECK(!rule->why.empty());
    CHECK(!rule->practice.empty());
    std::vector<std::string_view> own = split_blanks(rule->aliases);
    own.push_back(rule->id);
    for (const std::string_view name : own) {
      // BuildKit's one name for three rules.
      if (name == "MultipleInstructionsDisallowed") continue;
      const auto [at, added] = names.emplace(to_lower(name), std::string(rule->id));
      INFO(name, " is also a name of ", at->second);
      CHECK(added);
    }
    CHECK(find_rule(rule->id) == rule);
    Options options = options_for(rule->id);
    options.trusted_registries = {"docker.io"};
    options.label_schema = {{"org.example.url", LabelKind::url},         {"org.example.created", LabelKind::rfc3339},
                            {"org.example.license", LabelKind::spdx},    {"org.example.commit", LabelKind::hash},
                            {"org.example.version", LabelKind::semver}, {"org.example.mail", LabelKind::email}};
    options.strict_labels = true;
    // What a builder, another program or a context is needed for shows nothing here.
    if (rule->bad.empty()) continue;
    const bool elsewhere = rule->check == nullptr && rule->id != "DL3043";
    if (!elsewhere) CHECK(fires(rule->id, rule->bad, options));
    CHECK_FALSE(fires(rule->id, rule->good, options));
    CHECK(lint_text("Dockerfile", std::string(rule->good), options).errors.empty());
  }
}

TEST_CASE("a fix that a rule offers is of the kind that its table says, or less") {
  for (const Rule* rule : rules()) {
    if (rule->bad.empty()) continue;
    CAPTURE(rule->id);
    Options options = options_for(rule->id);
    for (const Finding& finding : lint_text("Dockerfile", std::string(rule->bad), options).findings) {
      if (finding.rule != rule || !finding.fix) continue;
      CHECK(rule->fix != FixKind::none);
      if (rule->fix == FixKind::ask) CHECK(finding.fix->kind == FixKind::ask);
      CHECK(!finding.fix->title.empty());
      CHECK(!finding.fix->edits.empty());
    }
  }
}

}  // namespace mica::lint
