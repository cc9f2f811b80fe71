#include "engine/write_tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <set>

#include "base/format.h"
#include "base/text.h"
#include "base/time.h"

namespace mica::engine {
namespace {

using snapshot::Type;

class Writer {
 public:
  Writer(const snapshot::TreeView& tree, const sys::Fd& root, std::optional<std::int64_t> clamp_ns, task::Cancel cancel)
      : tree_(tree), root_(root), clamp_ns_(clamp_ns), cancel_(cancel) {}

  Result<> run() {
    Result<> outcome;
    tree_.walk("", [&](const snapshot::TreeView::Found& found) {
      outcome = cancel_.check();
      if (outcome) outcome = entry(found);
      if (!outcome) outcome.error().doing(format("writing {}", found.entry.path));
      return outcome.has_value();
    });
    TRY(std::move(outcome));
    // Folders last, inner ones first: their content changes their times, and a mode may forbid writing.
    for (auto folder = folders_.rbegin(); folder != folders_.rend(); ++folder) {
      const auto fd = TRY(sys::open_strict(root_, folder->path, O_RDONLY | O_DIRECTORY));
      if (::fchmod(fd.get(), folder->mode) != 0) return fail_errno(format("setting the mode of {}", folder->path));
      TRY(times(fd, folder->mtime_ns));
    }
    return {};
  }

 private:
  struct Folder {
    std::string path;
    std::uint32_t mode;
    std::int64_t mtime_ns;
  };

  Result<sys::Fd> parent_of(std::string_view path) {
    const auto slash = path.rfind('/');
    return sys::open_strict(root_, std::string(slash == path.npos ? "" : path.substr(0, slash)), O_RDONLY | O_DIRECTORY);
  }
  Result<> times(const sys::Fd& fd, std::int64_t mtime_ns) {
    const std::int64_t ns = clamp_ns_ ? std::min(mtime_ns, *clamp_ns_) : mtime_ns;
    const Timestamp time{ns};
    const struct timespec both[2] = {{time.seconds(), time.nanos()}, {time.seconds(), time.nanos()}};
    return ::futimens(fd.get(), both) == 0 ? Result<>() : fail_errno("setting times");
  }

  Result<> entry(const snapshot::TreeView::Found& found) {
    const auto& e = found.entry;
    const std::string name = base_name(e.path);
    const auto parent = TRY(parent_of(e.path));
    struct stat now {};
    const bool there = ::fstatat(parent.get(), name.c_str(), &now, AT_SYMLINK_NOFOLLOW) == 0;
    if (e.type == Type::directory) {
      if (there && !S_ISDIR(now.st_mode)) return fail(Error(Errc::conflict, "a file stands where a folder must be").with_hint("remove it first"));
      if (!there && ::mkdirat(parent.get(), name.c_str(), 0700) != 0) return fail_errno("making a folder");
      folders_.push_back({std::string(e.path), e.mode, e.mtime_ns});
      return {};
    }
    if (there && S_ISDIR(now.st_mode)) return fail(Error(Errc::conflict, "a folder stands where a file must be").with_hint("remove it first"));
    if (there && ::unlinkat(parent.get(), name.c_str(), 0) != 0) return fail_errno("replacing a file");
    if (e.type == Type::symlink) {
      if (::symlinkat(std::string(e.link).c_str(), parent.get(), name.c_str()) != 0) return fail_errno("making a link");
      return sys::set_times_at(parent, name, clamp_ns_ ? std::min(e.mtime_ns, *clamp_ns_) : e.mtime_ns);
    }
    if (e.type == Type::fifo) return ::mkfifoat(parent.get(), name.c_str(), e.mode) == 0 ? Result<>() : fail_errno("making a fifo");
    if (e.type != Type::file) return {};
    const auto from = TRY(tree_.open_file(found));
    const auto to = TRY(sys::open_at(parent, name, O_WRONLY | O_CREAT | O_EXCL, 0600));
    TRY(sys::copy_bytes(from, to, e.size));
    if (::fchmod(to.get(), e.mode) != 0) return fail_errno("setting the mode");
    return times(to, e.mtime_ns);
  }

  const snapshot::TreeView& tree_;
  const sys::Fd& root_;
  std::optional<std::int64_t> clamp_ns_;
  task::Cancel cancel_;
  std::vector<Folder> folders_;
};

/// Removes below `folder` what the tree does not have.
Result<> remove_stale(const snapshot::TreeView& tree, const sys::Fd& folder, const std::string& path) {
  const auto names = TRY(sys::list_names(folder));
  for (const auto& name : names) {
    const std::string inner = path.empty() ? name : path + "/" + name;
    const auto found = tree.find(inner);
    const auto status = TRY(sys::lstat_at(folder, name));
    const bool is_folder = S_ISDIR(status.st_mode);
    if (!found || is_folder != (found->entry.type == Type::directory)) {
      TRY(sys::remove_tree_at(folder, name));
    } else if (is_folder) {
      const auto fd = TRY(sys::open_at(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
      TRY(remove_stale(tree, fd, inner));
    }
  }
  return {};
}

}  // namespace

Result<> write_tree(const snapshot::TreeView& tree, const std::string& folder, bool delete_stale, std::optional<std::int64_t> clamp_ns, task::Cancel cancel) {
  TRY(sys::make_directories(folder));
  const auto root = TRY(sys::open(folder, O_RDONLY | O_DIRECTORY));
  if (delete_stale) TRY_DOING(remove_stale(tree, root, ""), format("removing old files from {}", quoted(folder)));
  TRY_DOING(Writer(tree, root, clamp_ns, cancel).run(), format("writing into {}", quoted(folder)));
  return {};
}

}  // namespace mica::engine
