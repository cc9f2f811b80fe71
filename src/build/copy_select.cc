#include "build/copy_select.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "dockerfile/ignore.h"

namespace mica::build {
namespace {

using dockerfile::PatternMatcher;
using snapshot::Type;

/// Clean and relative, inside the root: "../x", "/x" and "x/" are "x".
std::string clean(std::string_view path) { return clean_path("/" + std::string(path)).substr(1); }

std::string child_of(std::string_view folder, std::string_view name) {
  std::string path(folder);
  if (!path.empty()) path += '/';
  return path += name;
}

std::unexpected<Error> missing(SourceTree& tree, const std::string& path) {
  Error error(Errc::not_found, format("{}: not found in {}", quoted("/" + path), tree.name()));
  if (const std::string rule = tree.hidden_by(path); !rule.empty())
    return fail(std::move(error).with_hint(format("the ignore rule {} leaves it out", quoted(rule))));
  const std::string folder = path.find('/') == path.npos ? std::string() : dir_name(path);
  const auto siblings = tree.children(folder);
  if (!siblings) return fail(std::move(error));
  std::vector<std::string> names;
  for (const Node& node : *siblings) names.push_back(base_name(node.path));
  const std::vector<std::string_view> known(names.begin(), names.end());
  if (const auto near = closest(base_name(path), known))
    return fail(std::move(error).with_hint(format("did you mean {}?", quoted(child_of(folder, *near)))));
  return fail(std::move(error));
}

/// Leaves the attributes that belong in a layer. Docker's client sends those of a context before owners are set, and a change of
/// owner takes a file's capabilities away.
void keep_layer_xattrs(SelectedSource& source, bool is_context) {
  for (SelectedEntry& entry : source.entries) {
    if (entry.node.xattrs.empty()) continue;
    auto attributes = snapshot::unpack_xattrs(entry.node.xattrs);
    const auto dropped = std::erase_if(attributes, [&](const sys::Xattr& attribute) {
      const std::string_view name = attribute.name;
      return !snapshot::is_layer_xattr(name) || (is_context && (name == "security.capability" || name.starts_with("com.apple.")));
    });
    if (dropped > 0) entry.node.xattrs = snapshot::pack_xattrs(attributes);
  }
}

/// The patterns as the matcher wants them: clean, without a leading '/', '!' in front.
Result<PatternMatcher> compile(const std::vector<std::string>& patterns) {
  std::vector<std::string> cleaned;
  for (const std::string& pattern : patterns) {
    std::string_view text = trim(pattern);
    const bool negated = text.starts_with('!');
    if (negated) text = trim(text.substr(1));
    if (text.empty()) return failf(Errc::invalid_argument, "illegal exclusion pattern: {}", quoted(pattern));
    cleaned.push_back((negated ? "!" : "") + clean(text));
  }
  return PatternMatcher::compile(cleaned);
}

/// One --parents pattern and what it can still match.
class IncludePattern {
 public:
  static Result<IncludePattern> compile(std::string pattern) {
    IncludePattern out;
    out.matcher_ = TRY(PatternMatcher::compile({pattern.empty() ? "**" : pattern}));
    out.text_ = std::move(pattern);
    return out;
  }
  bool matches(std::string_view path, const PatternMatcher::State& parent, PatternMatcher::State& own) const {
    return matcher_.matches(path, parent, own);
  }
  /// False when nothing below the folder `path` (not matched itself) can match: its last segment is not what the pattern wants
  /// there.
  bool may_match_below(std::string_view path) const {
    const auto wanted = split(text_, '/');
    const auto depth = static_cast<std::size_t>(std::count(path.begin(), path.end(), '/'));
    for (std::size_t i = 0; i <= depth && i < wanted.size(); ++i)
      if (wanted[i].find("**") != wanted[i].npos) return true;
    if (depth + 1 >= wanted.size()) return text_.empty();
    return dockerfile::match_path(wanted[depth], base_name(path)).value_or(true);
  }

 private:
  std::string text_;
  PatternMatcher matcher_;
};

/// Walks a folder source.
class FolderWalk {
 public:
  /// `include`: null for everything.
  FolderWalk(SourceTree& tree, const IncludePattern* include, const PatternMatcher& exclude, SelectedSource& source,
             const task::Cancel& cancel)
      : tree_(tree),
        include_(include),
        exclude_(exclude),
        source_(source),
        cancel_(cancel),
        offset_(source.root.empty() ? 0 : source.root.size() + 1) {}

