/// Text of a Dockerfile to findings. No I/O: what needs a context, a store or shellcheck is added by whoever has it (engine/lint_files.h).
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "dockerfile/tree.h"
#include "lint/finding.h"
#include "lint/options.h"

namespace mica::lint {

struct Report {
  std::string file;                                  ///< name for messages; "-" is standard input
  std::string source;
  std::vector<Finding> findings;                     ///< by place, then rule; suppressed ones too
  std::vector<dockerfile::Diagnostic> errors;        ///< syntax errors; the rest of the file is looked at all the same
};

/// Looks at a whole Dockerfile or a fragment of one (without FROM). Never fails: what cannot be parsed is in `errors`.
Report lint_text(std::string name, std::string source, const Options& options);

/// Adds what was found elsewhere (by shellcheck, by a builder), hidden where a pragma says so, and sorts. Rules that are ignored are left out;
/// severities are set.
void add_findings(Report& report, std::vector<Finding> findings, const Options& options);

/// What a rule counts as; off when it is ignored.
Severity severity_of(const Rule& rule, const Options& options);

/// Applies fixes of the kinds wanted until none is left, at most kMaxFixPasses times; of fixes that overlap the earlier place wins, the other comes in the next pass.
/// A fix that would bring a finding that was not there before, or a syntax error, is not applied. `only`: id of the one rule to fix; empty: all.
struct Fixed {
  std::string source;
  std::vector<Finding> applied;                      ///< places are those of the pass in which it was applied
};
Fixed fix_text(std::string_view name, std::string source, const Options& options, bool unsafe, std::string_view only = {});

inline constexpr int kMaxFixPasses = 10;

}  // namespace mica::lint
