#include "engine/image_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstring>

#include "archive/pax.h"
#include "archive/tar_format.h"
#include "base/format.h"
#include "base/text.h"
#include "engine/archive_places.h"
#include "stream/compression.h"

namespace mica::engine {
namespace {

constexpr std::size_t kMaxIndexed = 1'000'000;
constexpr std::uint64_t kMaxExtension = 1 << 20;      // names of an image archive are short

std::string key_of(std::string_view path) {
  std::string clean = clean_path("/" + std::string(path));
  clean.erase(0, 1);
  return clean;
}

Result<std::size_t> read_at(const sys::Fd& file, std::span<unsigned char> into, std::uint64_t offset) {
  for (;;) {
    const ssize_t n = ::pread(file.get(), into.data(), into.size(), static_cast<off_t>(offset));
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno != EINTR) return fail_errno("reading the archive");
  }
}

Result<> read_exactly(const sys::Fd& file, std::span<unsigned char> into, std::uint64_t offset) {
  while (!into.empty()) {
    const std::size_t n = TRY(read_at(file, into, offset));
    if (n == 0) return fail(Errc::corrupt, "unexpected end of the archive");
    into = into.subspan(n);
    offset += n;
  }
  return {};
}

}  // namespace

/// Bytes [offset, offset + size) of the archive.
class ImageFiles::Part : public stream::Source {
 public:
  Part(std::shared_ptr<const sys::Fd> file, Place place) : file_(std::move(file)), place_(place) {}
  Result<std::size_t> read(std::span<unsigned char> into) override {
    if (place_.size == 0) return 0;
    const std::size_t n = TRY(read_at(*file_, into.first(std::min<std::uint64_t>(into.size(), place_.size)), place_.offset));
    if (n == 0) return fail(Errc::corrupt, "unexpected end of the archive");
    place_.offset += n;
    place_.size -= n;
    return n;
  }

 private:
  std::shared_ptr<const sys::Fd> file_;
  Place place_;
};

Result<bool> ImageFiles::index(const sys::Fd& file, std::uint64_t size, const task::Cancel& cancel) {
  archive::Block block;
  std::string long_name;
  std::optional<std::uint64_t> long_size;
  for (std::uint64_t at = 0; at < size;) {
    TRY(cancel.check());
    TRY(read_exactly(file, {reinterpret_cast<unsigned char*>(block.data()), block.size()}, at));
    if (archive::is_zero(block)) return true;
    if (!archive::checksum_matches(block)) return fail(Errc::corrupt, "header checksum mismatch (not a tar archive, or damaged)");
    at += archive::kBlock;
    const auto stored = archive::number(archive::raw(block, archive::kSize));
    if (!stored || *stored < 0) return fail(Errc::corrupt, "reading tar: bad size");
    const char type = block[archive::kType.offset];
    if (type == 'x' || type == 'L') {
      const auto length = static_cast<std::uint64_t>(*stored);
      if (length > kMaxExtension) return false;
      std::string bytes(length, '\0');
      TRY(read_exactly(file, {reinterpret_cast<unsigned char*>(bytes.data()), bytes.size()}, at));
      at += length + archive::padding(length);
      if (type == 'L') {
        long_name = bytes.substr(0, bytes.find('\0'));
        continue;
      }
      const auto records = TRY(archive::parse_pax(bytes));
      for (const auto& [key, value] : records) {
        if (key.starts_with("GNU.sparse.") || key == "linkpath") return false;
        if (key == "path") long_name = value;
        if (key != "size") continue;
        const auto number = parse_int(value);
        if (!number || *number < 0) return fail(Errc::corrupt, "reading tar: bad size");
        long_size = static_cast<std::uint64_t>(*number);
      }
      continue;
    }
    const std::uint64_t length = long_size.value_or(static_cast<std::uint64_t>(*stored));
    std::string name = std::move(long_name);
    if (name.empty()) {
      name = archive::text(block, archive::kName);
      if (archive::dialect(block) == archive::Dialect::ustar && block[archive::kPrefix.offset] != 0) name = format("{}/{}", archive::text(block, archive::kPrefix), name);
    }
    long_name.clear();
    long_size.reset();
    switch (type) {
      case '0':
      case '\0':
      case '7':
        if (length > size - at) return fail(Errc::corrupt, "unexpected end of the archive");
        if (places_.size() == kMaxIndexed) return fail(Errc::resource_exhausted, "the archive has too many files");
        places_[key_of(name)] = {at, length};
        at += length + archive::padding(length);
        break;
      case '1':
      case '2': {
        // Old Docker archives name a layer that is there twice by a link.
        const std::string link(archive::text(block, archive::kLink));
        const std::string key = key_of(name), target = key_of(type == '2' ? join_path(dir_name(key), link) : link);
        if (const auto found = places_.find(target); found != places_.end()) places_[key] = found->second;
        break;
      }
      case '5': break;
      default: return false;
    }
  }
  return true;
}

Result<ImageFiles> ImageFiles::open(const std::string& path, task::Cancel cancel) {
  ImageFiles out;
  out.path_ = path;
  if (path != "-") {
    auto file = TRY(sys::open(path, O_RDONLY));
    const auto status = TRY(sys::stat_fd(file));
    if (S_ISDIR(status.st_mode)) {
      out.files_ = TRY(ArchiveFiles::folder(path));
      return out;
    }
    unsigned char first[6];
    const std::size_t count = S_ISREG(status.st_mode) ? TRY(read_at(file, first, 0)) : 0;
    if (count == sizeof first && stream::detect({reinterpret_cast<const char*>(first), count}) == stream::Compression::none) {
      const bool is_indexed = TRY(out.index(file, static_cast<std::uint64_t>(status.st_size), cancel));
      if (is_indexed) {
        out.archive_ = std::make_shared<const sys::Fd>(std::move(file));
        return out;
      }
    }
  }
  out.places_.clear();
  out.temporary_ = TRY(sys::TempDir::create(temporary_folder(), "mica-read"));
  out.files_ = TRY(open_archive({.kind = ImagePlace::Kind::oci_archive, .path = path}, out.temporary_->path() + "/files", cancel));
  return out;
}

Result<ImageFiles::Place> ImageFiles::find(const std::string& name) const {
  const auto found = places_.find(key_of(name));
  if (found == places_.end()) return failf(Errc::not_found, "the archive has no {}", quoted(name));
  return found->second;
}

bool ImageFiles::has(const std::string& name) const { return files_ ? files_->has(name) : places_.contains(key_of(name)); }

Result<std::unique_ptr<stream::Source>> ImageFiles::open_file(const std::string& name) const {
  if (files_) {
    auto file = TRY(files_->open(name));
    return std::make_unique<stream::FdSource>(std::move(file));
  }
  const Place place = TRY(find(name));
  return std::make_unique<Part>(archive_, place);
}

Result<std::string> ImageFiles::read(const std::string& name, std::size_t limit) const {
  const auto file = TRY(open_file(name));
  return TRY_DOING(stream::read_all(*file, limit), format("reading {}", quoted(name)));
}

Result<std::int64_t> ImageFiles::size(const std::string& name) const {
  if (!files_) {
    const Place place = TRY(find(name));
    return static_cast<std::int64_t>(place.size);
  }
  const auto file = TRY(files_->open(name));
  const auto status = TRY(sys::stat_fd(file));
  return static_cast<std::int64_t>(status.st_size);
}

}  // namespace mica::engine
