/// The findings of the program shellcheck inside RUN, at their places in the Dockerfile.
#pragma once
#include <span>
#include <string>

#include "base/error.h"
#include "lint/linter.h"
#include "task/task.h"

namespace mica::engine {

/// Where the program is; empty: not installed.
std::string find_shellcheck();

/// Runs `program` once over the shell text of all RUN instructions of the reports' files, each in the dialect of its stage's shell and with the names of ARG and ENV known, and adds
/// what it finds. mica's own findings of ShellCheck's rules are dropped, since the program knows better. SC1090, SC1091 and SC2187, which make no sense
/// without the image, are left out. Errors: internal (the program fails, or its output is not understood), cancelled.
Result<> add_shellcheck_findings(const std::string& program, std::span<lint::Report> reports, const lint::Options& options, task::Cancel cancel);

}  // namespace mica::engine
