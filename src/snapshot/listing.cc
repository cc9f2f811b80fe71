#include "snapshot/listing.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "base/format.h"
#include "snapshot/listing_format.h"

namespace mica::snapshot {
namespace {

/// path < prefix + next, without making the sum.
bool is_before(std::string_view path, std::string_view prefix, char next) {
  const std::size_t common = std::min(path.size(), prefix.size());
  if (const int order = std::memcmp(path.data(), prefix.data(), common)) return order < 0;
  if (path.size() <= prefix.size()) return true;
  return static_cast<unsigned char>(path[prefix.size()]) < static_cast<unsigned char>(next);
}

}  // namespace

Listing::Data::~Data() {
  if (map) ::munmap(map, bytes.size());
}

Result<> Listing::Data::adopt(std::string_view all) {
  bytes = all;
  if (all.size() < sizeof header) return fail(Errc::corrupt, "shorter than a listing's header");
  std::memcpy(&header, all.data(), sizeof header);
  if (std::memcmp(header.magic, kListingMagic, sizeof kListingMagic) != 0) return fail(Errc::corrupt, "not a listing");
  if (header.version != kListingVersion)
    return failf(Errc::corrupt, "listing of format version {}, this program reads {}", header.version, kListingVersion);
  if (header.header_digest != header_digest(header)) return fail(Errc::corrupt, "the header does not match its checksum");
  const std::uint64_t room = all.size() - sizeof header;
  if (header.header_bytes != sizeof header || header.record_bytes != sizeof(ListingRecord) || header.entries > kMaxListingEntries ||
      header.entries > room / sizeof(ListingRecord) || header.string_bytes != room - header.entries * sizeof(ListingRecord))
    return failf(Errc::corrupt, "{} bytes do not hold what the header promises", all.size());
  return {};
}

std::size_t Listing::Data::lower_bound(std::string_view prefix, char next) const {
  std::size_t begin = 0, count = header.entries;
  while (count > 0) {
    const std::size_t half = count / 2;
    if (is_before(path(begin + half), prefix, next)) {
      begin += half + 1;
      count -= half + 1;
    } else {
      count = half;
    }
  }
  return begin;
}

Listing::Listing() = default;
Listing::Listing(std::shared_ptr<const Data> data) : data_(std::move(data)) {}

Result<Listing> Listing::open(const std::string& path) {
  const auto file = TRY(sys::open(path, O_RDONLY));
  const auto status = TRY(sys::stat_fd(file));
  auto data = std::make_shared<Data>();
  std::string_view bytes;
  if (status.st_size > 0) {
    const auto length = static_cast<std::size_t>(status.st_size);
    void* const map = ::mmap(nullptr, length, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (map == MAP_FAILED) return fail_errno(format("mapping {}", path));
    data->map = map;
    bytes = {static_cast<const char*>(map), length};
  }
  TRY_DOING(data->adopt(bytes), format("opening {}", path));
  return Listing(std::move(data));
}

std::size_t Listing::size() const { return data_ ? data_->header.entries : 0; }
std::uint64_t Listing::bytes() const { return data_ ? data_->header.file_bytes : 0; }
bool Listing::has_opaque() const { return data_ && data_->header.opaque_folders > 0; }

std::string_view Listing::path(std::size_t index) const {
  MICA_ASSERT(index < size(), "an index into the listing");
  return data_->path(index);
}

EntryView Listing::operator[](std::size_t index) const {
  MICA_ASSERT(index < size(), "an index into the listing");
  const ListingRecord record = data_->record(index);
  const std::uint64_t length = std::uint64_t{record.path_bytes} + record.link_bytes + record.xattr_bytes;
  const std::uint64_t room = data_->header.string_bytes;
  if (record.strings > room || length > room - record.strings || record.type > static_cast<std::uint8_t>(Type::whiteout)) return {};
  const char* const strings = data_->strings() + record.strings;
  EntryView entry;
  entry.path = {strings, record.path_bytes};
  entry.link = {strings + record.path_bytes, record.link_bytes};
  entry.xattrs = {strings + record.path_bytes + record.link_bytes, record.xattr_bytes};
  entry.type = static_cast<Type>(record.type);
  entry.opaque = record.flags & kOpaqueFlag;
  entry.mode = record.mode & 07777u;
  entry.uid = record.uid;
  entry.gid = record.gid;
  entry.size = record.size;
  entry.mtime_ns = record.mtime_ns;
  entry.device = record.device;
  entry.digest = record.digest;
  if (record.first > 0 && record.first - 1 < index) entry.hard_link = data_->path(record.first - 1);
  return entry;
}

std::size_t Listing::find(std::string_view path) const {
  std::size_t begin = 0, count = size();
  while (count > 0) {
    const std::size_t middle = begin + count / 2;
    const int order = data_->path(middle).compare(path);
    if (order == 0) return middle;
    if (order < 0) {
      count -= count / 2 + 1;
      begin = middle + 1;
    } else {
      count /= 2;
    }
  }
  return size();
}

std::size_t Listing::below_begin(std::string_view directory) const {
  return directory.empty() || !data_ ? 0 : data_->lower_bound(directory, '/');
}
std::size_t Listing::below_end(std::string_view directory) const {
  // '0' is the byte behind '/'.
  return directory.empty() || !data_ ? size() : data_->lower_bound(directory, '0');
}

}  // namespace mica::snapshot