  Result<> walk(const std::string& folder, const PatternMatcher::State& included, const PatternMatcher::State& excluded) {
    TRY(cancel_.check());
    std::vector<Node> nodes = TRY(tree_.children(folder));
    for (Node& node : nodes) TRY(visit(std::move(node), included, excluded));
    return {};
  }

 private:
  Result<> visit(Node node, const PatternMatcher::State& parent_included, const PatternMatcher::State& parent_excluded) {
    const std::string_view below = std::string_view(node.path).substr(offset_);
    PatternMatcher::State included, excluded;
    bool wanted = !include_ || include_->matches(below, parent_included, included);
    bool enter = node.type == Type::directory && (wanted || include_->may_match_below(below));
    if (!exclude_.empty() && exclude_.matches(below, parent_excluded, excluded)) {
      wanted = false;
      enter = enter && !exclude_.can_skip_below(below);
    }
    const std::string path = enter ? node.path : std::string();
    const std::size_t depth = above_.size();
    if (wanted) {
      for (Node& parent : above_) source_.entries.push_back({std::move(parent), true});
      above_.clear();
      source_.entries.push_back({std::move(node), false});
    } else if (enter) {
      above_.push_back(std::move(node));
    }
    if (enter) TRY(walk(path, included, excluded));
    if (above_.size() > depth) above_.pop_back();  // nothing below it was wanted
    return {};
  }

  SourceTree& tree_;
  const IncludePattern* include_;
  const PatternMatcher& exclude_;
  SelectedSource& source_;
  const task::Cancel& cancel_;
  const std::size_t offset_;  // how much of a path the patterns do not see
  std::vector<Node> above_;   // folders on the way that are not selected (yet)
};

class Selector {
 public:
  Selector(SourceTree& tree, const SelectOptions& options, PatternMatcher exclude, Selection& selection,
           const task::Cancel& cancel)
      : tree_(tree), options_(options), exclude_(std::move(exclude)), selection_(selection), cancel_(cancel) {}

  Result<> select(std::string_view source) {
    if (options_.parents) return select_with_parents(source);
    const std::vector<std::string> paths = TRY(expand(clean(source)));
    for (const std::string& path : paths) {
      auto selected = TRY(start(path));
      if (selected.is_folder()) TRY(walk(selected, nullptr));
      selection_.push_back(std::move(selected));
    }
    return {};
  }

 private:
  /// "a/./b/c" keeps "b/c" below the destination; without a pivot all of the path. Folders on the way are implied.
  Result<> select_with_parents(std::string_view source) {
    const auto pivot = source.find("/./");
    const std::string base = pivot == source.npos ? std::string() : clean(source.substr(0, pivot));
    const std::string pattern = clean(pivot == source.npos ? source : source.substr(pivot + 3));
    const bool literal = !dockerfile::has_wildcard(base) && !dockerfile::has_wildcard(pattern);
    const auto include = TRY(IncludePattern::compile(pattern));
    const std::vector<std::string> bases = TRY(expand(base));
    for (const std::string& path : bases) {
      auto selected = TRY(start(path));
      if (!selected.is_folder())
        return failf(Errc::invalid_argument, "{} is not a folder, so nothing can be copied from below it", quoted("/" + path));
      if (literal && !pattern.empty()) {
        const auto node = TRY(tree_.find(child_of(selected.root, pattern)));
        if (!node) return missing(tree_, child_of(selected.shown, pattern));
      }
      TRY(walk(selected, &include));
      selection_.push_back(std::move(selected));
    }
    return {};
  }

  Result<> walk(SelectedSource& selected, const IncludePattern* include) {
    if (!include) tree_.expect_all_below(selected.root);
    FolderWalk walk(tree_, include, exclude_, selected, cancel_);
    return walk.walk(selected.root, {}, {});
  }

