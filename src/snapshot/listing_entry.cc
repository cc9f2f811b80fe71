// Entries and their packed attributes.
#include <algorithm>

#include "snapshot/listing.h"

namespace mica::snapshot {
namespace {

void put_field(std::string& packed, std::string_view text) {
  const auto length = static_cast<std::uint32_t>(text.size());
  for (int shift = 0; shift < 32; shift += 8) packed += static_cast<char>(length >> shift);
  packed += text;
}

/// Takes one field off the front; false when the bytes end before it does.
bool take_field(std::string_view& packed, std::string& text) {
  if (packed.size() < 4) return false;
  std::uint32_t length = 0;
  for (int i = 0; i < 4; ++i) length |= static_cast<std::uint32_t>(static_cast<unsigned char>(packed[i])) << (8 * i);
  packed.remove_prefix(4);
  if (packed.size() < length) return false;
  text = packed.substr(0, length);
  packed.remove_prefix(length);
  return true;
}

}  // namespace

void EntryView::add_identity(Sha256& hash) const {
  const std::uint64_t numbers[] = {static_cast<std::uint64_t>(type), opaque, mode, uid, gid, size, device};
  hash.update({reinterpret_cast<const char*>(numbers), sizeof numbers});
  hash.update(digest);
  hash.field(link).field(xattrs);
}

Sha256Bytes EntryView::identity() const {
  Sha256 hash;
  add_identity(hash);
  return hash.finish();
}

bool EntryView::same_identity(const EntryView& other) const {
  return type == other.type && opaque == other.opaque && mode == other.mode && uid == other.uid && gid == other.gid && size == other.size &&
         device == other.device && digest == other.digest && link == other.link && xattrs == other.xattrs;
}

EntryView Entry::view() const {
  return {.path = path,
          .type = type,
          .opaque = opaque,
          .mode = mode,
          .uid = uid,
          .gid = gid,
          .size = size,
          .mtime_ns = mtime_ns,
          .device = device,
          .digest = digest,
          .link = link,
          .hard_link = hard_link,
          .xattrs = xattrs};
}

Entry Entry::of(const EntryView& view) {
  return {.path = std::string(view.path),
          .type = view.type,
          .opaque = view.opaque,
          .mode = view.mode,
          .uid = view.uid,
          .gid = view.gid,
          .size = view.size,
          .mtime_ns = view.mtime_ns,
          .device = view.device,
          .digest = view.digest,
          .link = std::string(view.link),
          .hard_link = std::string(view.hard_link),
          .xattrs = std::string(view.xattrs)};
}

std::string pack_xattrs(const std::vector<sys::Xattr>& attributes) {
  std::vector<const sys::Xattr*> sorted;
  for (const auto& attribute : attributes) sorted.push_back(&attribute);
  std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return *a < *b; });
  std::string packed;
  for (const auto* attribute : sorted) {
    put_field(packed, attribute->name);
    put_field(packed, attribute->value);
  }
  return packed;
}

std::vector<sys::Xattr> unpack_xattrs(std::string_view packed) {
  std::vector<sys::Xattr> attributes;
  sys::Xattr attribute;
  while (take_field(packed, attribute.name) && take_field(packed, attribute.value)) attributes.push_back(attribute);
  return attributes;
}

bool is_layer_xattr(std::string_view name) {
  if (name.starts_with("trusted.overlay.") || name.starts_with("user.overlay.")) return false;
  return !name.starts_with("security.") || name == "security.capability";
}

}  // namespace mica::snapshot
