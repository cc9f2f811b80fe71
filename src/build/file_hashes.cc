#include "build/file_hashes.h"

#include <bit>
#include <cstring>

#include "base/time.h"

namespace mica::build {
namespace {

// docs/formats/file-hashes.md
constexpr std::string_view kMagic = "mfh1";
constexpr std::size_t kHeaderBytes = 40;
constexpr std::size_t kRecordBytes = 70;  // and the strings

constexpr std::int64_t kSecondNs = 1'000'000'000;
constexpr std::int64_t kDayNs = 86'400 * kSecondNs;
/// Kernel times may lag the clock by one tick (10 ms at the slowest, 100 Hz), here doubled for safety. A file system that knows
/// whole seconds only, or every second one, shows it by its ctime; of mtime the same is assumed.
constexpr std::int64_t kTickNs = 20'000'000, kCoarseNs = 2 * kSecondNs;

static_assert(std::endian::native == std::endian::little, "the format's numbers are little-endian");

template <class T>
void append(std::string& to, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  to.append(bytes, sizeof value);
}

template <class T>
T take(std::string_view& from) {
  T value;
  std::memcpy(&value, from.data(), sizeof value);
  from.remove_prefix(sizeof value);
  return value;
}

std::string_view as_text(const Sha256Bytes& digest) { return {reinterpret_cast<const char*>(digest.data()), digest.size()}; }

std::string pack(const std::vector<RememberedFile>& files) {
  std::string body;
  std::size_t size = 0;
  for (const RememberedFile& file : files) size += kRecordBytes + file.name.size() + file.xattrs.size();
  body.reserve(size);
  for (const RememberedFile& file : files) {
    append(body, file.stamp.inode);
    append(body, file.stamp.size);
    append(body, file.stamp.mtime_ns);
    append(body, file.stamp.ctime_ns);
    body += as_text(file.digest);
    append(body, static_cast<std::uint16_t>(file.name.size()));
    append(body, static_cast<std::uint32_t>(file.xattrs.size()));
    body += file.name;
    body += file.xattrs;
  }
  std::string bytes(kMagic);
  append(bytes, static_cast<std::uint32_t>(files.size()));
  bytes += as_text(sha256(body));
  return bytes += body;
}

/// What is damaged is forgotten: a wrong digest would be believed.
std::vector<RememberedFile> unpack(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes || !bytes.starts_with(kMagic)) return {};
  bytes.remove_prefix(kMagic.size());
  const auto count = take<std::uint32_t>(bytes);
  const std::string_view check = bytes.substr(0, 32);
  bytes.remove_prefix(check.size());
  if (as_text(sha256(bytes)) != check || bytes.size() / kRecordBytes < count) return {};
  std::vector<RememberedFile> files(count);
  for (std::size_t i = 0; i < files.size(); ++i) {
    RememberedFile& file = files[i];
    if (bytes.size() < kRecordBytes) return {};
    file.stamp.inode = take<std::uint64_t>(bytes);
    file.stamp.size = take<std::uint64_t>(bytes);
    file.stamp.mtime_ns = take<std::int64_t>(bytes);
    file.stamp.ctime_ns = take<std::int64_t>(bytes);
    file.digest = take<Sha256Bytes>(bytes);
    const std::size_t name = take<std::uint16_t>(bytes);
    const std::size_t xattrs = take<std::uint32_t>(bytes);
    if (bytes.size() < name + xattrs) return {};
    file.name = bytes.substr(0, name);
    file.xattrs = bytes.substr(name, xattrs);
    bytes.remove_prefix(name + xattrs);
    if (i > 0 && files[i - 1].name >= file.name) return {};
  }
  return bytes.empty() ? std::move(files) : std::vector<RememberedFile>();
}

db::Statement& bind(db::Statement& statement, const FolderId& folder) {
  return statement.bind(static_cast<std::int64_t>(folder.device)).bind(static_cast<std::int64_t>(folder.inode));
}

}  // namespace

Result<std::vector<RememberedFile>> FileHashes::load(const FolderId& folder) {
  std::string bytes;
  std::int64_t used_ns = 0;
  {
    auto database = database_.lock();
    auto row = TRY(database->prepare("SELECT files, used_ns FROM file_hash WHERE device = ? AND folder = ?"));
    const bool found = TRY(bind(row, folder).step());
    if (!found) return std::vector<RememberedFile>();
    bytes = row.text(0);
    used_ns = row.integer(1);
  }
  if (now().ns - used_ns > kDayNs) stale_.lock()->push_back(folder);
  return unpack(bytes);
}

Result<> FileHashes::save(const std::vector<std::pair<FolderId, std::vector<RememberedFile>>>& folders) {
  if (folders.empty()) return {};
  const std::int64_t time = now().ns;
  auto database = database_.lock();
  if (database->read_only()) return {};
  auto transaction = TRY(database->begin());
  auto insert = TRY(database->prepare("INSERT OR REPLACE INTO file_hash(device, folder, used_ns, files) VALUES (?, ?, ?, ?)"));
  for (const auto& [folder, files] : folders) TRY(bind(insert.reset(), folder).bind(time).bind_blob(pack(files)).run());
  return std::move(transaction).commit();
}

Result<> FileHashes::refresh() {
  const std::vector<FolderId> folders = std::exchange(*stale_.lock(), {});
  if (folders.empty()) return {};
  const std::int64_t time = now().ns;
  auto database = database_.lock();
  if (database->read_only()) return {};
  auto transaction = TRY(database->begin());
  auto update = TRY(database->prepare("UPDATE file_hash SET used_ns = ? WHERE device = ? AND folder = ?"));
  for (const FolderId& folder : folders) TRY(bind(update.reset().bind(time), folder).run());
  return std::move(transaction).commit();
}

Result<std::int64_t> FileHashes::forget(int days) {
  auto database = database_.lock();
  auto remove = TRY(database->prepare("DELETE FROM file_hash WHERE used_ns < ?"));
  TRY(remove.bind(now().ns - days * kDayNs).run());
  return std::int64_t{database->changes()};
}

bool is_settled(const FileStamp& stamp, std::int64_t now_ns) {
  const std::int64_t margin = stamp.ctime_ns % kSecondNs == 0 ? kCoarseNs : kTickNs;
  return stamp.mtime_ns <= now_ns - margin && stamp.ctime_ns <= now_ns - margin;
}

}  // namespace mica::build
