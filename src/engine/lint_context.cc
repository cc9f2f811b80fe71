#include "engine/lint_context.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "build/context.h"
#include "dockerfile/ignore.h"
#include "dockerfile/parser.h"
#include "lint/inspection.h"
#include "lint/rule.h"

namespace mica::engine {
namespace {

constexpr std::uint64_t kWorthTelling = 1024;
constexpr std::size_t kMostNamed = 3;

/// A path as a pattern that matches it alone.
std::string as_pattern(std::string_view path) {
  std::string pattern;
  for (const char c : path) {
    if (c == '*' || c == '?' || c == '[' || c == '\\') pattern += '\\';
    pattern += c;
  }
  // What a line begins with may mean a comment or an exception.
  return pattern.starts_with('#') || pattern.starts_with('!') ? "/" + pattern : pattern;
}

}  // namespace

Result<UnreadFiles> find_unread_files(const lint::Report& report, const std::string& folder, const lint::Options& options, task::Cancel cancel) {
  std::vector<std::string> patterns;
  if (options.knows_context) patterns = TRY(dockerfile::read_ignore_file(options.ignore_text));
  task::Pool pool(1);
  const build::ContextTools tools{.database = nullptr, .pool = &pool, .temporary = {}, .download = {}};
  const auto tree = TRY(build::make_local_tree(folder, patterns, tools, "the build context"));
  const auto parsed = dockerfile::parse(report.file, report.source, {.fragment = true});
  return TRY_DOING(find_unread_files(parsed.file, *tree, cancel), format("looking through {}", folder));
}

std::optional<lint::Finding> unread_finding(const lint::Report& report, const UnreadFiles& unread) {
  if (unread.bytes < kWorthTelling) return std::nullopt;
  std::string places;
  for (std::size_t i = 0; i < std::min(unread.places.size(), kMostNamed); ++i)
    places += format("{}{}{} ({})", i ? ", " : "", unread.places[i].path, unread.places[i].is_folder ? "/" : "", human_size(static_cast<std::int64_t>(unread.places[i].bytes)));
  if (unread.places.size() > kMostNamed) places += format(" and {} more", unread.places.size() - kMostNamed);
  return lint::Finding{.rule = &lint::rule_of("context-unignored"), .message = format("no step reads {} file{} of the context: {}", unread.files, unread.files == 1 ? "" : "s", places),
                       .where = lint::LineIndex(report.source).line(1), .instruction_line = 0, .fix = {}, .bytes = static_cast<std::int64_t>(unread.bytes)};
}

std::string with_ignored(std::string text, const UnreadFiles& unread) {
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < std::min(unread.places.size(), kMostIgnored); ++i)
    if (unread.places[i].path.find('\n') == std::string::npos) paths.push_back(as_pattern(unread.places[i].path));
  if (paths.empty()) return text;
  std::ranges::sort(paths);
  if (!text.empty() && !text.ends_with('\n')) text += '\n';
  for (const auto& path : paths) text += path + "\n";
  return text;
}

}  // namespace mica::engine
