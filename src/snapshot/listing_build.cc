// Making a listing: the bytes in memory are those of the file.
#include <algorithm>
#include <numeric>

#include "snapshot/listing_format.h"

namespace mica::snapshot {
namespace {

using Order = std::vector<std::uint32_t>;

Order sorted_order(const std::vector<Entry>& entries) {
  MICA_ASSERT(entries.size() <= kMaxListingEntries, "a layer has fewer entries than 32 bits count");
  Order order(entries.size());
  std::iota(order.begin(), order.end(), 0u);
  const auto before = [&](std::uint32_t a, std::uint32_t b) { return entries[a].path < entries[b].path; };
  // Writers and walks mostly come in order already.
  if (!std::is_sorted(order.begin(), order.end(), before)) std::sort(order.begin(), order.end(), before);
  for (std::size_t i = 1; i < order.size(); ++i) MICA_ASSERT(entries[order[i - 1]].path != entries[order[i]].path, "paths are unique");
  return order;
}

std::uint32_t root_of(Order& parents, std::uint32_t at) {
  while (parents[at] != at) at = parents[at] = parents[parents[at]];
  return at;
}

/// For each place in the order, the place of the first of its hard-link group (itself when alone).
Order firsts(const std::vector<Entry>& entries, const Order& order) {
  Order first(order.size());
  std::iota(first.begin(), first.end(), 0u);
  for (std::uint32_t place = 0; place < order.size(); ++place) {
    const std::string& target = entries[order[place]].hard_link;
    if (target.empty()) continue;
    const auto found = std::lower_bound(order.begin(), order.end(), target,
                                        [&](std::uint32_t index, const std::string& path) { return entries[index].path < path; });
    MICA_ASSERT(found != order.end() && entries[*found].path == target, "a hard link names an entry of its layer");
    const std::uint32_t a = root_of(first, place), b = root_of(first, static_cast<std::uint32_t>(found - order.begin()));
    first[std::max(a, b)] = std::min(a, b);
  }
  for (std::uint32_t place = 0; place < order.size(); ++place) first[place] = root_of(first, place);
  return first;
}

}  // namespace

Listing Listing::build(std::vector<Entry> entries) {
  // A whiteout says nothing but its path, whatever the thing that stands for it on disk looks like.
  for (Entry& entry : entries)
    if (entry.type == Type::whiteout) entry = Entry{.path = std::move(entry.path), .type = Type::whiteout};
  const Order order = sorted_order(entries);
  const Order first = firsts(entries, order);
  ListingHeader header{};
  std::memcpy(header.magic, kListingMagic, sizeof kListingMagic);
  header.version = kListingVersion;
  header.header_bytes = sizeof header;
  header.record_bytes = sizeof(ListingRecord);
  header.entries = entries.size();
  for (const Entry& entry : entries) header.string_bytes += entry.path.size() + entry.link.size() + entry.xattrs.size();

  auto data = std::make_shared<Data>();
  std::string& bytes = data->owned;
  bytes.reserve(sizeof header + entries.size() * sizeof(ListingRecord) + header.string_bytes);
  bytes.resize(sizeof header);
  std::uint64_t strings = 0;
  for (std::uint32_t place = 0; place < order.size(); ++place) {
    const Entry& entry = entries[order[place]];
    ListingRecord record{};
    record.strings = strings;
    record.path_bytes = static_cast<std::uint32_t>(entry.path.size());
    record.link_bytes = static_cast<std::uint32_t>(entry.link.size());
    record.xattr_bytes = static_cast<std::uint32_t>(entry.xattrs.size());
    record.first = first[place] == place ? 0 : first[place] + 1;
    record.mode = static_cast<std::uint16_t>(entry.mode & 07777u);
    record.type = static_cast<std::uint8_t>(entry.type);
    record.flags = entry.opaque ? kOpaqueFlag : 0;
    record.uid = entry.uid;
    record.gid = entry.gid;
    record.size = entry.size;
    record.mtime_ns = entry.mtime_ns;
    record.device = entry.device;
    record.digest = entry.digest;
    bytes.append(reinterpret_cast<const char*>(&record), sizeof record);
    strings += entry.path.size() + entry.link.size() + entry.xattrs.size();
    if (entry.opaque) ++header.opaque_folders;
    if (entry.type == Type::file && record.first == 0) header.file_bytes += entry.size;
  }
  for (const std::uint32_t index : order) {
    bytes += entries[index].path;
    bytes += entries[index].link;
    bytes += entries[index].xattrs;
  }
  header.body_digest = sha256(std::string_view(bytes).substr(sizeof header));
  header.header_digest = header_digest(header);
  std::memcpy(bytes.data(), &header, sizeof header);
  const auto adopted = data->adopt(bytes);
  MICA_ASSERT(adopted, "what is built here is well-formed");
  return Listing(std::move(data));
}

Result<> Listing::save(const std::string& path) const {
  if (!data_) return build({}).save(path);
  return sys::write_file(path, data_->bytes);
}

}  // namespace mica::snapshot
