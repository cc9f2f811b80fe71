// Listing a layer's folder. One task a folder reads its names and attributes, starts tasks for the folders in it and hashes its
// files; large folders give batches of files away. Folders are opened by path and closed again, so that neither deep nor wide
// trees hold descriptors. Files with several links wait until all names are known, since the first by path counts.
#include <fcntl.h>

#include <algorithm>
#include <memory>
#include <tuple>

#include "base/format.h"
#include "base/guarded.h"
#include "snapshot/listing.h"
#include "snapshot/open_below.h"
#include "snapshot/overlay_marks.h"

namespace mica::snapshot {
namespace {

constexpr std::size_t kBatchFiles = 256;
constexpr std::uint64_t kBatchBytes = 8 << 20;
constexpr std::size_t kReadBytes = 256 << 10;
// A layer's folder is not written to while it is read, but a fifo put there must not hang us.
constexpr int kFileFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;

using Files = std::vector<Entry>;

struct Linked {
  dev_t device;
  ino_t inode;
  Entry entry;
};

Entry entry_of(std::string path, Type type, const struct stat& status) {
  Entry entry{.path = std::move(path), .type = type};
  entry.mode = status.st_mode & 07777u;
  entry.uid = status.st_uid;
  entry.gid = status.st_gid;
  entry.mtime_ns = std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
  if (type == Type::file) entry.size = static_cast<std::uint64_t>(status.st_size);
  if (type == Type::char_device || type == Type::block_device) entry.device = status.st_rdev;
  return entry;
}

Entry whiteout_of(std::string path) { return {.path = std::move(path), .type = Type::whiteout}; }

std::string_view base_name_of(const Entry& entry) {
  const std::string_view path = entry.path;
  return path.substr(path.rfind('/') + 1);
}

Result<Sha256Bytes> digest_of(const sys::Fd& file, const Entry& entry, const task::Cancel& stop) {
  thread_local const auto buffer = std::make_unique_for_overwrite<unsigned char[]>(kReadBytes);
  Sha256 hash;
  for (std::uint64_t left = entry.size; left > 0;) {
    const std::span<unsigned char> into(buffer.get(), std::min<std::uint64_t>(left, kReadBytes));
    const std::size_t n = TRY(sys::read_full(file, into));
    if (n < into.size()) return fail(Errc::conflict, "the file became shorter while it was read");
    hash.update(std::span<const unsigned char>(into));
    left -= n;
    if (left > 0) TRY(stop.check());
  }
  return hash.finish();
}

class Scanner {
 public:
  Scanner(const sys::Fd& root, task::Pool& pool, const task::Cancel& cancel) : root_(root), pool_(pool), group_(pool, cancel) {}

  Result<Listing> run(const task::Cancel& cancel) {
    group_.run([this](const task::Cancel& stop) { return folder("", stop); });
    TRY(group_.wait());
    TRY(hash_linked(cancel));
    return Listing::build(std::move(*entries_.lock()));
  }

 private:
  Result<> folder(const std::string& path, const task::Cancel& stop) {
    TRY_DOING(list_folder(path, stop), format("listing the layer's folder {}", quoted("/" + path)));
    return {};
  }

