#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <map>
#include <mutex>

#include "base/format.h"
#include "base/text.h"
#include "base/time.h"
#include "build/context.h"
#include "build/file_hashes.h"
#include "dockerfile/ignore.h"
#include "sys/entries.h"

namespace mica::build {
namespace {

using dockerfile::PatternMatcher;
using snapshot::Type;

constexpr std::size_t kHashBuffer = 256 << 10;
constexpr std::uint64_t kBytesATask = 4 << 20;    // of files hashed by one task
constexpr std::size_t kFilesATask = 64;

std::int64_t ns_of(const timespec& time) { return time.tv_sec * std::int64_t{1'000'000'000} + time.tv_nsec; }
FileStamp stamp_of(const struct stat& s) {
  return {s.st_ino, static_cast<std::uint64_t>(s.st_size), ns_of(s.st_mtim), ns_of(s.st_ctim)};
}
Type type_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR: return Type::directory;
    case S_IFLNK: return Type::symlink;
    case S_IFCHR: return Type::char_device;
    case S_IFBLK: return Type::block_device;
    case S_IFIFO: return Type::fifo;
    default: return Type::file;   // a socket too: Docker sends an empty file
  }
}

std::string joined(std::string_view folder, std::string_view name) {
  return folder.empty() ? std::string(name) : std::string(folder) + "/" + std::string(name);
}

/// "" attributes for most files costs one call; Apple's own are not sent.
std::string xattrs_of(const std::string& path) {
  char names[4096];
  ssize_t size = ::llistxattr(path.c_str(), names, sizeof names);
  if (size <= 0) return {};
  std::vector<sys::Xattr> found;
  for (std::string_view rest(names, static_cast<std::size_t>(size)); !rest.empty();) {
    const std::string name(rest.substr(0, rest.find('\0')));
    rest.remove_prefix(std::min(rest.size(), name.size() + 1));
    if (name.starts_with("com.apple.") || !snapshot::is_layer_xattr(name)) continue;
    std::string value(64 << 10, '\0');
    const ssize_t length = ::lgetxattr(path.c_str(), name.c_str(), value.data(), value.size());
    if (length < 0) continue;
    value.resize(static_cast<std::size_t>(length));
    found.push_back({name, std::move(value)});
  }
  return found.empty() ? std::string() : snapshot::pack_xattrs(found);
}

struct Item {
  std::string name;
  struct stat status {};
  bool excluded = false;             // by the rules; a folder may show all the same when something in it does
  std::optional<bool> shows_below;   // of an excluded folder, once known
  std::unique_ptr<PatternMatcher::State> state;   // of folders
  std::optional<Sha256Bytes> digest;
};
struct Folder {
  FolderId id;
  std::vector<Item> items;           // sorted by name
  bool remembered = false;           // the memory was asked
  Item* find(std::string_view name) {
    const auto at = std::lower_bound(items.begin(), items.end(), name, [](const Item& item, std::string_view n) { return item.name < n; });
    return at != items.end() && at->name == name ? &*at : nullptr;
  }
};

class LocalTree : public SourceTree {
 public:
  LocalTree(std::string root, sys::Fd fd, PatternMatcher matcher, std::vector<std::string> patterns, const ContextTools& tools, std::string name, bool own_ids)
      : root_(std::move(root)), fd_(std::move(fd)), matcher_(std::move(matcher)), patterns_(std::move(patterns)), tools_(tools), name_(std::move(name)),
        own_ids_(own_ids) {}

  Result<std::optional<Node>> find(std::string_view path) override {
    const std::lock_guard lock(mutex_);
    if (path.empty()) return root_node();
    Item* item = TRY(item_at(path));
    if (!item) return std::optional<Node>();
    const bool shown = TRY(shows(path, *item));
    if (!shown) return std::optional<Node>();
    auto node = TRY(node_of(path, *item));
    return std::optional(std::move(node));
  }

  Result<std::vector<Node>> children(std::string_view path) override {
    const std::lock_guard lock(mutex_);
    std::vector<Node> nodes;
    if (!path.empty()) {
      const Item* item = TRY(item_at(path));
      if (!item || !S_ISDIR(item->status.st_mode)) return nodes;
    }
    Folder& folder = *TRY(folder_at(path));
    nodes.reserve(folder.items.size());
    for (Item& item : folder.items) {
      const std::string inner = joined(path, item.name);
      const bool shown = TRY(shows(inner, item));
      if (!shown) continue;
      auto node = TRY(node_of(inner, item));
      nodes.push_back(std::move(node));
    }
    return nodes;
  }

