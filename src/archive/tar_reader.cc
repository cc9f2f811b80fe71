#include <algorithm>
#include <cstring>

#include "archive/pax.h"
#include "archive/sparse.h"
#include "archive/tar.h"
#include "archive/tar_format.h"
#include "base/format.h"
#include "base/text.h"

namespace mica::archive {
namespace {

constexpr std::size_t kMaxName = 64 << 10;
constexpr std::size_t kMaxPax = 8 << 20;
constexpr std::size_t kMaxXattrs = 1 << 20;
constexpr std::size_t kBuffered = 128 << 10;
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::string_view kXattr = "SCHILY.xattr.";

std::unexpected<Error> corrupt(std::string_view why) { return failf(Errc::corrupt, "reading tar: {}", why); }

/// A number that a header must have; `what` for the error.
Result<std::uint64_t> natural(const Block& block, Field field, std::string_view what) {
  const auto value = number(raw(block, field));
  if (!value || *value < 0) return corrupt(format("bad {} {}", what, quoted(raw(block, field))));
  return static_cast<std::uint64_t>(*value);
}

Result<std::uint64_t> natural(std::string_view text, std::string_view what) {
  const auto value = parse_int(text);
  if (!value || *value < 0) return corrupt(format("bad {} {}", what, quoted(text.substr(0, 100))));
  return static_cast<std::uint64_t>(*value);
}

/// Seconds to nanoseconds, clamped.
std::int64_t nanoseconds(std::int64_t seconds) {
  constexpr std::int64_t kMost = INT64_MAX / kSecond;
  if (seconds > kMost) return INT64_MAX;
  return seconds < -kMost ? INT64_MIN : seconds * kSecond;
}

/// What extended headers say about the next entry.
struct Extension {
  std::string long_name, long_link;  // GNU
  PaxRecords records;

  const std::string* find(std::string_view key) const {
    const auto found = std::find_if(records.rbegin(), records.rend(), [&](const auto& record) { return record.first == key; });
    return found == records.rend() || found->second.empty() ? nullptr : &found->second;
  }
};

}  // namespace

struct TarReader::Impl : public stream::Source {
  explicit Impl(stream::Source& source) : from(source), buffer(kBuffered) {}

  stream::Source& from;
  std::vector<unsigned char> buffer;
  std::size_t begin = 0, end = 0;
  PaxRecords global;
  bool at_end = false;

  // The current entry: bytes of it still in the archive, and then its padding.
  std::uint64_t stored = 0, pad = 0;
  std::optional<SparseMap> sparse;
  std::size_t part = 0;        // of the sparse map
  std::uint64_t position = 0;  // in the expanded file
  bool has_data = false;

  Result<std::size_t> read_some(std::span<unsigned char> into) {
    if (begin == end) {
      if (into.size() >= buffer.size()) return from.read(into);
      begin = 0;
      end = 0;
      end = TRY(from.read(buffer));
    }
    const std::size_t n = std::min(into.size(), end - begin);
    if (n) std::memcpy(into.data(), buffer.data() + begin, n);
    begin += n;
    return n;
  }
  Result<std::size_t> read_full(std::span<unsigned char> into) {
    std::size_t filled = 0;
    while (filled < into.size()) {
      const std::size_t n = TRY(read_some(into.subspan(filled)));
      if (n == 0) break;
      filled += n;
    }
    return filled;
  }
  /// False at the end of the stream.
  Result<bool> read_block(Block& block) {
    const std::size_t n = TRY(read_full({reinterpret_cast<unsigned char*>(block.data()), block.size()}));
    if (n == 0) return false;
    if (n < block.size()) return corrupt("unexpected end of the archive");
    return true;
  }
  Result<> must_read_block(Block& block) {
    const bool more = TRY(read_block(block));
    if (!more) return corrupt("unexpected end of the archive");
    return {};
  }
  Result<> skip(std::uint64_t count) {
    while (count > 0) {
      if (begin == end) {
        begin = end = 0;
        end = TRY(from.read(buffer));
        if (end == 0) return corrupt("unexpected end of the archive");
      }
      const std::uint64_t n = std::min<std::uint64_t>(count, end - begin);
      begin += n;
      count -= n;
    }
    return {};
  }
  Result<std::string> payload(std::uint64_t size, std::size_t limit, std::string_view what) {
    if (size > limit) return corrupt(format("{} of {} bytes is larger than {}", what, size, limit));
    std::string bytes(size, '\0');
    const std::size_t n = TRY(read_full({reinterpret_cast<unsigned char*>(bytes.data()), bytes.size()}));
    if (n < size) return corrupt("unexpected end of the archive");
    TRY(skip(padding(size)));
    return bytes;
  }

