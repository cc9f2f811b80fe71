#include "engine/unread_files.h"

#include <algorithm>

#include "base/text.h"
#include "dockerfile/ignore.h"
#include "dockerfile/parser.h"

namespace mica::engine {
namespace {

/// What the steps take: clean relative paths and patterns. nullopt: it cannot be told.
std::optional<std::vector<std::string>> sources_of(const dockerfile::File& file) {
  std::vector<std::string> sources;
  bool told = true;
  const auto add = [&](std::string_view source) {
    if (source.find('$') != std::string_view::npos) told = false;
    std::string path = clean_path(trim_left(source, "/"));
    while (path.starts_with("../")) path.erase(0, 3);
    sources.push_back(path == "." || path == ".." ? "" : path);
  };
  for (const auto& stage : file.stages)
    for (const auto& instruction : stage.instructions) {
      if (const auto* copy = std::get_if<dockerfile::Copy>(&instruction.command); copy && copy->from.empty()) {
        for (const auto& source : copy->sources)
          if (!copy->add || source.find("://") == std::string::npos) add(source);
      } else if (const auto* run = std::get_if<dockerfile::Run>(&instruction.command)) {
        for (const auto& text : run->mounts) {
          const auto mount = dockerfile::parse_mount(text);
          if (!mount) return std::nullopt;
          if (mount->type == dockerfile::MountType::bind && mount->from.empty()) add(mount->source);
        }
      } else if (std::holds_alternative<dockerfile::OnBuild>(instruction.command)) {
        continue;   // reads the context of another build
      }
    }
  if (!told) return std::nullopt;
  return sources;
}

enum class Read { nothing, something, everything };

/// Of a path, and of what lies below it.
Read read_of(std::string_view path, const std::vector<std::string>& sources) {
  Read found = Read::nothing;
  for (const auto& source : sources) {
    if (source.empty()) return Read::everything;
    if (!dockerfile::has_wildcard(source)) {
      if (path == source || path.starts_with(source + "/")) return Read::everything;
      if (path.empty() || source.starts_with(std::string(path) + "/")) found = Read::something;
      continue;
    }
    const auto parts = split(source, '/'), own = split(path, '/');
    const std::size_t depth = path.empty() ? 0 : own.size();
    bool fits = true;
    for (std::size_t i = 0; i < std::min(depth, parts.size()) && fits; ++i) fits = dockerfile::match_path(parts[i] == "**" ? "*" : parts[i], own[i]).value_or(true);
    if (!fits) continue;
    if (depth >= parts.size()) return Read::everything;
    found = Read::something;
  }
  return found;
}

class Search {
 public:
  Search(const std::vector<std::string>& sources, build::SourceTree& context, task::Cancel cancel) : sources_(sources), context_(context), cancel_(std::move(cancel)) {}

  Result<> look(const std::string& folder) {
    TRY(cancel_.check());
    for (const auto& node : TRY(context_.children(folder))) {
      const Read read = read_of(node.path, sources_);
      const bool is_folder = node.type == snapshot::Type::directory;
      if (read == Read::everything || is_build_file(node.path)) continue;
      if (read == Read::something && is_folder) {
        TRY(look(node.path));
        continue;
      }
      if (read == Read::something) continue;
      UnreadPlace place{.path = node.path, .is_folder = is_folder};
      if (is_folder) TRY(measure(node.path, place));
      else place.bytes = node.size, place.files = 1;
      found.bytes += place.bytes;
      found.files += place.files;
      if (place.files > 0) found.places.push_back(std::move(place));
    }
    return {};
  }
  UnreadFiles found;

 private:
  /// The builder reads these by itself.
  static bool is_build_file(std::string_view path) {
    return path == ".dockerignore" || path == "mica.lock" || path == "Dockerfile" || path == "Containerfile" || path.ends_with(".dockerignore") || path.ends_with(".Dockerfile") || path.ends_with(".dockerfile");
  }
  Result<> measure(const std::string& folder, UnreadPlace& place) {
    TRY(cancel_.check());
    for (const auto& node : TRY(context_.children(folder))) {
      if (node.type == snapshot::Type::directory) TRY(measure(node.path, place));
      else place.bytes += node.size, ++place.files;
    }
    return {};
  }

  const std::vector<std::string>& sources_;
  build::SourceTree& context_;
  task::Cancel cancel_;
};

}  // namespace

Result<UnreadFiles> find_unread_files(const dockerfile::File& file, build::SourceTree& context, task::Cancel cancel) {
  const auto sources = sources_of(file);
  if (!sources) return UnreadFiles{};
  Search search(*sources, context, std::move(cancel));
  TRY(search.look(""));
  std::ranges::sort(search.found.places, [](const UnreadPlace& a, const UnreadPlace& b) { return a.bytes != b.bytes ? a.bytes > b.bytes : a.path < b.path; });
  return std::move(search.found);
}

}  // namespace mica::engine
