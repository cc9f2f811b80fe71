// Labels: their keys, and what a label schema (configuration, "label-schema") asks of them.
#include <algorithm>
#include <map>
#include <set>

#include "base/format.h"
#include "base/text.h"
#include "dockerfile/expand.h"
#include "lint/label_kinds.h"
#include "lint/reference_text.h"
#include "lint/rule.h"
#include "lint/texts.h"

namespace mica::lint {
namespace {

namespace df = dockerfile;

struct LabelView {
  const InstructionView* view = nullptr;
  std::string key, value;
  bool value_known = true;        // no variable in it
  Span key_span, value_span;
  std::size_t index = 0, count = 1;
  TextWord word;                  // the pair; of the old form the key
};

template <class Visit>
void each_label(const Inspection& in, const Visit& visit) {
  const char escape = in.file.directives.escape;
  const auto plain = [&](std::string_view text, bool& known) {
    const auto expanded = df::expand(text, nullptr, {.escape = escape});
    known = expanded && expanded->unset.empty() && expanded->defaulted.empty();
    return expanded ? expanded->text : std::string(text);
  };
  for (const InstructionView& view : in.instructions) {
    const auto* label = std::get_if<df::Label>(&view.instruction->command);
    if (!label) continue;
    const auto words = arguments(in, *view.instruction);
    for (std::size_t i = 0; i < label->pairs.size() && i < words.size(); ++i) {
      const df::KeyValue& pair = label->pairs[i];
      LabelView found{.view = &view, .index = i, .count = label->pairs.size(), .word = words[i]};
      bool key_known = true;
      found.key = plain(pair.key, key_known);
      if (!key_known) continue;
      found.value = plain(pair.value.value_or(""), found.value_known);
      const std::size_t key_end = words[i].begin + pair.key.size();
      found.key_span = in.span(*view.instruction, words[i].begin, key_end);
      if (label->legacy)
        found.value_span = words.size() > 1 ? in.span(*view.instruction, words[1].begin, view.instruction->text.size()) : found.key_span;
      else
        found.value_span = key_end + 1 < words[i].end ? in.span(*view.instruction, key_end + 1, words[i].end) : found.key_span;
      visit(found);
    }
  }
}

void check_key(Inspection& in) {
  static const Rule& rule = rule_of("DL3048");
  each_label(in, [&](const LabelView& label) {
    const std::string& key = label.key;
    const auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    std::string_view problem;
    if (key.empty() || !is_lower(key.front()))
      problem = "it should begin with a small letter";
    else if (!is_lower(key.back()) && !is_digit(key.back()))
      problem = "it should end with a small letter or a digit";
    else if (!std::ranges::all_of(key, [&](char c) { return is_lower(c) || is_digit(c) || c == '.' || c == '-'; }))
      problem = "only small letters, digits, dots and dashes belong in it";
    else if (key.find("..") != key.npos || key.find("--") != key.npos)
      problem = "two separators stand side by side";
    else if (key.starts_with("com.docker.") || key.starts_with("io.docker.") || key.starts_with("org.dockerproject."))
      problem = "these names are kept for Docker's own use";
    if (!problem.empty()) in.report(rule, label.key_span, *label.view, format("label {}: {}", quoted(key), problem));
  });
}

/// Each stage is asked, but for those that only give files to others: their labels are nobody's.
void check_missing(Inspection& in) {
  static const Rule& rule = rule_of("DL3049");
  if (in.options.label_schema.empty()) return;
  std::vector<std::set<std::string>> present(in.stages.size());
  std::vector<bool> gives(in.stages.size());
  each_label(in, [&](const LabelView& label) {
    if (!label.view->outer) present[label.view->stage].insert(label.key);
  });
  for (const InstructionView& view : in.instructions)
    if (const auto* copy = std::get_if<df::Copy>(&view.instruction->command); copy && !copy->from.empty())
      if (const auto from = in.stage_named(copy->from, view.stage)) gives[*from] = true;
  for (const StageView& view : in.stages) {
    if (view.base_stage) present[view.index].insert(present[*view.base_stage].begin(), present[*view.base_stage].end());
    if (view.stage->implied || gives[view.index]) continue;
    for (const auto& [key, kind] : in.options.label_schema)
      if (!present[view.index].contains(key))
        in.report(rule, in.whole(*view.stage), view.stage->where.line, format("the label {} is missing", quoted(key)));
  }
}

void check_superfluous(Inspection& in) {
  static const Rule& rule = rule_of("DL3050");
  if (!in.options.strict_labels) return;
  each_label(in, [&](const LabelView& label) {
    if (!in.options.label_schema.contains(label.key))
      in.report(rule, label.key_span, *label.view, format("the label {} is not in the schema", quoted(label.key)));
  });
}

void check_empty(Inspection& in) {
  static const Rule& rule = rule_of("DL3051");
  if (in.options.label_schema.empty()) return;
  each_label(in, [&](const LabelView& label) {
    if (in.options.label_schema.contains(label.key) && label.value.empty() && label.value_known)
      in.report(rule, label.key_span, *label.view, format("the label {} is empty", quoted(label.key)));
  });
}

void check_kind(Inspection& in, std::string_view id, LabelKind kind, bool (*fits)(std::string_view), std::string_view what) {
  if (in.options.label_schema.empty()) return;
  const Rule& rule = rule_of(id);
  each_label(in, [&](const LabelView& label) {
    const auto wanted = in.options.label_schema.find(label.key);
    if (wanted == in.options.label_schema.end() || wanted->second != kind || !label.value_known || label.value.empty() || fits(label.value)) return;
    in.report(rule, label.value_span, *label.view, format("label {}: {} is not {}", quoted(label.key), quoted(label.value), what));
  });
}
void check_url(Inspection& in) { check_kind(in, "DL3052", LabelKind::url, is_url, "a URL"); }
void check_time(Inspection& in) { check_kind(in, "DL3053", LabelKind::rfc3339, is_rfc3339, "a time of RFC 3339"); }
void check_license(Inspection& in) { check_kind(in, "DL3054", LabelKind::spdx, is_spdx_license, "an SPDX license identifier"); }
void check_hash(Inspection& in) { check_kind(in, "DL3055", LabelKind::hash, is_git_hash, "a git commit hash"); }
void check_semver(Inspection& in) { check_kind(in, "DL3056", LabelKind::semver, is_semver, "a semantic version"); }
void check_email(Inspection& in) { check_kind(in, "DL3058", LabelKind::email, is_email, "an e-mail address"); }

/// Takes one pair out of its instruction; the whole instruction when it holds no other.
Edit remove_pair(const Inspection& in, const LabelView& label) {
  const df::Instruction& instruction = *label.view->instruction;
  if (label.count == 1) return remove_lines(in, instruction);
  const auto words = arguments(in, instruction);
  // The next word may stand on another line: the continuation between goes as well.
  if (label.index + 1 < words.size())
    return {{in.source_offset(instruction, words[label.index].begin), in.source_offset(instruction, words[label.index + 1].begin)}, ""};
  return {{in.span(instruction, words[label.index - 1].begin, words[label.index - 1].end).end, in.span(instruction, words[label.index].begin, words[label.index].end).end}, ""};
}

void check_duplicate(Inspection& in) {
  static const Rule& rule = rule_of("duplicate-label");
  std::map<std::pair<std::size_t, std::string>, LabelView> last;
  each_label(in, [&](const LabelView& label) {
    if (label.view->outer) return;
    const auto [at, added] = last.emplace(std::pair{label.view->stage, label.key}, label);
    if (added) return;
    const LabelView earlier = std::exchange(at->second, label);
    in.report(rule, earlier.key_span, *earlier.view,
              format("the label {} is set again on line {}: this value is lost", quoted(label.key), in.lines.position(label.key_span.begin).line),
              Fix{FixKind::safe, "remove it", {remove_pair(in, earlier)}});
  });
}

void check_base_digest(Inspection& in) {
  static const Rule& rule = rule_of("stale-base-digest");
  each_label(in, [&](const LabelView& label) {
    if (label.key != "org.opencontainers.image.base.digest" || label.view->outer || !label.value_known) return;
    std::optional<std::size_t> at = label.view->stage;
    while (in.stages[*at].base_stage) at = in.stages[*at].base_stage;
    const StageView& base = in.stages[*at];
    if (base.stage->implied || !base.base_known || split_image(base.base).digest == label.value) return;
    in.report(rule, label.key_span, *label.view, "FROM does not pin this digest, so the label is wrong as soon as the tag moves",
              Fix{FixKind::ask, "remove the label", {remove_pair(in, label)}});
  });
}

const Rule kRules[] = {
    {.id = "DL3048",
     .severity = Severity::style,
     .summary = "label key of another form than is usual",
     .why = "Tools that read labels expect reverse domain names in small letters, with digits, dots and dashes.",
     .practice = "Write org.example.some-key.",
     .bad = "FROM debian:12.9\nLABEL Some_Key=1\n",
     .good = "FROM debian:12.9\nLABEL org.example.some-key=1\n",
     .check = check_key},
    {.id = "DL3049",
     .severity = Severity::info,
     .fix = FixKind::data,
     .summary = "a label of the schema is missing",
     .why = "A schema says which labels every image of a team has, so that scripts can rely on them. The schema is `label-schema` of the configuration.",
     .practice = "Add the label.",
     .bad = "FROM debian:12.9\nUSER 1000\n",
     .good = "FROM debian:12.9\nLABEL org.example.url=https://example.com org.example.created=2026-01-02T03:04:05Z org.example.license=MIT "
             "org.example.commit=0123abc org.example.version=1.2.3 org.example.mail=a@example.com\n",
     .check = check_missing},
    {.id = "DL3050",
     .severity = Severity::info,
     .summary = "a label that the schema does not know",
     .why = "With `strict-labels`, labels outside the schema are typing errors, or things that others rely on unasked.",
     .practice = "Remove the label, or add it to the schema.",
     .bad = "FROM debian:12.9\nLABEL org.example.other=1\n",
     .good = "FROM debian:12.9\nLABEL org.example.version=1.2.3\n",
     .check = check_superfluous},
    {.id = "DL3051",
     .severity = Severity::warning,
     .fix = FixKind::data,
     .summary = "a label of the schema is empty",
     .why = "An empty value says no more than none. The schema is `label-schema` of the configuration.",
     .practice = "Give it a value.",
     .bad = "FROM debian:12.9\nLABEL org.example.version=\"\"\n",
     .good = "FROM debian:12.9\nLABEL org.example.version=1.2.3\n",
     .check = check_empty},
    {.id = "DL3052",
     .severity = Severity::warning,
     .summary = "label that should be a URL",
     .why = "What reads the label makes a link of it. The schema is `label-schema` of the configuration.",
     .practice = "Write the whole URL, scheme and all.",
     .bad = "FROM debian:12.9\nLABEL org.example.url=example.com\n",
     .good = "FROM debian:12.9\nLABEL org.example.url=https://example.com\n",
     .check = check_url},
    {.id = "DL3053",
     .severity = Severity::warning,
     .summary = "label that should be a time of RFC 3339",
     .why = "What reads the label sorts by it. The schema is `label-schema` of the configuration.",
     .practice = "Write it as 2026-01-02T03:04:05Z.",
     .bad = "FROM debian:12.9\nLABEL org.example.created=yesterday\n",
     .good = "FROM debian:12.9\nLABEL org.example.created=2026-01-02T03:04:05Z\n",
     .check = check_time},
    {.id = "DL3054",
     .severity = Severity::warning,
     .summary = "label that should be an SPDX license",
     .why = "Tools that gather licenses compare identifiers. The schema is `label-schema` of the configuration.",
     .practice = "Use an identifier of the SPDX list, such as Apache-2.0.",
     .bad = "FROM debian:12.9\nLABEL org.example.license=free\n",
     .good = "FROM debian:12.9\nLABEL org.example.license=MIT\n",
     .check = check_license},
    {.id = "DL3055",
     .severity = Severity::warning,
     .summary = "label that should be a git commit",
     .why = "What reads the label looks the commit up. The schema is `label-schema` of the configuration.",
     .practice = "Write the hash, whole or its first seven digits.",
     .bad = "FROM debian:12.9\nLABEL org.example.commit=main\n",
     .good = "FROM debian:12.9\nLABEL org.example.commit=0123abc\n",
     .check = check_hash},
    {.id = "DL3056",
     .severity = Severity::warning,
     .summary = "label that should be a semantic version",
     .why = "What reads the label compares versions. The schema is `label-schema` of the configuration.",
     .practice = "Write three numbers apart by dots.",
     .bad = "FROM debian:12.9\nLABEL org.example.version=v1\n",
     .good = "FROM debian:12.9\nLABEL org.example.version=1.2.3\n",
     .check = check_semver},
    {.id = "DL3058",
     .severity = Severity::warning,
     .summary = "label that should be an e-mail address",
     .why = "What reads the label writes to it. The schema is `label-schema` of the configuration.",
     .practice = "Write one address, name@domain.",
     .bad = "FROM debian:12.9\nLABEL org.example.mail=nobody\n",
     .good = "FROM debian:12.9\nLABEL org.example.mail=a@example.com\n",
     .check = check_email},
    {.id = "duplicate-label",
     .aliases = "no-duplicate-keys",
     .severity = Severity::warning,
     .fix = FixKind::safe,
     .summary = "a label set twice in a stage",
     .why = "The later value replaces the earlier one: one of them is a mistake.",
     .practice = "Keep one.",
     .bad = "FROM debian:12.9\nLABEL org.example.a=1\nLABEL org.example.a=2\n",
     .good = "FROM debian:12.9\nLABEL org.example.a=2\n",
     .check = check_duplicate},
    {.id = "stale-base-digest",
     .aliases = "no-stale-base-digest",
     .severity = Severity::warning,
     .fix = FixKind::ask,
     .summary = "label with the digest of a base that FROM does not pin",
     .why = "The label says which base the image was built from. When FROM names only a tag, the next build may take another one, and the label stays.",
     .practice = "Pin the digest in FROM, or leave the label out.",
     .bad = "FROM debian:12.9\nLABEL org.opencontainers.image.base.digest=sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n",
     .good = "FROM debian:12.9@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n"
             "LABEL org.opencontainers.image.base.digest=sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n",
     .check = check_base_digest},
};

}  // namespace

std::span<const Rule> label_rules() { return kRules; }

}  // namespace mica::lint
