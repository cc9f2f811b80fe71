#include "build/file_hashes.h"

#include <cstring>

#include "base/time.h"

namespace mica::build {
namespace {

// docs/formats/file-hashes.md: the bytes of one row.
constexpr std::string_view kMagic = "mfh1";
constexpr std::size_t kFixedBytes = 2 + 4 * 8 + 32;
/// A kernel timestamp may lag the clock by one tick: 10 ms at HZ=100, and some file systems keep whole seconds or two.
constexpr std::int64_t kTickNs = 20'000'000, kCoarseNs = 2'000'000'000;
constexpr std::int64_t kDayNs = std::int64_t{86'400} * 1'000'000'000;

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

std::string pack(const std::vector<RememberedFile>& files) {
  std::string bytes(kMagic);
  bytes.reserve(files.size() * (kFixedBytes + 16));
  for (const auto& file : files) {
    append(bytes, static_cast<std::uint16_t>(file.name.size()));
    append(bytes, file.stamp.inode);
    append(bytes, file.stamp.size);
    append(bytes, file.stamp.mtime_ns);
    append(bytes, file.stamp.ctime_ns);
    bytes.append(reinterpret_cast<const char*>(file.digest.data()), file.digest.size());
    bytes += file.name;
  }
  return bytes;
}

/// What is damaged is only forgotten.
std::vector<RememberedFile> unpack(std::string_view bytes) {
  std::vector<RememberedFile> files;
  if (!bytes.starts_with(kMagic)) return files;
  bytes.remove_prefix(kMagic.size());
  while (bytes.size() >= kFixedBytes) {
    RememberedFile file;
    const auto length = take<std::uint16_t>(bytes);
    file.stamp.inode = take<std::uint64_t>(bytes);
    file.stamp.size = take<std::uint64_t>(bytes);
    file.stamp.mtime_ns = take<std::int64_t>(bytes);
    file.stamp.ctime_ns = take<std::int64_t>(bytes);
    std::memcpy(file.digest.data(), bytes.data(), file.digest.size());
    bytes.remove_prefix(file.digest.size());
    if (bytes.size() < length) return {};
    file.name = bytes.substr(0, length);
    bytes.remove_prefix(length);
    if (!files.empty() && files.back().name >= file.name) return {};
    files.push_back(std::move(file));
  }
  return bytes.empty() ? files : std::vector<RememberedFile>();
}

}  // namespace

Result<std::vector<RememberedFile>> FileHashes::load(const FolderId& folder) {
  auto database = database_.lock();
  auto row = TRY(database->prepare("SELECT files, used_ns FROM file_hash WHERE device = ? AND folder = ?"));
  row.bind(static_cast<std::int64_t>(folder.device)).bind(static_cast<std::int64_t>(folder.inode));
  const bool found = TRY(row.step());
  if (!found) return std::vector<RememberedFile>();
  auto files = unpack(row.text(0));
  const std::int64_t time = now().ns;
  if (time - row.integer(1) > kDayNs && !database->read_only()) {   // once a day is enough to know that it is in use
    auto used = TRY(database->prepare("UPDATE file_hash SET used_ns = ? WHERE device = ? AND folder = ?"));
    TRY(used.bind(time).bind(static_cast<std::int64_t>(folder.device)).bind(static_cast<std::int64_t>(folder.inode)).run());
  }
  return files;
}

Result<> FileHashes::save(const std::vector<std::pair<FolderId, std::vector<RememberedFile>>>& folders) {
  auto database = database_.lock();
  if (folders.empty() || database->read_only()) return {};
  auto transaction = TRY(database->begin());
  auto insert = TRY(database->prepare("INSERT OR REPLACE INTO file_hash(device, folder, used_ns, files) VALUES (?, ?, ?, ?)"));
  const std::int64_t time = now().ns;
  for (const auto& [id, files] : folders)
    TRY(insert.reset().bind(static_cast<std::int64_t>(id.device)).bind(static_cast<std::int64_t>(id.inode)).bind(time).bind_blob(pack(files)).run());
  return std::move(transaction).commit();
}

Result<std::int64_t> FileHashes::forget(int days) {
  auto database = database_.lock();
  auto remove = TRY(database->prepare("DELETE FROM file_hash WHERE used_ns < ?"));
  TRY(remove.bind(now().ns - days * kDayNs).run());
  return std::int64_t{database->changes()};
}

bool is_settled(const FileStamp& stamp, std::int64_t now_ns) {
  for (const std::int64_t time : {stamp.mtime_ns, stamp.ctime_ns})
    if (time + (time % 1'000'000'000 == 0 ? kCoarseNs : kTickNs) > now_ns) return false;
  return true;
}

}  // namespace mica::build
