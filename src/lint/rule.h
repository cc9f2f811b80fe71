/// A rule: what it is called, what it is about, an example each way, and the function that looks for it. Rules are data: each `rules_*.cc` holds a table of them, and `rules()` is all
/// of them together. The docs page of a rule (docs/rules/ID.md) is printed from here, and the tests run its examples.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lint/finding.h"

namespace mica::lint {

class Inspection;

struct Rule {
  std::string_view id;              ///< canonical: hadolint's where it has one, else BuildKit's, else ours (lower-case-with-dashes)
  std::string_view aliases;         ///< other names, accepted wherever a rule is named; apart by blanks
  Severity severity = Severity::warning;
  FixKind fix = FixKind::none;      ///< the best that it may offer
  std::string_view summary;         ///< what it catches, without full stop
  std::string_view why;             ///< a sentence or three
  std::string_view practice;        ///< what to do instead; a sentence
  std::string_view bad;             ///< Dockerfile text on which it fires
  std::string_view good;            ///< and on which it does not
  /// Reports by inspection.report(). Null: found elsewhere (by the parser, by shellcheck, by a builder).
  void (*check)(Inspection& inspection) = nullptr;
};

/// All rules, by id.
std::span<const Rule* const> rules();
/// By id or alias, in any case. Null: there is none.
const Rule* find_rule(std::string_view name);
/// The same for one that is known to be in the tables.
const Rule& rule_of(std::string_view id);
/// All that it means: BuildKit has one name (MultipleInstructionsDisallowed) for what are several rules here.
std::span<const Rule* const> rules_named(std::string_view name);
/// Whether BuildKit has a check of this meaning: the id or an alias is in its form.
bool is_build_check(const Rule& rule);

/// The tables, one for each file of rules.
std::span<const Rule> base_rules();          ///< FROM: tags, platforms, registries
std::span<const Rule> package_rules();       ///< package managers and downloads inside RUN
std::span<const Rule> layer_rules();         ///< order and number of layers
std::span<const Rule> instruction_rules();   ///< instructions and their meaning
std::span<const Rule> shell_rules();         ///< shell inside RUN
std::span<const Rule> stage_rules();
std::span<const Rule> user_rules();          ///< users, secrets, permissions
std::span<const Rule> label_rules();
std::span<const Rule> style_rules();         ///< casing, blank lines, pragmas

std::span<const Rule> measured_rules();      ///< what only a builder finds (engine/lint_measured.h)

}  // namespace mica::lint
