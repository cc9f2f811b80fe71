/// `lint`: reads Dockerfiles, their configuration and what lies beside them, and has lint look at them. No store is needed.
#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "engine/engine.h"
#include "lint/config.h"
#include "lint/linter.h"
#include "task/task.h"

namespace mica::engine {

struct LintRequest {
  std::vector<std::string> files;              ///< paths; folders mean the Dockerfile in them; "-": standard input. Empty: ./Dockerfile
  std::string stdin_name = "-";                ///< what standard input is called in reports
  std::string context;                         ///< folder of the build context, which is looked through then; empty: that of each file called Dockerfile or Containerfile
  std::string config;                          ///< empty: the first of the files that hadolint looks for, then .mica-lint.yaml
  std::vector<std::string> ignored;            ///< names of rules; in place of the files' list
  std::vector<std::pair<lint::Severity, std::string>> overrides;
  std::vector<std::string> trusted_registries, labels;   ///< labels: "key:kind"
  bool strict_labels = false, disable_pragmas = false;
  std::vector<std::string> build_args;         ///< "K=V", or "K" for our own value
  bool shellcheck = true;                      ///< when it is installed
  std::string image;                           ///< that was built from the one file: measured findings are added (lint_measured.h). Empty: none are
  std::string platform;                        ///< of the image
  Engine* engine = nullptr;                    ///< that has it
  bool fix = false, unsafe = false;
  bool write = true;                           ///< false: what fixes would change is told, no file is written
};

struct FixedFile {
  std::string file;
  std::string before, after;
  std::vector<lint::Finding> applied;
};
struct Linted {
  std::vector<lint::Report> reports;           ///< of what is left, after fixing
  std::vector<FixedFile> fixed;                ///< files that changed, and those that did not: one for each report when fixes were asked for
};

/// Defaults, hadolint's file, mica's file, the environment and the request, each over the one before.
/// Errors: not_found (a named configuration), invalid_argument (an unknown rule, key, severity or kind, with suggestion), corrupt (no YAML).
Result<lint::Settings> lint_settings(const LintRequest& request);

/// Findings are no errors. With `fix` each file is replaced in one step, its mode kept; what a link points to is replaced, not the link.
/// Errors: not_found and permission_denied (a file that cannot be read or written), resource_exhausted (too long), those of shellcheck, cancelled.
Result<Linted> lint_files(const LintRequest& request, const lint::Settings& settings, task::Cancel cancel);

}  // namespace mica::engine
