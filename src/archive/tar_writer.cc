#include <algorithm>
#include <cstring>

#include "archive/pax.h"
#include "archive/tar.h"
#include "archive/tar_format.h"
#include "base/format.h"

namespace mica::archive {
namespace {

constexpr std::uint64_t kMaxId = 07777777;           // seven octal digits
constexpr std::uint64_t kMaxNumber = 077777777777;   // eleven
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::size_t kBuffered = 128 << 10;

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

char type_flag(EntryType type) {
  switch (type) {
    case EntryType::file: return '0';
    case EntryType::hard_link: return '1';
    case EntryType::symlink: return '2';
    case EntryType::char_device: return '3';
    case EntryType::block_device: return '4';
    case EntryType::directory: return '5';
    case EntryType::fifo: return '6';
  }
  return '0';
}

/// As many bytes of `text` as fit, non-ASCII ones left out: only old readers look at it when a PAX record says more.
void put_text(Block& block, Field field, std::string_view text) {
  std::size_t n = 0;
  for (const char c : text) {
    if (n == field.size) break;
    if (static_cast<unsigned char>(c) < 0x80) block[field.offset + n++] = c;
  }
  // A cut name must not look like a folder.
  if (text.size() > field.size)
    while (n > 0 && block[field.offset + n - 1] == '/') block[field.offset + --n] = 0;
}

/// All digits but one, then NUL. What does not fit is 0: a PAX record holds it.
void put_octal(Block& block, Field field, std::uint64_t value) {
  const std::size_t digits = field.size - 1;
  if (value >> (3 * digits)) value = 0;
  for (std::size_t i = digits; i-- > 0; value >>= 3) block[field.offset + i] = static_cast<char>('0' + (value & 7));
}

void put_checksum(Block& block) {
  std::uint32_t sum = checksum(block);
  for (std::size_t i = 6; i-- > 0; sum >>= 3) block[kChecksum.offset + i] = static_cast<char>('0' + (sum & 7));
  block[kChecksum.offset + 6] = 0;
  block[kChecksum.offset + 7] = ' ';
}

void put_magic(Block& block) { std::memcpy(block.data() + kMagic.offset, "ustar\00000", kMagic.size); }

/// Where a long name is cut into prefix and name; 0 when it cannot be.
std::size_t split_point(std::string_view path) {
  if (path.size() <= kName.size || !is_ascii(path)) return 0;
  std::size_t length = std::min(path.size(), kPrefix.size + 1);
  if (length == path.size() && path.ends_with('/')) --length;
  const std::size_t slash = path.substr(0, length).rfind('/');
  if (slash == path.npos || slash == 0) return 0;
  const std::size_t name = path.size() - slash - 1;
  return name > 0 && name <= kName.size ? slash : 0;
}

std::string pax_name(std::string_view path) {
  while (path.ends_with('/')) path.remove_suffix(1);
  const auto slash = path.rfind('/');
  if (slash == path.npos) return format("PaxHeaders.0/{}", path);
  return format("{}/PaxHeaders.0/{}", path.substr(0, slash), path.substr(slash + 1));
}

Result<> check_text(const Entry& entry, std::string_view what, std::string_view text) {
  if (text.find('\0') == text.npos) return {};
  return failf(Errc::invalid_argument, "tar entry {}: {} holds a NUL byte", quoted(entry.path), what);
}

}  // namespace

struct TarWriter::Impl {
  explicit Impl(stream::Sink& sink) : to(sink) { buffer.reserve(kBuffered + 2 * kBlock); }

  stream::Sink& to;
  std::string buffer;
  std::uint64_t remaining = 0;  // of the current entry
  std::uint64_t pad = 0;
  std::string path;

