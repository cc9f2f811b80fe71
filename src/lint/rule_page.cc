#include "lint/rule_page.h"

#include "base/format.h"
#include "base/text.h"

namespace mica::lint {
namespace {

/// Sentences in tables and titles begin with a capital; names of programs and instructions stay as they are.
std::string sentence(std::string_view text) {
  std::string result(text);
  if (!result.empty() && result[0] >= 'a' && result[0] <= 'z') result[0] = static_cast<char>(result[0] - 'a' + 'A');
  return result;
}

std::string example(std::string_view title, std::string_view text) {
  if (text.empty()) return "";
  // What cannot be seen is shown.
  std::string shown = replace_all(std::string(text), "\r\n", "␍\n");
  if (!shown.ends_with('\n')) shown += "\n";
  return format("\n## {}\n\n```dockerfile\n{}```\n", title, shown);
}

std::string_view severity_words(Severity severity) {
  return severity == Severity::off ? "off, until the configuration gives it one" : severity_name(severity);
}

}  // namespace

std::string_view fix_words(FixKind kind) {
  switch (kind) {
    case FixKind::none: return "none";
    case FixKind::safe: return "`--fix`";
    case FixKind::ask: return "`--fix --unsafe`, as the meaning may change";
    case FixKind::data: return "needs a lock file, a registry or a built image";
  }
  return "";
}

std::string rule_page(const Rule& rule) {
  std::string page = format("# {}: {}\n\n| | |\n|---|---|\n| Severity | {} |\n| Fix | {} |\n", rule.id, rule.summary, severity_words(rule.severity),
                            fix_words(rule.fix));
  if (!rule.aliases.empty()) {
    std::string names;
    for (const std::string_view alias : split_blanks(rule.aliases)) names += format("{}`{}`", names.empty() ? "" : ", ", alias);
    page += format("| Other names | {} |\n", names);
  }
  page += format("\n{}\n\n**Instead:** {}\n", rule.why, rule.practice);
  page += example("Bad", rule.bad);
  page += example("Good", rule.good);
  page += format("\nTo hide it at one place: `# mica ignore={} reason=\"...\"` above the instruction.\n", rule.id);
  return page;
}

std::string rule_text(const Rule& rule) {
  const auto indented = [](std::string_view text) {
    std::string result;
    for (const std::string_view line : split(trim_right(text, "\n"), '\n')) result += format("    {}\n", line);
    return result;
  };
  std::string text = format("{} ({}): {}\n", rule.id, rule.severity == Severity::off ? "off" : severity_name(rule.severity), rule.summary);
  if (!rule.aliases.empty()) text += format("also: {}\n", rule.aliases);
  text += format("fix: {}\n\n{}\n\nInstead: {}\n", replace_all(std::string(fix_words(rule.fix)), "`", ""), rule.why, rule.practice);
  if (!rule.bad.empty()) text += format("\nBad:\n{}", indented(rule.bad));
  if (!rule.good.empty()) text += format("\nGood:\n{}", indented(rule.good));
  return text;
}

std::string rule_index() {
  std::string text =
      "# Rules\n\nPrinted from the program (`mica lint --explain RULE`). Other names are those of hadolint, BuildKit and other linters; they are accepted "
      "wherever a rule is named.\n\n| rule | severity | fix | what it catches | other names |\n|---|---|---|---|---|\n";
  for (const Rule* rule : rules()) {
    const std::string_view fix = rule->fix == FixKind::none ? "" : rule->fix == FixKind::safe ? "safe" : rule->fix == FixKind::ask ? "ask" : "data";
    text += format("| [{0}]({0}.md) | {1} | {2} | {3} | {4} |\n", rule->id, rule->severity == Severity::off ? "off" : severity_name(rule->severity), fix,
                   replace_all(sentence(rule->summary), "|", "\\|"), replace_all(std::string(rule->aliases), " ", ", "));
  }
  return text;
}

}  // namespace mica::lint
