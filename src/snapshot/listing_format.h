/// The bytes of a listing as C++ sees them: docs/formats/listing.md has the table and the reasons.
#pragma once
#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>

#include "base/sha256.h"
#include "snapshot/listing.h"

namespace mica::snapshot {

static_assert(std::endian::native == std::endian::little, "listings are little-endian and read in place");

inline constexpr char kListingMagic[8] = {'m', 'i', 'c', 'a', 'l', 'i', 's', 't'};
inline constexpr std::uint32_t kListingVersion = 1;
inline constexpr std::uint64_t kMaxListingEntries = std::numeric_limits<std::uint32_t>::max() - 1;
inline constexpr std::uint8_t kOpaqueFlag = 1;

struct ListingHeader {
  char magic[8];
  std::uint32_t version, header_bytes;
  std::uint64_t entries, string_bytes, file_bytes;
  std::uint32_t record_bytes, opaque_folders;
  Sha256Bytes body_digest;
  unsigned char reserved[16];
  Sha256Bytes header_digest;
};
static_assert(sizeof(ListingHeader) == 128);

struct ListingRecord {
  std::uint64_t strings;
  std::uint32_t path_bytes, link_bytes, xattr_bytes, first;
  std::uint16_t mode;
  std::uint8_t type, flags;
  std::uint32_t uid, gid, reserved;
  std::uint64_t size;
  std::int64_t mtime_ns;
  std::uint64_t device;
  Sha256Bytes digest;
};
static_assert(sizeof(ListingRecord) == 96);

/// The digest that stands at the header's end.
inline Sha256Bytes header_digest(const ListingHeader& header) {
  return sha256(std::string_view(reinterpret_cast<const char*>(&header), offsetof(ListingHeader, header_digest)));
}

/// A listing's bytes, mapped or in memory; the header's counts fit `bytes`.
struct Listing::Data {
  std::string owned;
  void* map = nullptr;
  std::string_view bytes;
  ListingHeader header{};

  Data() = default;
  Data(const Data&) = delete;
  ~Data();
  /// Checks what the header promises and takes `bytes` in. Errors: corrupt.
  Result<> adopt(std::string_view all);

  std::string_view body() const { return bytes.substr(sizeof(ListingHeader)); }
  const char* records() const { return bytes.data() + sizeof(ListingHeader); }
  const char* strings() const { return records() + header.entries * sizeof(ListingRecord); }
  ListingRecord record(std::size_t index) const {
    ListingRecord record;
    std::memcpy(&record, records() + index * sizeof record, sizeof record);
    return record;
  }
  std::string_view path(std::size_t index) const {
    const char* at = records() + index * sizeof(ListingRecord);
    std::uint64_t offset;
    std::uint32_t length;
    std::memcpy(&offset, at + offsetof(ListingRecord, strings), sizeof offset);
    std::memcpy(&length, at + offsetof(ListingRecord, path_bytes), sizeof length);
    if (offset > header.string_bytes || length > header.string_bytes - offset) return {};
    return {strings() + offset, length};
  }
  /// First index in order whose path is not below `prefix` followed by `next`.
  std::size_t lower_bound(std::string_view prefix, char next) const;
};

}  // namespace mica::snapshot