  Result<> list_folder(const std::string& path, const task::Cancel& stop) {
    TRY(stop.check());
    const auto folder = TRY(open_below(root_, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    const auto marks = TRY(sys::xattrs(folder));
    const Attributes attributes = TRY(sort_out(marks));
    std::vector<Entry> done;
    if (!path.empty()) {
      const auto status = TRY(sys::stat_fd(folder));
      Entry& own = done.emplace_back(entry_of(path, Type::directory, status));
      own.opaque = attributes.opaque;
      own.xattrs = attributes.kept;
    }
    const auto names = TRY(sys::list_names(folder));
    Files files;
    std::uint64_t bytes = 0;
    for (const auto& name : names) {
      const auto status = TRY(sys::lstat_at(folder, name));
      std::string full = path.empty() ? name : path + "/" + name;
      if (S_ISDIR(status.st_mode)) {
        group_.run([this, full = std::move(full)](const task::Cancel& stop) { return this->folder(full, stop); });
        continue;
      }
      const bool whiteout = TRY(is_whiteout(folder, name, status, attributes));
      if (whiteout) {
        done.push_back(whiteout_of(std::move(full)));
        continue;
      }
      if (S_ISSOCK(status.st_mode)) continue;
      auto entry = TRY_DOING(begin_entry(folder, name, std::move(full), status), quoted(name));
      if (status.st_nlink > 1) {
        linked_.lock()->push_back({status.st_dev, status.st_ino, std::move(entry)});
      } else if (entry.type != Type::file) {
        done.push_back(std::move(entry));
      } else {
        bytes += entry.size;
        files.push_back(std::move(entry));
        if (files.size() < kBatchFiles && bytes < kBatchBytes) continue;
        give_away(path, std::exchange(files, {}));
        bytes = 0;
      }
    }
    keep(std::move(done));
    return hash_files(folder, std::move(files), stop);
  }

  static Result<bool> is_whiteout(const sys::Fd& folder, const std::string& name, const struct stat& status, const Attributes& of_folder) {
    if (S_ISCHR(status.st_mode)) return status.st_rdev == 0;
    if (!of_folder.holds_marked_whiteouts || !S_ISREG(status.st_mode) || status.st_size != 0) return false;
    const auto marks = TRY(sys::xattrs_at(folder, name));
    const Attributes attributes = TRY(sort_out(marks));
    return attributes.whiteout;
  }

  /// All but the content and attributes of files.
  static Result<Entry> begin_entry(const sys::Fd& folder, const std::string& name, std::string path, const struct stat& status) {
    if (S_ISREG(status.st_mode)) return entry_of(std::move(path), Type::file, status);
    const Type type = S_ISLNK(status.st_mode)   ? Type::symlink
                      : S_ISCHR(status.st_mode) ? Type::char_device
                      : S_ISBLK(status.st_mode) ? Type::block_device
                                                : Type::fifo;
    Entry entry = entry_of(std::move(path), type, status);
    if (type == Type::symlink) entry.link = TRY(sys::read_link_at(folder, name));
    const auto marks = TRY(sys::xattrs_at(folder, name));
    Attributes attributes = TRY(sort_out(marks));
    entry.xattrs = std::move(attributes.kept);
    return entry;
  }

  void give_away(const std::string& path, Files files) {
    auto shared = std::make_shared<Files>(std::move(files));
    group_.run([this, path, shared](const task::Cancel& stop) -> Result<> {
      const auto folder = TRY(open_below(root_, path, O_PATH | O_DIRECTORY | O_NOFOLLOW));
      return hash_files(folder, std::move(*shared), stop);
    });
  }

  Result<> hash_files(const sys::Fd& folder, Files files, const task::Cancel& stop) {
    for (Entry& entry : files) {
      TRY(stop.check());
      const auto file = TRY(sys::open_at(folder, std::string(base_name_of(entry)), kFileFlags));
      TRY_DOING(read_content(file, entry, stop), format("reading {}", quoted("/" + entry.path)));
    }
    keep(std::move(files));
    return {};
  }

  static Result<> read_content(const sys::Fd& file, Entry& entry, const task::Cancel& stop) {
    const auto marks = TRY(sys::xattrs(file));
    Attributes attributes = TRY(sort_out(marks));
    entry.xattrs = std::move(attributes.kept);
    entry.digest = TRY(digest_of(file, entry, stop));
    return {};
  }

  void keep(std::vector<Entry> done) {
    auto entries = entries_.lock();
    entries->insert(entries->end(), std::make_move_iterator(done.begin()), std::make_move_iterator(done.end()));
  }

  /// The second round: of each inode the first path is read; the others repeat it. Many links lead out of this layer (files shared
  /// with another layer), so that most groups have one member.
  Result<> hash_linked(const task::Cancel& cancel) {
    std::vector<Linked> linked = std::move(*linked_.lock());
    std::sort(linked.begin(), linked.end(), [](const Linked& a, const Linked& b) {
      return std::tie(a.device, a.inode, a.entry.path) < std::tie(b.device, b.inode, b.entry.path);
    });
    std::vector<Entry*> firsts;
    for (std::size_t i = 0; i < linked.size(); ++i)
      if (i == 0 || !same_inode(linked[i], linked[i - 1])) firsts.push_back(&linked[i].entry);
    std::sort(firsts.begin(), firsts.end(), [](const Entry* a, const Entry* b) { return a->path < b->path; });
    task::Group group(pool_, cancel);
    for (std::size_t i = 0; i < firsts.size(); i += kBatchFiles) {
      const auto batch = std::span(firsts).subspan(i, std::min(kBatchFiles, firsts.size() - i));
      group.run([this, batch](const task::Cancel& stop) { return hash_apart(batch, stop); });
    }
    TRY(group.wait());
    std::vector<Entry> done;
    done.reserve(linked.size());
    for (std::size_t i = 0; i < linked.size(); ++i) {
      Entry& entry = linked[i].entry;
      if (i > 0 && same_inode(linked[i], linked[i - 1])) {
        const Entry& before = done.back();
        entry.hard_link = before.hard_link.empty() ? before.path : before.hard_link;
        entry.digest = before.digest;
        entry.xattrs = before.xattrs;
      }
      done.push_back(std::move(entry));
    }
    keep(std::move(done));
    return {};
  }

  Result<> hash_apart(std::span<Entry* const> entries, const task::Cancel& stop) {
    for (Entry* const entry : entries) {
      if (entry->type != Type::file) continue;
      TRY(stop.check());
      const auto file = TRY(open_below(root_, entry->path, kFileFlags));
      TRY_DOING(read_content(file, *entry, stop), format("reading {}", quoted("/" + entry->path)));
    }
    return {};
  }

  static bool same_inode(const Linked& a, const Linked& b) { return a.device == b.device && a.inode == b.inode; }

  const sys::Fd& root_;
  task::Pool& pool_;
  Guarded<std::vector<Entry>> entries_;
  Guarded<std::vector<Linked>> linked_;
  task::Group group_;  // last: its tasks use the others
};

}  // namespace

Result<Listing> scan_layer(const sys::Fd& root, task::Pool& pool, task::Cancel cancel) { return Scanner(root, pool, cancel).run(cancel); }

}  // namespace mica::snapshot
