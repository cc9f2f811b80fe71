// Rules about what only a builder knows: the image, its build and its context. What they find is put together in engine/lint_measured.cc; some rules of the other
// tables get their costs there too (delete-later, package-cache-left, cache-order).
#include "lint/rule.h"

namespace mica::lint {
namespace {

constexpr Rule kRules[] = {
    {.id = "base-drift",
     .severity = Severity::warning,
     .fix = FixKind::none,
     .summary = "the base image has moved since the build",
     .why = "The name in FROM stands for another image now than the one that this image was built on: what was mended or broken there is not in it.",
     .practice = "Build again; pin the base with `mica lock` so that it moves when you say so.",
     .bad = {},
     .good = {}},
    {.id = "context-unignored",
     .severity = Severity::info,
     .fix = FixKind::data,
     .summary = "files in the context that no step reads",
     .why = "They are looked at in each build, sent where the builder is not on this machine, and copied by the next `COPY . .` that somebody writes.",
     .practice = "Name them in .dockerignore.",
     .bad = {},
     .good = {}},
    {.id = "duplicate-files",
     .severity = Severity::info,
     .fix = FixKind::none,
     .summary = "the same bytes are in the image several times",
     .why = "Each copy is stored and pulled, whatever its name.",
     .practice = "Copy them once, and link to them.",
     .bad = {},
     .good = {}},
    {.id = "rewrite-later",
     .severity = Severity::warning,
     .fix = FixKind::none,
     .summary = "a step stores again what an earlier one stored",
     .why = "A layer holds whole files. Whoever changes the owner, the mode or a byte of one in a later step has it in the image twice, and the first copy can be seen by nobody.",
     .practice = "Use --chown and --chmod of COPY, or make the change in the step that brings the file.",
     .bad = {},
     .good = {}},
    {.id = "script-carriage-returns",
     .severity = Severity::warning,
     .fix = FixKind::none,
     .summary = "a script's first line ends with a carriage return",
     .why = "The kernel looks for an interpreter whose name ends with that character, and reports the script itself as not found.",
     .practice = "Keep scripts with line feeds only: `*.sh text eol=lf` in .gitattributes.",
     .bad = {},
     .good = {}},
    {.id = "secret-in-image",
     .severity = Severity::error,
     .fix = FixKind::none,
     .summary = "a credential is in a layer or in the configuration of the image",
     .why = "Everybody who can pull the image can read it, also when a later step removed the file.",
     .practice = "Mount it where a step needs it: `RUN --mount=type=secret`. What was pushed once must be replaced.",
     .bad = {},
     .good = {}},
};

}  // namespace

std::span<const Rule> measured_rules() { return kRules; }

}  // namespace mica::lint
