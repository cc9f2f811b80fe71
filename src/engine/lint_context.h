/// What lint says about a build context as a whole: files that no step reads (rule context-unignored), and the ignore file that leaves them out.
#pragma once
#include <optional>
#include <string>

#include "engine/unread_files.h"
#include "lint/finding.h"
#include "lint/linter.h"
#include "task/task.h"

namespace mica::engine {

/// Files of the folder, after the ignore rules of `options`, that no step of the report's file reads. Errors: as reading the folder, invalid_argument (the ignore file), cancelled.
Result<UnreadFiles> find_unread_files(const lint::Report& report, const std::string& folder, const lint::Options& options, task::Cancel cancel);

/// nullopt: too little to be worth a word.
std::optional<lint::Finding> unread_finding(const lint::Report& report, const UnreadFiles& unread);

/// The text of an ignore file with what is unread added, at most kMostIgnored places; as it is when there is nothing to add. What a build makes stays the same: no step reads
/// those files.
std::string with_ignored(std::string text, const UnreadFiles& unread);
inline constexpr std::size_t kMostIgnored = 100;

}  // namespace mica::engine