  std::string hidden_by(std::string_view path) override {
    const std::lock_guard lock(mutex_);
    const auto item = item_at(path);
    if (!item || !*item || !(*item)->excluded) return {};
    // The rule that decided is the last one whose removal lets the path through.
    for (std::size_t i = patterns_.size(); i-- > 0;) {
      std::vector<std::string> fewer(patterns_.begin(), patterns_.begin() + static_cast<std::ptrdiff_t>(i));
      const auto matcher = PatternMatcher::compile(fewer);
      if (matcher && !matcher->matches(path)) return patterns_[i];
    }
    return {};
  }

  Result<> hash(std::span<Node*> files, task::Cancel cancel) override {
    std::vector<Work> work;
    std::map<std::string, Folder*> touched;
    {
      const std::lock_guard lock(mutex_);
      TRY(take_known(files, work, touched));
    }
    if (work.empty()) return {};
    TRY(hash_all(work, cancel));
    const std::lock_guard lock(mutex_);
    for (Work& one : work) one.item->digest = one.node->digest;
    return remember(work, touched);
  }

  bool is_local_context() const override { return !own_ids_; }
  std::string name() const override { return name_; }

 private:
  struct Work {
    Node* node = nullptr;
    Item* item = nullptr;
    Folder* folder = nullptr;
    FileStamp stamp;                 // of the bytes that were hashed
    bool settled = false;
  };

  std::optional<Node> root_node() {
    struct stat status {};
    if (::fstat(fd_.get(), &status) != 0) return std::nullopt;
    return Node{.path = "", .type = Type::directory, .mode = status.st_mode & 07777u, .mtime_ns = ns_of(status.st_mtim)};
  }

  Result<Node> node_of(std::string_view path, Item& item) {
    const struct stat& s = item.status;
    Node node{.path = std::string(path), .type = type_of(s.st_mode), .mode = s.st_mode & 07777u, .mtime_ns = ns_of(s.st_mtim), .digest = item.digest,
              .source_dir = root_, .source_path = std::string(path)};
    if (own_ids_) {
      node.uid = s.st_uid;
      node.gid = s.st_gid;
    }
    if (node.type == Type::file && S_ISREG(s.st_mode)) {
      node.size = static_cast<std::uint64_t>(s.st_size);
      if (s.st_nlink > 1) node.inode_group = s.st_ino;
    } else if (node.type == Type::file) {
      node.digest = sha256("");
      node.source_dir = "/dev";
      node.source_path = "null";
    } else if (node.type == Type::symlink) {
      const auto parent = TRY(sys::open_strict(fd_, std::string(path.substr(0, path.size() - item.name.size())), O_PATH | O_DIRECTORY));
      node.link = TRY_DOING(sys::read_link_at(parent, item.name), format("reading {}", quoted(path)));
      node.mode = 0777;
    } else if (node.type == Type::char_device || node.type == Type::block_device) {
      node.device = s.st_rdev;
    }
    node.xattrs = xattrs_of(root_ + "/" + node.path);
    return node;
  }

  Result<Item*> item_at(std::string_view path) {
    const auto slash = path.rfind('/');
    const std::string_view parent = slash == path.npos ? std::string_view() : path.substr(0, slash);
    if (!parent.empty()) {
      const Item* above = TRY(item_at(parent));
      if (!above || !S_ISDIR(above->status.st_mode)) return nullptr;
    }
    Folder* folder = TRY(folder_at(parent));
    return folder->find(path.substr(slash == path.npos ? 0 : slash + 1));
  }

