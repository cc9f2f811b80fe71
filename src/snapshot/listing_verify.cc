// The full check of a listing, for fsck: what opening leaves out.
#include "base/format.h"
#include "base/text.h"
#include "snapshot/listing_format.h"

namespace mica::snapshot {
namespace {

bool is_clean(std::string_view path) {
  if (path.empty() || path.find('\0') != path.npos) return false;
  for (const std::string_view part : split(path, '/'))
    if (part.empty() || part == "." || part == "..") return false;
  return true;
}

std::string_view problem(const ListingRecord& record, const EntryView& entry) {
  const bool file = entry.type == Type::file;
  const bool device = entry.type == Type::char_device || entry.type == Type::block_device;
  if (record.reserved != 0 || (record.flags & ~kOpaqueFlag) != 0 || (record.mode & ~07777u) != 0) return "has bits of no meaning";
  if (entry.opaque && entry.type != Type::directory) return "is opaque but no folder";
  if ((entry.type == Type::symlink) == entry.link.empty()) return "has a link target without being a symlink, or none as one";
  if (!file && (entry.size != 0 || entry.digest != Sha256Bytes{})) return "has content without being a file";
  if (!device && entry.device != 0) return "has a device number without being a device";
  if (entry.type == Type::whiteout && !entry.same_identity({.type = Type::whiteout})) return "is a whiteout with metadata";
  if (pack_xattrs(unpack_xattrs(entry.xattrs)) != entry.xattrs) return "has damaged attributes";
  return {};
}

}  // namespace

Result<> Listing::verify() const {
  if (!data_) return {};
  if (sha256(data_->body()) != data_->header.body_digest) return fail(Errc::corrupt, "the listing does not match its checksum");
  std::uint64_t file_bytes = 0;
  std::uint32_t opaque_folders = 0;
  std::string_view last;
  for (std::size_t i = 0; i < size(); ++i) {
    const ListingRecord record = data_->record(i);
    const EntryView entry = (*this)[i];
    if (!is_clean(entry.path)) return failf(Errc::corrupt, "entry {} of the listing has the path {}", i, quoted(entry.path));
    if (i > 0 && entry.path <= last) return failf(Errc::corrupt, "{} is out of order in the listing", quoted(entry.path));
    if (const auto text = problem(record, entry); !text.empty()) return failf(Errc::corrupt, "{} {}", quoted(entry.path), text);
    if (record.first > 0) {
      if (entry.hard_link.empty() || data_->record(record.first - 1).first != 0)
        return failf(Errc::corrupt, "{} is a hard link to no first entry", quoted(entry.path));
      if (!entry.same_identity((*this)[record.first - 1]))
        return failf(Errc::corrupt, "{} differs from {}, of which it is a hard link", quoted(entry.path), quoted(entry.hard_link));
    }
    last = entry.path;
    if (entry.opaque) ++opaque_folders;
    if (entry.type == Type::file && record.first == 0) file_bytes += entry.size;
  }
  if (file_bytes != bytes() || opaque_folders != data_->header.opaque_folders)
    return fail(Errc::corrupt, "the listing's sums do not match its entries");
  return {};
}

}  // namespace mica::snapshot