  Result<> flush() {
    if (buffer.empty()) return {};
    TRY(to.write({reinterpret_cast<const unsigned char*>(buffer.data()), buffer.size()}));
    buffer.clear();
    return {};
  }
  Result<> put(std::string_view bytes) {
    const bool large = bytes.size() >= kBuffered / 2;
    if (large || buffer.size() + bytes.size() > kBuffered) TRY(flush());
    if (large) return to.write({reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()});
    buffer.append(bytes);
    return {};
  }
  Result<> close_entry() {
    if (remaining > 0) return failf(Errc::conflict, "tar entry {}: {} bytes fewer than announced", quoted(path), remaining);
    buffer.append(pad, '\0');
    pad = 0;
    return {};
  }
  Result<> put_pax(std::string_view name, std::string_view records) {
    Block block{};
    put_text(block, kName, name);
    for (const Field field : {kMode, kUid, kGid, kMtime}) put_octal(block, field, 0);
    put_octal(block, kSize, records.size());
    block[kType.offset] = 'x';
    put_magic(block);
    put_checksum(block);
    TRY(put({block.data(), block.size()}));
    TRY(put(records));
    buffer.append(padding(records.size()), '\0');
    return {};
  }
};

TarWriter::TarWriter(stream::Sink& to) : impl_(std::make_unique<Impl>(to)) {}
TarWriter::~TarWriter() = default;

Result<> TarWriter::add(const Entry& entry) {
  Impl& self = *impl_;
  TRY(self.close_entry());
  TRY(check_text(entry, "the name", entry.path));
  TRY(check_text(entry, "the link target", entry.link));
  std::string path = entry.path.empty() ? "." : entry.path;
  if (entry.type == EntryType::directory) path += '/';
  const bool is_link = entry.type == EntryType::hard_link || entry.type == EntryType::symlink;
  const bool is_device = entry.type == EntryType::char_device || entry.type == EntryType::block_device;
  const std::uint64_t size = entry.type == EntryType::file ? entry.size : 0;
  const bool has_fraction = entry.mtime_ns % kSecond != 0;
  const std::int64_t seconds = entry.mtime_ns / kSecond - (has_fraction && entry.mtime_ns < 0);

  // In the order of their keys, as the records must be: SCHILY before gid before linkpath.
  std::string records;
  for (const auto& [name, value] : entry.xattrs) {
    if (name.empty() || name.find_first_of(std::string_view("=\0", 2)) != name.npos)
      return failf(Errc::invalid_argument, "tar entry {}: extended attribute name {}", quoted(entry.path), quoted(name));
    append_pax(records, "SCHILY.xattr." + name, value);
  }
  if (entry.gid > kMaxId) append_pax(records, "gid", std::to_string(entry.gid));
  if (is_link && (entry.link.size() > kLink.size || !is_ascii(entry.link))) append_pax(records, "linkpath", entry.link);
  if (has_fraction || seconds < 0 || static_cast<std::uint64_t>(seconds) > kMaxNumber)
    append_pax(records, "mtime", pax_time(entry.mtime_ns));
  const std::size_t split = split_point(path);
  if (!is_ascii(path) || (path.size() > kName.size && split == 0)) append_pax(records, "path", path);
  if (size > kMaxNumber) append_pax(records, "size", std::to_string(size));
  if (entry.uid > kMaxId) append_pax(records, "uid", std::to_string(entry.uid));
  if (!records.empty()) TRY(self.put_pax(pax_name(path), records));

  Block block{};
  if (split > 0) {
    put_text(block, kPrefix, std::string_view(path).substr(0, split));
    put_text(block, kName, std::string_view(path).substr(split + 1));
  } else {
    put_text(block, kName, path);
  }
  put_octal(block, kMode, entry.mode & 07777);
  put_octal(block, kUid, entry.uid);
  put_octal(block, kGid, entry.gid);
  put_octal(block, kSize, size);
  put_octal(block, kMtime, seconds < 0 ? 0 : static_cast<std::uint64_t>(seconds));
  block[kType.offset] = type_flag(entry.type);
  if (is_link) put_text(block, kLink, entry.link);
  put_magic(block);
  if (is_device && (entry.device_major > kMaxId || entry.device_minor > kMaxId))
    return failf(Errc::unsupported, "tar entry {}: device number {}:{} is too large", quoted(entry.path), entry.device_major, entry.device_minor);
  put_octal(block, kMajor, is_device ? entry.device_major : 0);
  put_octal(block, kMinor, is_device ? entry.device_minor : 0);
  put_checksum(block);
  TRY(self.put({block.data(), block.size()}));
  self.remaining = size;
  self.pad = padding(size);
  self.path = entry.path;
  return {};
}

Result<> TarWriter::write(std::span<const unsigned char> bytes) {
  if (bytes.size() > impl_->remaining)
    return failf(Errc::conflict, "tar entry {}: more bytes than announced", quoted(impl_->path));
  impl_->remaining -= bytes.size();
  return impl_->put({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

Result<> TarWriter::finish() {
  TRY(impl_->close_entry());
  impl_->buffer.append(2 * kBlock, '\0');
  return impl_->flush();
}

}  // namespace mica::archive
