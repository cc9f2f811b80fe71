/// How steps are called in progress output: as buildx shows them.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "build/plan_environment.h"
#include "dockerfile/tree.h"

namespace mica::build {

/// "RUN make": keyword in upper case, the rest of the logical line as written.
std::string one_line(const dockerfile::Instruction& instruction);

/// one_line() with variables filled in and quotes removed; as written where that fails. For instructions whose words are
/// expanded.
std::string expanded_title(const std::string& line, const Environment& environment, char escape);
/// The same for RUN: quotes stay, and so do variables that are not set; a heredoc that is the whole command is summed up:
/// "RUN <<EOF (set -e...)".
std::string run_title(const dockerfile::Instruction& instruction, const Environment& environment, char escape);

/// "[build  2/12] ": the number as wide as the total.
std::string step_prefix(const std::string& stage, std::size_t number, std::size_t total);

}  // namespace mica::build
