/// A rule as a page: docs/rules/ID.md, `mica lint --explain RULE`.
#pragma once
#include <string>

#include "lint/rule.h"

namespace mica::lint {

/// Markdown: title, severity, fix, other names, what, why, what to do instead, a bad and a good example.
std::string rule_page(const Rule& rule);
/// The same as plain text, for terminals.
std::string rule_text(const Rule& rule);
/// The table of all rules: docs/rules/README.md.
std::string rule_index();

/// "safe", "on request (--unsafe)", "from a lock file, a registry or a built image", "none".
std::string_view fix_words(FixKind kind);

}  // namespace mica::lint
