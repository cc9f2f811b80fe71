/// What a run of the linter is told: from config files, the environment and flags, in this order.
#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "lint/finding.h"

namespace mica::lint {

/// Value kinds of hadolint's label schema.
enum class LabelKind : std::uint8_t { text, rfc3339, semver, url, hash, spdx, email };

struct Options {
  std::set<std::string, std::less<>> ignored;                 ///< canonical ids
  std::map<std::string, Severity, std::less<>> severities;    ///< canonical id to what it counts as
  std::map<std::string, std::vector<std::string>, std::less<>> allowed;   ///< by canonical id: texts that findings of the rule may point at, '*' at either end
  std::vector<std::string> trusted_registries;                ///< '*' at either end; empty: all are
  std::map<std::string, LabelKind, std::less<>> label_schema;
  bool strict_labels = false;                                 ///< no label outside the schema
  bool honour_pragmas = true;
  std::map<std::string, std::string, std::less<>> build_args; ///< --build-arg: replace ARG defaults
  std::string today;                                          ///< "2026-11-25", for dates of expiry; empty: nothing is over yet
  /// Ignore patterns of the context, null text: not looked at; the context's own rules are the builder's.
  bool has_ignore_file = true;                                ///< false: known to be missing
  std::string ignore_text;                                    ///< of .dockerignore; meaningful when `knows_context`
  bool knows_context = false;
};

}  // namespace mica::lint
