#include "engine/archive_files.h"

#include <fcntl.h>

#include "archive/tar.h"
#include "base/format.h"
#include "base/text.h"
#include "stream/compression.h"

namespace mica::engine {
namespace {

constexpr std::size_t kMaxFiles = 1'000'000;

std::string key_of(std::string_view path) {
  std::string clean = clean_path(path);
  while (clean.starts_with("/")) clean.erase(0, 1);
  return clean;
}

}  // namespace

Result<ArchiveFiles> ArchiveFiles::spool(stream::Source& from, const std::string& folder, task::Cancel cancel) {
  stream::PeekSource peeked(from);
  const std::string_view magic = TRY(peeked.peek(6));
  if (magic.empty()) return fail(Errc::corrupt, "the archive is empty");
  const auto kind = stream::detect(magic);
  std::unique_ptr<stream::Source> plain;
  if (kind != stream::Compression::none) plain = TRY(stream::decompress(peeked, kind));
  archive::TarReader tar(plain ? *plain : peeked);

  ArchiveFiles files;
  files.folder_ = folder;
  TRY(sys::make_directories(folder, 0700));
  for (;;) {
    TRY(cancel.check());
    const auto entry = TRY(tar.next());
    if (!entry) break;
    const std::string key = key_of(entry->path);
    if (files.files_.size() > kMaxFiles) return fail(Errc::resource_exhausted, "the archive has too many files");
    if (entry->type == archive::EntryType::symlink || entry->type == archive::EntryType::hard_link) {
      const std::string target = entry->type == archive::EntryType::symlink ? key_of(join_path(dir_name(key), entry->link)) : key_of(entry->link);
      if (const auto found = files.files_.find(target); found != files.files_.end()) files.files_[key] = found->second;
    }
    if (entry->type != archive::EntryType::file) continue;
    const std::string name = std::to_string(files.files_.size());
    auto file = TRY(sys::open(folder + "/" + name, O_CREAT | O_WRONLY | O_TRUNC, 0600));
    stream::FdSink sink(std::move(file));
    TRY_DOING(stream::copy(tar.data(), sink), format("reading {} from the archive", quoted(entry->path)));
    files.files_[key] = name;
  }
  return files;
}

Result<ArchiveFiles> ArchiveFiles::folder(const std::string& path) {
  ArchiveFiles files;
  files.folder_ = path;
  files.direct_ = true;
  TRY(sys::open(path, O_DIRECTORY | O_RDONLY));
  return files;
}

bool ArchiveFiles::has(const std::string& path) const {
  if (!direct_) return files_.count(key_of(path)) > 0;
  return open(path).has_value();
}

Result<sys::Fd> ArchiveFiles::open(const std::string& path) const {
  if (direct_) {
    const auto root = TRY(sys::open(folder_, O_DIRECTORY | O_RDONLY));
    return sys::open_beneath(root, path, O_RDONLY);
  }
  const auto found = files_.find(key_of(path));
  if (found == files_.end()) return failf(Errc::not_found, "the archive has no {}", quoted(path));
  return sys::open(folder_ + "/" + found->second, O_RDONLY);
}

Result<std::string> ArchiveFiles::read(const std::string& path, std::size_t limit) const {
  const auto file = TRY(open(path));
  return sys::read_fd(file, limit);
}

}  // namespace mica::engine
