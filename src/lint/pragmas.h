/// Comments that hide findings. Every family is understood by its own rules, and every name of a rule is accepted in each of them:
///
///     # hadolint ignore=DL3006,SC2086            the instruction on the next line (no blank line, no other comment between)
///     # hadolint global ignore=DL3006            the file
///     # hadolint stage ignore=DL3059             above a FROM: the stage that it begins, less the FROM itself
///     # hadolint shell=powershell                no finding hidden: what RUN lines are read as, from here to the end of the stage
///     # check=skip=A,B                           directive at the top: the file; above an instruction (blank lines between do not matter, an
///                                                empty comment does): that instruction
///     # tally ignore=hadolint/DL3006;reason=...  next instruction; "tally global ignore=": the file
///     # checkov:skip=CKV_DOCKER_3:reason         the file
///     # trivy:ignore:DS-0002                     next instruction
///     # nosemgrep: id                            next instruction; without id: whatever is found there
///     # dockerfile-utils: ignore                 next instruction, whatever is found there; "# kics-scan ignore-line" likewise
///     # mica ignore=RULE,RULE reason="why" until=2027-01-31
///                                                next instruction; between the lines of one: the next line; "global" and "stage" as above. Hides nothing
///                                                any more from the day after `until` on
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "dockerfile/tree.h"
#include "lint/finding.h"
#include "lint/inspection.h"
#include "lint/options.h"

namespace mica::lint {

struct Pragma {
  enum class Family : std::uint8_t { hadolint, buildkit, tally, checkov, trivy, semgrep, utils, mica } family = Family::hadolint;
  struct Name {
    std::string text;
    Span where;
    std::vector<const Rule*> rules;      ///< empty: none is called that
    bool used = false;
    bool outside = false;                ///< a rule of another program: nothing can be said of it
  };
  Span where;                            ///< the comment, from its '#'
  int line = 0;
  std::string title;                     ///< "hadolint ignore"
  std::vector<Name> names;
  bool all = false;                      ///< whatever is found there
  bool every_buildkit_rule = false;      ///< "skip=all"
  bool is_void = false;                  ///< a name that hadolint cannot read: it hides nothing
  bool directive = false;                ///< the "check" directive at the top
  std::string reason;
  std::string until;                     ///< "2027-01-31"; empty: for ever
  bool expired = false;
  std::string fault;                     ///< what cannot be understood of it
  /// Findings of instructions that begin on lines [first, last]; and those that stand on the line `physical`.
  int first = 0, last = 0, physical = 0;
};

struct Pragmas {
  std::vector<Pragma> pragmas;
  std::vector<ShellPragma> shells;
};
Pragmas find_pragmas(const dockerfile::File& file, const LineIndex& lines, std::string_view today);

/// Sets suppressed_by where a pragma hides a finding, and remembers in the pragma that it was of use.
void apply_pragmas(std::vector<Pragma>& pragmas, const LineIndex& lines, std::vector<Finding>& findings);

/// What is wrong with the pragmas themselves. Those that hide nothing are told of when the rules they name were looked for (`looked_for`).
void check_pragmas(const std::vector<Pragma>& pragmas, Inspection& inspection, bool (*looked_for)(const Rule&, const Options&));

}  // namespace mica::lint