  /// The source's own entry, links followed.
  Result<SelectedSource> start(const std::string& path) {
    SelectedSource selected;
    selected.shown = path;
    selected.root = TRY_DOING(tree_.resolve(path), quoted("/" + path));
    auto node = TRY(tree_.find(selected.root));
    if (!node && selected.root.empty()) node = Node{.path = "", .type = Type::directory, .mode = 0755};
    if (!node) return missing(tree_, path);
    selected.entries.push_back({std::move(*node), false});
    return selected;
  }

  /// The paths that a source may mean: itself, or the matches of its wildcards.
  Result<std::vector<std::string>> expand(const std::string& source) {
    if (!dockerfile::has_wildcard(source)) return std::vector<std::string>{source};
    const auto segments = split(source, '/');
    std::size_t first = 0;
    std::string base;
    while (!dockerfile::has_wildcard(segments[first])) base = child_of(base, segments[first++]);
    for (std::size_t i = first; i < segments.size(); ++i) TRY_DOING(dockerfile::match_path(segments[i], ""), quoted(source));
    const std::string resolved = TRY_DOING(tree_.resolve(base), quoted("/" + base));
    const auto folder = TRY(tree_.find(resolved));
    if (!resolved.empty() && (!folder || folder->type != Type::directory)) return missing(tree_, base);
    std::vector<std::string> matches;
    TRY(match(base, resolved, std::span(segments).subspan(first), matches));
    return matches;
  }

  /// `shown` is the folder as the user sees it, `folder` the same without links.
  Result<> match(const std::string& shown, const std::string& folder, std::span<const std::string_view> segments,
                 std::vector<std::string>& matches) {
    TRY(cancel_.check());
    const std::vector<Node> nodes = TRY(tree_.children(folder));
    for (const Node& node : nodes) {
      const std::string name = base_name(node.path);
      const bool matched = TRY(dockerfile::match_path(segments[0], name));
      if (!matched) continue;
      if (segments.size() == 1)
        matches.push_back(child_of(shown, name));
      else if (node.type == Type::directory)
        TRY(match(child_of(shown, name), node.path, segments.subspan(1), matches));
    }
    return {};
  }

  SourceTree& tree_;
  const SelectOptions& options_;
  const PatternMatcher exclude_;
  Selection& selection_;
  const task::Cancel& cancel_;
};

}  // namespace

std::string_view SelectedSource::below(const SelectedEntry& entry) const {
  std::string_view path = entry.node.path;
  path.remove_prefix(std::min(path.size(), root.empty() ? 0 : root.size() + 1));
  return path;
}

std::string SelectedSource::name() const { return base_name(shown); }

Result<> select_source(SourceTree& tree, std::string_view source, const SelectOptions& options, Selection& selection,
                       task::Cancel cancel) {
  auto exclude = TRY_DOING(compile(options.excludes), "--exclude");
  const std::size_t before = selection.size();
  TRY(Selector(tree, options, std::move(exclude), selection, cancel).select(source));
  for (SelectedSource& added : std::span(selection).subspan(before)) keep_layer_xattrs(added, tree.is_local_context());
  return {};
}

Result<> hash_selection(SourceTree& tree, Selection& selection, task::Cancel cancel) {
  std::vector<Node*> files;
  for (SelectedSource& source : selection)
    for (SelectedEntry& entry : source.entries)
      if (entry.node.type == Type::file && !entry.node.digest) files.push_back(&entry.node);
  if (files.empty()) return {};
  return tree.hash(files, cancel);
}

void add_parts(const Selection& selection, Parts& parts) {
  std::size_t count = parts.size();
  for (const SelectedSource& source : selection) count += source.entries.size();
  parts.reserve(count);
  for (const SelectedSource& source : selection) {
    if (!source.parts.empty()) {
      parts.insert(parts.end(), source.parts.begin(), source.parts.end());
      continue;
    }
    const std::string prefix = "file " + source.shown + (source.shown.empty() ? "" : "/");
    for (const SelectedEntry& entry : source.entries) {
      const std::string_view below = source.below(entry);
      if (!below.empty())
        parts.push_back({prefix + std::string(below), hex(entry.node.identity()), false});
      else if (source.is_folder())
        parts.push_back({source.shown.empty() ? "file ." : prefix, "folder", false});
      else
        parts.push_back({"file " + source.shown, hex(entry.node.identity()), false});
    }
  }
}

}  // namespace mica::build
