#include "build/unpack_context.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <set>

#include "archive/tar.h"
#include "archive/tar_format.h"
#include "base/format.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "stream/compression.h"
#include "sys/fd.h"

namespace mica::build {
namespace {

using archive::EntryType;

class Unpacker {
 public:
  Unpacker(archive::TarReader& tar, const sys::Fd& root, task::Cancel cancel) : tar_(tar), root_(root), cancel_(cancel) {}

  Result<> run() {
    for (;;) {
      TRY(cancel_.check());
      const auto entry = TRY(tar_.next());
      if (!entry) break;
      TRY_DOING(take(*entry), format("unpacking {}", quoted(entry->path)));
    }
    for (auto folder = folders_.rbegin(); folder != folders_.rend(); ++folder)
      if (auto parent = parent_of(folder->first)) (void)sys::set_times_at(*parent, base_name(folder->first), folder->second);
    return {};
  }

 private:
  static Result<std::string> cleaned(const std::string& path) {
    for (const auto part : split(path, '/'))
      if (part == "..") return failf(Errc::corrupt, "the name {} climbs out of the archive", quoted(path));
    const std::string clean = clean_path("/" + path);
    return clean.substr(1);
  }

  Result<sys::Fd> parent_of(const std::string& path) {
    const auto slash = path.rfind('/');
    return sys::open_beneath(root_, slash == path.npos ? "" : path.substr(0, slash), O_RDONLY | O_DIRECTORY);
  }
  Result<> make_parents(const std::string& path) {
    for (std::size_t slash = path.find('/'); slash != path.npos; slash = path.find('/', slash + 1)) {
      const std::string folder = path.substr(0, slash);
      if (sys::open_beneath(root_, folder, O_PATH | O_DIRECTORY)) continue;
      const auto parent = TRY(parent_of(folder));
      if (::mkdirat(parent.get(), base_name(folder).c_str(), 0755) != 0 && errno != EEXIST) return fail_errno("making a folder");
    }
    return {};
  }

  Result<> take(const archive::Entry& entry) {
    const std::string path = TRY(cleaned(entry.path));
    if (path.empty()) return {};
    TRY(make_parents(path));
    const auto parent = TRY(parent_of(path));
    const std::string name = base_name(path);
    struct stat now {};
    const bool there = ::fstatat(parent.get(), name.c_str(), &now, AT_SYMLINK_NOFOLLOW) == 0;
    if (there && !(entry.type == EntryType::directory && S_ISDIR(now.st_mode))) TRY(sys::remove_tree_at(parent, name));
    TRY(make(entry, path, parent, name, there && S_ISDIR(now.st_mode)));
    if (entry.type == EntryType::hard_link) return {};
    return label(entry, path, parent, name);
  }

  Result<> make(const archive::Entry& entry, const std::string& path, const sys::Fd& parent, const std::string& name, bool folder_there) {
    const dev_t device = ::makedev(entry.device_major, entry.device_minor);
    switch (entry.type) {
      case EntryType::directory:
        if (!folder_there && ::mkdirat(parent.get(), name.c_str(), 0755) != 0) return fail_errno("making a folder");
        folders_.emplace_back(path, entry.mtime_ns);
        return {};
      case EntryType::symlink: return ::symlinkat(entry.link.c_str(), parent.get(), name.c_str()) == 0 ? Result<>() : fail_errno("making a link");
      case EntryType::hard_link: {
        const std::string target = TRY(cleaned(entry.link));
        const auto to = TRY(parent_of(target));
        return ::linkat(to.get(), base_name(target).c_str(), parent.get(), name.c_str(), 0) == 0 ? Result<>() : fail_errno("making a hard link");
      }
      case EntryType::fifo: return ::mknodat(parent.get(), name.c_str(), S_IFIFO | 0600, 0) == 0 ? Result<>() : fail_errno("making a fifo");
      case EntryType::char_device:
      case EntryType::block_device:
        return ::mknodat(parent.get(), name.c_str(), (entry.type == EntryType::char_device ? S_IFCHR : S_IFBLK) | 0600u, device) == 0 ? Result<>() : fail_errno("making a device");
      case EntryType::file: break;
    }
    auto file = TRY(sys::open_at(parent, name, O_CREAT | O_EXCL | O_WRONLY, 0600));
    stream::FdSink sink(std::move(file));
    TRY(stream::copy(tar_.data(), sink));
    return {};
  }

  Result<> label(const archive::Entry& entry, const std::string&, const sys::Fd& parent, const std::string& name) {
    if (::fchownat(parent.get(), name.c_str(), static_cast<uid_t>(entry.uid), static_cast<gid_t>(entry.gid), AT_SYMLINK_NOFOLLOW) != 0)
      log::debug("an owner of the archive is not kept: {} {}:{}", name, entry.uid, entry.gid);   // not ours to give without root
    if (entry.type != EntryType::symlink && ::fchmodat(parent.get(), name.c_str(), entry.mode, 0) != 0) return fail_errno("setting the mode");
    for (const auto& [key, value] : entry.xattrs)
      if (auto set = sys::set_xattr_at(parent, name, {key, value}); !set) log::debug("{}", set.error().text());
    return entry.type == EntryType::directory ? Result<>() : sys::set_times_at(parent, name, entry.mtime_ns);
  }

  archive::TarReader& tar_;
  const sys::Fd& root_;
  task::Cancel cancel_;
  std::vector<std::pair<std::string, std::int64_t>> folders_;
};

}  // namespace

bool looks_like_archive(std::string_view bytes) {
  if (stream::detect(bytes) != stream::Compression::none) return true;
  if (bytes.size() < archive::kBlock) return false;
  archive::Block block;
  std::copy_n(bytes.begin(), block.size(), block.begin());
  return archive::is_zero(block) || archive::checksum_matches(block);
}

Result<> unpack_context(stream::Source& from, const std::string& folder, task::Cancel cancel) {
  TRY(sys::make_directories(folder, 0755));
  const auto root = TRY(sys::open(folder, O_RDONLY | O_DIRECTORY));
  stream::PeekSource peeked(from);
  const auto kind = stream::detect(TRY(peeked.peek(6)));
  std::unique_ptr<stream::Source> plain;
  if (kind != stream::Compression::none) plain = TRY(stream::decompress(peeked, kind));
  archive::TarReader tar(plain ? *plain : static_cast<stream::Source&>(peeked));
  return Unpacker(tar, root, cancel).run();
}

}  // namespace mica::build