  /// The folder's entries, read at the first question. `path` is known to be a folder.
  Result<Folder*> folder_at(std::string_view path) {
    const auto found = folders_.find(path);
    if (found != folders_.end()) return &found->second;
    const PatternMatcher::State* above = nullptr;
    if (!path.empty()) {
      const auto slash = path.rfind('/');
      Folder* parent = TRY(folder_at(slash == path.npos ? std::string_view() : path.substr(0, slash)));
      above = parent->find(path.substr(slash == path.npos ? 0 : slash + 1))->state.get();
    }
    Folder folder = TRY_DOING(read_folder(path, above), format("reading the context's folder {}", quoted(path.empty() ? "." : path)));
    return &folders_.emplace(std::string(path), std::move(folder)).first->second;
  }

  Result<Folder> read_folder(std::string_view path, const PatternMatcher::State* above) {
    auto opened = sys::open_strict(fd_, std::string(path), O_RDONLY | O_DIRECTORY);
    if (!opened) {
      Error error = std::move(opened).error();
      if (error.code() == Errc::permission_denied && !path.empty()) std::move(error).with_hint(format("if it is not needed, add {} to .dockerignore", path));
      return fail(std::move(error));
    }
    const sys::Fd fd = std::move(*opened);
    struct stat own {};
    if (::fstat(fd.get(), &own) != 0) return fail_errno("looking at the folder");
    Folder folder{.id = {own.st_dev, own.st_ino}, .items = {}};
    auto reader = std::make_unique<sys::EntryReader>(fd.get());
    for (sys::Entry entry; reader->next(entry);) {
      Item item{.name = std::string(entry.name)};
      if (::fstatat(fd.get(), item.name.c_str(), &item.status, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT) continue;   // removed since
        return fail_errno(format("looking at {}", quoted(item.name)));
      }
      folder.items.push_back(std::move(item));
    }
    if (reader->failed()) return fail_errno("listing the folder");
    std::sort(folder.items.begin(), folder.items.end(), [](const Item& a, const Item& b) { return a.name < b.name; });
    if (matcher_.empty()) return folder;
    const PatternMatcher::State none;
    for (Item& item : folder.items) {
      PatternMatcher::State state;
      item.excluded = matcher_.matches(joined(path, item.name), above ? *above : none, state);
      if (S_ISDIR(item.status.st_mode)) item.state = std::make_unique<PatternMatcher::State>(std::move(state));
    }
    return folder;
  }

  /// An excluded folder shows when a rule takes something below it back in.
  Result<bool> shows(std::string_view path, Item& item) {
    if (!item.excluded) return true;
    if (!S_ISDIR(item.status.st_mode) || !matcher_.has_negation() || matcher_.can_skip_below(path)) return false;
    if (item.shows_below) return *item.shows_below;
    bool any = false;
    Folder& folder = *TRY(folder_at(path));
    for (Item& inner : folder.items) {
      any = TRY(shows(joined(path, inner.name), inner));
      if (any) break;
    }
    item.shows_below = any;
    return any;
  }

  /// Gives nodes the digests that are known, by this tree or from memory; the rest is work.
  Result<> take_known(std::span<Node*> files, std::vector<Work>& work, std::map<std::string, Folder*>& touched) {
    for (Node* node : files) {
      if (node->digest) continue;
      Item* item = TRY(item_at(node->path));
      if (!item) return failf(Errc::not_found, "{} vanished from {} meanwhile", quoted(node->path), name_);
      const auto slash = node->path.rfind('/');
      const std::string parent = slash == node->path.npos ? "" : node->path.substr(0, slash);
      Folder* folder = TRY(folder_at(parent));
      if (!folder->remembered) TRY(recall(*folder));
      if (item->digest) {
        node->digest = item->digest;
        continue;
      }
      touched.emplace(parent, folder);
      work.push_back({.node = node, .item = item, .folder = folder});
    }
    return {};
  }

  Result<> recall(Folder& folder) {
    folder.remembered = true;
    if (!tools_.database) return {};
    const auto files = TRY(FileHashes(*tools_.database).load(folder.id));
    for (const auto& file : files)
      if (Item* item = folder.find(file.name); item && S_ISREG(item->status.st_mode) && stamp_of(item->status) == file.stamp) item->digest = file.digest;
    return {};
  }