  Result<std::size_t> read(std::span<unsigned char> into) override {
    if (!has_data || into.empty()) return 0;
    if (sparse) return read_sparse(into);
    return read_stored(into);
  }
  Result<std::size_t> read_stored(std::span<unsigned char> into) {
    if (stored == 0) return 0;
    const std::size_t n = TRY(read_some(into.first(std::min<std::uint64_t>(into.size(), stored))));
    if (n == 0) return corrupt("unexpected end of the archive");
    stored -= n;
    return n;
  }
  Result<std::size_t> read_sparse(std::span<unsigned char> into) {
    const auto& parts = sparse->parts;
    while (part < parts.size() && position == parts[part].offset + parts[part].size) ++part;
    const std::uint64_t stop = part < parts.size() ? parts[part].offset : sparse->real_size;
    if (position < stop) {
      const std::size_t n = std::min<std::uint64_t>(into.size(), stop - position);
      std::memset(into.data(), 0, n);
      position += n;
      return n;
    }
    if (part == parts.size()) return 0;
    const std::uint64_t left = parts[part].offset + parts[part].size - position;
    const std::size_t n = TRY(read_stored(into.first(std::min<std::uint64_t>(into.size(), left))));
    position += n;
    return n;
  }

  Result<std::optional<Entry>> next_entry();
  Result<bool> next_header(Block& block, Extension& extension);
  Result<Entry> entry_of(const Block& block, const Extension& extension);
  Result<> apply_records(Entry& entry, const Extension& extension);
  Result<> open_sparse(const Block& block, const Extension& extension, Entry& entry);
  Result<SparseMap> old_sparse_map(Block block);
  Result<SparseMap> sparse_map_of_data(std::uint64_t real_size);
};

/// Reads up to the header of an entry, gathering the extended headers before it. False at the end of the archive.
Result<bool> TarReader::Impl::next_header(Block& block, Extension& extension) {
  bool extended = false;
  while (true) {
    const bool more = TRY(read_block(block));
    if (!more && extended) return corrupt("the archive ends after an extended header");
    if (!more) return false;
    if (is_zero(block)) {
      const bool second = TRY(read_block(block));
      if (second && !is_zero(block)) return corrupt("a lone zero block between entries");
      if (extended) return corrupt("the archive ends after an extended header");
      return false;
    }
    if (!checksum_matches(block)) return corrupt("header checksum mismatch (not a tar archive, or damaged)");
    const char type = block[kType.offset];
    if (std::string_view("xXgLKV").find(type) == std::string_view::npos) return true;
    const std::uint64_t size = TRY(natural(block, kSize, "size"));
    if (type == 'V') {  // the label of the archive
      TRY(skip(size + padding(size)));
      continue;
    }
    extended = extended || type != 'g';
    if (type == 'L' || type == 'K') {
      const std::string bytes = TRY(payload(size, kMaxName + 1, "name"));
      (type == 'L' ? extension.long_name : extension.long_link) = bytes.substr(0, bytes.find('\0'));
      continue;
    }
    const std::string bytes = TRY(payload(size, kMaxPax, "PAX header"));
    PaxRecords records = TRY_DOING(parse_pax(bytes), "reading tar");
    if (type != 'g') {
      extension.records = std::move(records);
      continue;
    }
    for (auto& [key, value] : records) {
      // What names or measures a single entry has no meaning for all of them.
      if (key == "path" || key == "linkpath" || key == "size" || key.starts_with("GNU.sparse.")) continue;
      std::erase_if(global, [&](const auto& record) { return record.first == key; });
      if (global.size() < 1000) global.emplace_back(std::move(key), std::move(value));
    }
  }
}

Result<Entry> TarReader::Impl::entry_of(const Block& block, const Extension& extension) {
  Entry entry;
  const Dialect kind = dialect(block);
  entry.path = text(block, kName);
  entry.link = text(block, kLink);
  if (kind == Dialect::ustar && block[kPrefix.offset] != 0) entry.path = format("{}/{}", text(block, kPrefix), entry.path);
  if (!extension.long_name.empty()) entry.path = extension.long_name;
  if (!extension.long_link.empty()) entry.link = extension.long_link;
  const std::uint64_t mode = TRY(natural(block, kMode, "mode"));
  entry.mode = static_cast<std::uint32_t>(mode & 07777);
  entry.uid = TRY(natural(block, kUid, "uid"));
  entry.gid = TRY(natural(block, kGid, "gid"));
  entry.size = TRY(natural(block, kSize, "size"));
  const auto mtime = number(raw(block, kMtime));
  if (!mtime) return corrupt("bad mtime");
  entry.mtime_ns = nanoseconds(*mtime);
  if (kind != Dialect::v7) {
    entry.user_name = text(block, kUserName);
    entry.group_name = text(block, kGroupName);
  }
  TRY(apply_records(entry, extension));

  switch (const char type = block[kType.offset]) {
    case '0':
    case '\0':
    case '7':
    case 'S': entry.type = entry.path.ends_with('/') ? EntryType::directory : EntryType::file; break;
    case '1': entry.type = EntryType::hard_link; break;
    case '2': entry.type = EntryType::symlink; break;
    case '3': entry.type = EntryType::char_device; break;
    case '4': entry.type = EntryType::block_device; break;
    case '5':
    case 'D': entry.type = EntryType::directory; break;
    case '6': entry.type = EntryType::fifo; break;
    default:
      return failf(Errc::unsupported, "reading tar: entry {} has the unknown type {}", quoted(entry.path.substr(0, 200)),
                   quoted(std::string_view(&type, 1)));
  }
  if (entry.type == EntryType::char_device || entry.type == EntryType::block_device) {
    const std::uint64_t major = TRY(natural(block, kMajor, "device number"));
    const std::uint64_t minor = TRY(natural(block, kMinor, "device number"));
    if (major > UINT32_MAX || minor > UINT32_MAX) return corrupt("bad device number");
    entry.device_major = static_cast<std::uint32_t>(major);
    entry.device_minor = static_cast<std::uint32_t>(minor);
  }
  return entry;
}

Result<> TarReader::Impl::apply_records(Entry& entry, const Extension& extension) {
  const Extension defaults{.records = global};
  const auto find = [&](std::string_view key) {
    const std::string* own = extension.find(key);
    return own ? own : defaults.find(key);
  };
  if (const auto* value = find("path")) entry.path = *value;
  if (const auto* value = find("linkpath")) entry.link = *value;
  if (const auto* value = find("uname")) entry.user_name = *value;
  if (const auto* value = find("gname")) entry.group_name = *value;
  if (const auto* value = find("size")) entry.size = TRY(natural(*value, "size"));
  if (const auto* value = find("uid")) entry.uid = TRY(natural(*value, "uid"));
  if (const auto* value = find("gid")) entry.gid = TRY(natural(*value, "gid"));
  if (const auto* value = find("mtime")) entry.mtime_ns = TRY_DOING(parse_pax_time(*value), "reading tar");
  if (const auto* value = find("GNU.sparse.name")) entry.path = *value;
  if (entry.path.size() > kMaxName || entry.link.size() > kMaxName) return corrupt("a name is longer than 64 KiB");

  std::size_t xattr_bytes = 0;
  for (const PaxRecords* records : {&defaults.records, &extension.records})
    for (const auto& [key, value] : *records) {
      if (!key.starts_with(kXattr) || key.size() == kXattr.size()) continue;
      xattr_bytes += key.size() + value.size();
      if (xattr_bytes > kMaxXattrs) return corrupt("extended attributes of more than 1 MiB");
      entry.xattrs.emplace_back(key.substr(kXattr.size()), value);
    }
  // Of equal names the last one counts: stable order, then the last of each run.
  std::ranges::stable_sort(entry.xattrs, {}, &std::pair<std::string, std::string>::first);
  std::vector<std::pair<std::string, std::string>> unique;
  for (auto& attribute : entry.xattrs) {
    if (!unique.empty() && unique.back().first == attribute.first) unique.pop_back();
    unique.push_back(std::move(attribute));
  }
  entry.xattrs = std::move(unique);
  return {};
}

Result<SparseMap> TarReader::Impl::old_sparse_map(Block block) {
  constexpr std::size_t kPartBytes = 24, kNumber = 12, kMoreParts = 21, kMoreFlag = 504;
  SparseMap map;
  map.real_size = TRY(natural(block, kRealSize, "size of a sparse file"));
  std::size_t offset = kSparseMap.offset, count = kSparseMap.size / kPartBytes, more = kSparseMore.offset;
  while (true) {
    for (std::size_t i = 0; i < count; ++i, offset += kPartBytes) {
      if (block[offset] == 0) break;
      SparsePart next;
      next.offset = TRY(natural(block, {offset, kNumber}, "sparse map"));
      next.size = TRY(natural(block, {offset + kNumber, kNumber}, "sparse map"));
      map.parts.push_back(next);
    }
    if (map.parts.size() > kMaxSparseParts) return corrupt("sparse map with too many parts");
    if (block[more] == 0) return map;
    TRY(must_read_block(block));
    offset = 0;
    count = kMoreParts;
    more = kMoreFlag;
  }
}

/// PAX 1.0: decimal numbers, one a line, in front of the data and padded to a block.
Result<SparseMap> TarReader::Impl::sparse_map_of_data(std::uint64_t real_size) {
  SparseMap map{.real_size = real_size};
  std::vector<std::uint64_t> numbers;
  std::string line;
  std::uint64_t wanted = 1;
  while (numbers.size() < wanted) {
    Block block;
    if (stored < kBlock) return corrupt("sparse map longer than its file");
    TRY(must_read_block(block));
    stored -= kBlock;
    for (const char c : block) {
      if (c != '\n') {
        line += c;
        if (line.size() > 20) return corrupt("bad number in a sparse map");
        continue;
      }
      const std::uint64_t value = TRY(natural(line, "number in a sparse map"));
      numbers.push_back(value);
      line.clear();
      if (numbers.size() == 1) {
        if (value > kMaxSparseParts) return corrupt("sparse map with too many parts");
        wanted = 1 + 2 * value;
      }
      if (numbers.size() == wanted) break;
    }
  }
  for (std::size_t i = 1; i < numbers.size(); i += 2) map.parts.push_back({numbers[i], numbers[i + 1]});
  return map;
}

Result<> TarReader::Impl::open_sparse(const Block& block, const Extension& extension, Entry& entry) {
  const auto says = [&](std::string_view key, std::string_view value) {
    const std::string* found = extension.find(key);
    return found && *found == value;
  };
  if (block[kType.offset] == 'S') {
    sparse = TRY(old_sparse_map(block));
  } else {
    sparse = TRY_DOING(sparse_of_records(extension.records), "reading tar");
    if (says("GNU.sparse.major", "1") && says("GNU.sparse.minor", "0")) {
      if (!sparse) return corrupt("sparse file without its size");
      sparse = TRY(sparse_map_of_data(sparse->real_size));
    }
  }
  if (!sparse) return {};
  TRY_DOING(check_sparse(*sparse, stored), "reading tar");
  entry.size = sparse->real_size;
  part = 0;
  position = 0;
  return {};
}

Result<std::optional<Entry>> TarReader::Impl::next_entry() {
  if (at_end) return std::nullopt;
  TRY(skip(stored));
  stored = 0;
  TRY(skip(pad));
  pad = 0;
  has_data = false;
  sparse.reset();
  Block block;
  Extension extension;
  const bool more = TRY(next_header(block, extension));
  if (!more) {
    at_end = true;
    return std::nullopt;
  }
  Entry entry = TRY(entry_of(block, extension));
  // Only files have data, whatever their size field says; a folder written as a file may bring some to be skipped.
  const bool as_file = std::string_view("0\0007SD", 5).find(block[kType.offset]) != std::string_view::npos;
  if (as_file) {
    stored = entry.size;
    pad = padding(entry.size);
  }
  has_data = entry.type == EntryType::file;
  if (has_data || block[kType.offset] == 'S') TRY(open_sparse(block, extension, entry));
  if (!has_data) entry.size = 0;
  return entry;
}

TarReader::TarReader(stream::Source& from) : impl_(std::make_unique<Impl>(from)) {}
TarReader::~TarReader() = default;

Result<std::optional<Entry>> TarReader::next() { return impl_->next_entry(); }

stream::Source& TarReader::data() { return *impl_; }

Result<> TarReader::drain() {
  impl_->at_end = true;
  impl_->has_data = false;
  impl_->begin = impl_->end = 0;
  while (true) {
    const std::size_t n = TRY(impl_->from.read(impl_->buffer));
    if (n == 0) return {};
  }
}

}  // namespace mica::archive
