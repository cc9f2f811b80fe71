#include "build/local_tree.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>

#include "base/format.h"
#include "base/log.h"
#include "base/text.h"
#include "snapshot/open_below.h"
#include "sys/entries.h"

namespace mica::build {
namespace {

using dockerfile::PatternMatcher;
using snapshot::Type;

/// Folders that are read before the pool is asked to help: most contexts are smaller, and starting threads takes time.
constexpr std::size_t kFoldersAlone = 24;
constexpr std::ptrdiff_t kFoldersATask = 16;

std::string_view parent_of(std::string_view path) { return path.substr(0, path.find('/') == path.npos ? 0 : path.rfind('/')); }
std::string_view last_part(std::string_view path) { return path.substr(path.rfind('/') + 1); }  // npos + 1 is 0

std::string join(const std::string& folder, std::string_view name) {
  std::string path;
  path.reserve(folder.size() + 1 + name.size());
  if (!folder.empty()) path.append(folder).append("/");
  return path.append(name);
}

/// No folder is (or can be) there, as opposed to one that we may not read.
bool means_absent(const Error& error) {
  const int number = error.os_number();
  return number == ENOENT || number == ENOTDIR || number == ELOOP || number == ENAMETOOLONG || number == EXDEV;
}

bool is_possible(std::string_view path) { return path.find('\0') == path.npos; }

}  // namespace

LocalTree::LocalTree(std::string path, sys::Fd root, PatternMatcher matcher, const ContextTools& tools, LocalOptions options)
    : path_(std::move(path)), root_(std::move(root)), matcher_(std::move(matcher)), tools_(tools), options_(std::move(options)) {
  if (tools_.database && options_.remember) hashes_.emplace(*tools_.database);
}
LocalTree::~LocalTree() = default;

const LocalEntry* LocalTree::Contents::find(std::string_view name) const {
  const auto at = std::lower_bound(entries.begin(), entries.end(), name,
                                   [](const LocalEntry& entry, std::string_view wanted) { return entry.name < wanted; });
  return at != entries.end() && at->name == name ? &*at : nullptr;
}

LocalEntry& LocalTree::Contents::keep(LocalEntry entry) {
  const auto at = std::lower_bound(entries.begin(), entries.end(), entry.name,
                                   [](const LocalEntry& there, std::string_view wanted) { return there.name < wanted; });
  if (at != entries.end() && at->name == entry.name) return *at = std::move(entry);
  return *entries.insert(at, std::move(entry));
}

Result<std::optional<Node>> LocalTree::find(std::string_view path) {
  if (!is_possible(path)) return std::nullopt;
  if (path.empty()) {
    const auto status = TRY(sys::stat_fd(root_));
    LocalEntry root{.type = Type::directory, .mode = status.st_mode & 07777u, .stamp = stamp_of(status)};
    Node node = node_of("", root);
    node.source_path.clear();
    return std::optional(std::move(node));
  }
  Folder& parent = folder(parent_of(path));
  auto entry = TRY_DOING(entry_at(parent, last_part(path)), format("reading {}", quoted(path)));
  refresh_memory();
  if (!entry) return std::nullopt;
  const bool shown = TRY(shows(parent, *entry));
  if (!shown) return std::nullopt;
  return std::optional(node_of(parent.path, *entry));
}

Result<std::vector<Node>> LocalTree::children(std::string_view path) {
  std::vector<Node> nodes;
  if (!is_possible(path)) return nodes;
  Folder& parent = folder(path);
  {
    auto contents = parent.contents.lock();
    TRY(list(parent, *contents));
    nodes.reserve(contents->entries.size());
    for (const LocalEntry& entry : contents->entries) {
      const bool shown = TRY(shows(parent, entry));
      if (shown) nodes.push_back(node_of(parent.path, entry));
    }
  }
  refresh_memory();
  return nodes;
}

/// A hint may fail in peace: whoever asks for a folder that cannot be read is told then.
void LocalTree::expect_all_below(std::string_view path) {
  if (!is_possible(path)) return;
  std::vector<std::string> waiting = {std::string(path)};
  for (std::size_t done = 0; !waiting.empty() && (done < kFoldersAlone || !tools_.pool); ++done) read_next(waiting);
  if (!waiting.empty()) {
    task::Group group(*tools_.pool, {});
    // What a task finds it reads itself, until there is enough for others to do.
    std::function<void(std::vector<std::string>)> start = [&](std::vector<std::string> folders) {
      group.run([&, folders = std::move(folders)](const task::Cancel&) mutable -> Result<> {
        while (!folders.empty()) {
          read_next(folders);
          if (std::ssize(folders) < 2 * kFoldersATask) continue;
          start({std::make_move_iterator(folders.begin()), std::make_move_iterator(folders.begin() + kFoldersATask)});
          folders.erase(folders.begin(), folders.begin() + kFoldersATask);
        }
        return {};
      });
    };
    for (std::string& at : waiting) start({std::move(at)});
    if (auto ended = group.wait(); !ended) log::debug("{}", ended.error().text());
  }
  refresh_memory();
}

/// Takes the last folder, reads it, and leaves the folders in it.
void LocalTree::read_next(std::vector<std::string>& folders) {
  Folder& next = folder(folders.back());
  folders.pop_back();
  auto contents = next.contents.lock();
  if (auto listed = list(next, *contents); !listed) log::debug("{}", listed.error().text());
  for (const LocalEntry& entry : contents->entries)
    if (entry.type == Type::directory) folders.push_back(join(next.path, entry.name));
}

std::string LocalTree::hidden_by(std::string_view path) {
  if (matcher_.empty() || path.empty() || !is_possible(path)) return {};
  Folder& parent = folder(parent_of(path));
  PatternMatcher::State state;
  if (!matcher_.matches(path, parent.state, state)) return {};
  if (const auto shown = find(path); !shown || *shown) return {};  // a folder may show although a rule excludes it
  const auto there = open_folder(parent.path, O_PATH | O_DIRECTORY);
  if (!there || !*there || !sys::lstat_at(*there, std::string(last_part(path)))) return {};
  // The rule that had the last word is the last one that matched: one that could not change the answer was not asked.
  for (std::size_t i = state.matched.size(); i-- > 0;)
    if (state.matched[i] && i < options_.patterns.size()) return options_.patterns[i];
  return {};
}

LocalTree::Folder& LocalTree::folder(std::string_view path) { return folder_in(*folders_.lock(), path); }

LocalTree::Folder& LocalTree::folder_in(Folders& folders, std::string_view path) {
  std::string key(path);
  if (const auto known = folders.find(key); known != folders.end()) return *known->second;
  auto made = std::make_unique<Folder>();
  made->path = key;
  if (!path.empty() && !matcher_.empty()) matcher_.matches(path, folder_in(folders, parent_of(path)).state, made->state);
  return *folders.emplace(std::move(key), std::move(made)).first->second;
}

void LocalTree::add_folder(const std::string& path, PatternMatcher::State state) {
  auto folders = folders_.lock();
  const auto [at, is_new] = folders->try_emplace(path);
  if (!is_new) return;
  at->second = std::make_unique<Folder>();
  at->second->path = path;
  at->second->state = std::move(state);
}

Result<sys::Fd> LocalTree::open_folder(const std::string& path, int flags) const {
  auto opened = snapshot::open_below(root_, path, flags);
  if (opened) return opened;
  if (means_absent(opened.error())) return sys::Fd();
  return fail(may_be_ignored(std::move(opened).error(), path));
}

Result<> LocalTree::list(const Folder& folder, Contents& contents) {
  if (contents.listed) return {};
  const auto read = [&]() -> Result<> {
    const auto fd = TRY(open_folder(folder.path, O_RDONLY | O_DIRECTORY));
    if (fd) TRY(read_entries(fd, folder, contents));
    return {};
  };
  TRY_DOING(read(), format("listing the folder {}", quoted(folder.path.empty() ? path_ : folder.path)));
  contents.listed = true;
  return {};
}

Result<> LocalTree::read_entries(const sys::Fd& fd, const Folder& folder, Contents& contents) {
  TRY(recall(fd, contents));
  std::vector<std::pair<std::string, unsigned char>> names;
  sys::EntryReader reader(fd.get());
  for (sys::Entry entry; reader.next(entry);) names.emplace_back(entry.name, entry.type);
  if (reader.failed()) return fail_errno("reading its names");
  std::sort(names.begin(), names.end());

  std::vector<LocalEntry> entries;
  entries.reserve(names.size());
  std::vector<RememberedFile> memory;
  PatternMatcher::State state;
  for (auto& [name, type] : names) {
    bool hidden = false;
    std::string path;
    if (!matcher_.empty()) {
      path = join(folder.path, name);
      hidden = matcher_.matches(path, folder.state, state);
    }
    if (hidden && ((type != DT_DIR && type != DT_UNKNOWN) || matcher_.can_skip_below(path))) {
      if (const RememberedFile* known = find_in(contents.memory, name)) memory.push_back(*known);
      continue;
    }
    const LocalEntry* seen = contents.find(name);
    auto entry = seen ? std::optional(*seen) : TRY_DOING(look_at(fd, name, contents.memory), quoted(name));
    if (!entry || (hidden && entry->type != Type::directory)) continue;  // gone again, or hidden after all
    entry->hidden = hidden;
    if (entry->type == Type::directory && !matcher_.empty()) add_folder(path, std::move(state));
    entries.push_back(std::move(*entry));
  }
  contents.entries = std::move(entries);
  contents.memory = std::move(memory);
  return {};
}

/// Reads what earlier builds remember of the folder, once.
Result<> LocalTree::recall(const sys::Fd& fd, Contents& contents) {
  if (contents.id) return {};
  const auto status = TRY(sys::stat_fd(fd));
  const FolderId id{status.st_dev, status.st_ino};
  if (hashes_) contents.memory = TRY(hashes_->load(id));
  contents.id = id;
  return {};
}

Result<bool> LocalTree::shows_something(Folder& folder) {
  auto contents = folder.contents.lock();
  if (contents->shows) return *contents->shows;
  TRY(list(folder, *contents));
  bool any = false;
  for (const LocalEntry& entry : contents->entries) {
    any = TRY(shows(folder, entry));
    if (any) break;
  }
  contents->shows = any;
  return any;
}

Result<bool> LocalTree::shows(const Folder& parent, const LocalEntry& entry) {
  if (!entry.hidden) return true;
  return shows_something(folder(join(parent.path, entry.name)));
}

/// The entry, as the first look saw it; nullopt when there is none or it can never show.
Result<std::optional<LocalEntry>> LocalTree::entry_at(Folder& folder, std::string_view name) {
  auto contents = folder.contents.lock();
  if (const LocalEntry* known = contents->find(name)) return std::optional(*known);
  if (contents->listed) return std::nullopt;
  const std::string path = join(folder.path, name);
  PatternMatcher::State state;
  const bool hidden = !matcher_.empty() && matcher_.matches(path, folder.state, state);
  if (hidden && matcher_.can_skip_below(path)) return std::nullopt;
  const auto fd = TRY(open_folder(folder.path, O_PATH | O_DIRECTORY));
  if (!fd) return std::nullopt;
  TRY(recall(fd, *contents));
  auto entry = look_at(fd, std::string(name), contents->memory);
  if (!entry) return fail(may_be_ignored(std::move(entry).error(), path));
  if (!*entry || (hidden && (*entry)->type != Type::directory)) return std::nullopt;
  (*entry)->hidden = hidden;
  return std::optional(contents->keep(std::move(**entry)));
}

Node LocalTree::node_of(const std::string& folder, const LocalEntry& entry) const {
  Node node{.path = join(folder, entry.name), .type = entry.type, .mode = entry.mode};
  node.mtime_ns = options_.mtime_ns.value_or(entry.stamp.mtime_ns);
  node.device = entry.device;
  node.link = entry.link;
  node.xattrs = entry.xattrs;
  if (entry.type != Type::file) return node;
  if (entry.is_socket) {
    static const Sha256Bytes nothing = sha256("");
    node.digest = nothing;
    return node;
  }
  node.size = entry.stamp.size;
  node.inode_group = entry.inode_group;
  node.digest = entry.digest;
  node.source_dir = path_;
  node.source_path = node.path;
  return node;
}

/// The memory saves time and nothing else, so that a build goes on when it cannot be written.
void LocalTree::refresh_memory() {
  if (!hashes_) return;
  if (auto refreshed = hashes_->refresh(); !refreshed)
    log::debug("refreshing the memory of file hashes: {}", refreshed.error().text());
}

Result<std::unique_ptr<SourceTree>> open_local_tree(const std::string& root, const ContextTools& tools, LocalOptions options) {
  auto fd = TRY(sys::open(root, O_PATH | O_DIRECTORY));
  auto matcher = TRY(PatternMatcher::compile(options.patterns));
  // Others open files by this path later, from whatever working directory.
  char* real = ::realpath(root.c_str(), nullptr);
  std::string path = real ? real : root;
  std::free(real);
  return std::unique_ptr<SourceTree>(
      std::make_unique<LocalTree>(std::move(path), std::move(fd), std::move(matcher), tools, std::move(options)));
}

Result<std::unique_ptr<SourceTree>> make_local_tree(const std::string& root, const std::vector<std::string>& patterns,
                                                    const ContextTools& tools, std::string name) {
  return open_local_tree(root, tools, {.patterns = patterns, .name = std::move(name)});
}

}  // namespace mica::build