  Result<> hash_all(std::vector<Work>& work, task::Cancel cancel) {
    task::Group group(*tools_.pool, cancel);
    for (std::size_t begin = 0; begin < work.size();) {
      std::size_t end = begin;
      for (std::uint64_t bytes = 0; end < work.size() && end - begin < kFilesATask && bytes < kBytesATask; ++end) bytes += work[end].node->size;
      group.run([this, &work, begin, end](task::Cancel stop) -> Result<> {
        std::vector<unsigned char> buffer(kHashBuffer);
        for (std::size_t i = begin; i < end; ++i) TRY_DOING(hash_one(work[i], buffer, stop), format("reading {}", quoted(work[i].node->path)));
        return {};
      });
      begin = end;
    }
    return group.wait();
  }

  Result<> hash_one(Work& work, std::vector<unsigned char>& buffer, task::Cancel stop) {
    for (int attempt = 0; attempt < 2; ++attempt) {
      const std::int64_t begun = now().ns;
      auto opened = sys::open_strict(fd_, work.node->path, O_RDONLY);
      if (!opened) {
        Error error = std::move(opened).error();
        if (error.code() == Errc::permission_denied) std::move(error).with_hint(format("if it is not needed, add {} to .dockerignore", work.node->path));
        return fail(std::move(error));
      }
      const auto before = TRY(sys::stat_fd(*opened));
      Sha256 hash;
      std::uint64_t size = 0;
      for (;;) {
        TRY(stop.check());
        const std::size_t got = TRY(sys::read_full(*opened, buffer));
        if (got == 0) break;
        hash.update(std::span(buffer).first(got));
        size += got;
        if (got < buffer.size()) break;
      }
      const auto after = TRY(sys::stat_fd(*opened));
      if (stamp_of(before) != stamp_of(after) || size != static_cast<std::uint64_t>(after.st_size)) continue;
      work.node->digest = hash.finish();
      work.node->size = size;
      work.node->mode = after.st_mode & 07777u;
      work.node->mtime_ns = ns_of(after.st_mtim);
      work.stamp = stamp_of(after);
      work.settled = is_settled(work.stamp, begun);
      return {};
    }
    return fail(Error(Errc::conflict, "the file keeps changing while it is read").with_hint("build again when nothing writes to it"));
  }

  /// Writes the rows of the folders in which something was hashed.
  Result<> remember(const std::vector<Work>& work, const std::map<std::string, Folder*>& touched) {
    if (!tools_.database) return {};
    std::map<const Item*, const Work*> hashed;
    for (const Work& one : work) hashed.emplace(one.item, &one);
    std::vector<std::pair<FolderId, std::vector<RememberedFile>>> rows;
    for (const auto& [path, folder] : touched) {
      std::vector<RememberedFile> files;
      for (const Item& item : folder->items) {
        const auto fresh = hashed.find(&item);
        if (fresh != hashed.end() ? !fresh->second->settled : !item.digest.has_value()) continue;
        files.push_back({item.name, fresh != hashed.end() ? fresh->second->stamp : stamp_of(item.status), *item.digest});
      }
      rows.emplace_back(folder->id, std::move(files));
    }
    return FileHashes(*tools_.database).save(rows);
  }

  std::string root_;
  sys::Fd fd_;
  PatternMatcher matcher_;
  std::vector<std::string> patterns_;
  ContextTools tools_;
  std::string name_;
  bool own_ids_;
  std::mutex mutex_;
  std::map<std::string, Folder, std::less<>> folders_;
};

}  // namespace

Result<std::unique_ptr<SourceTree>> make_local_tree(const std::string& root, const std::vector<std::string>& patterns, const ContextTools& tools, std::string name) {
  auto fd = TRY(sys::open(root, O_RDONLY | O_DIRECTORY));
  auto matcher = TRY(PatternMatcher::compile(patterns));
  return std::unique_ptr<SourceTree>(std::make_unique<LocalTree>(root, std::move(fd), std::move(matcher), patterns, tools, std::move(name), false));
}

Result<std::unique_ptr<SourceTree>> make_unpacked_tree(const std::string& root, const ContextTools& tools, std::string name) {
  auto fd = TRY(sys::open(root, O_RDONLY | O_DIRECTORY));
  ContextTools own = tools;
  own.database = nullptr;   // a folder that vanishes is not worth remembering
  return std::unique_ptr<SourceTree>(std::make_unique<LocalTree>(root, std::move(fd), PatternMatcher(), std::vector<std::string>(), own, std::move(name), true));
}

}  // namespace mica::build
