#include "store/blob_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include <algorithm>
#include <atomic>

#include "base/format.h"
#include "base/log.h"
#include "sys/fault.h"
#include "sys/fd.h"
#include "sys/lock.h"

namespace mica::store {
namespace {

constexpr std::size_t kHexDigits = 64;

std::string blobs_folder(const std::string& root) { return root + "/blobs"; }
std::string digest_folder(const std::string& root) { return root + "/blobs/sha256"; }
std::string blob_path(const std::string& root, const std::string& hex) { return digest_folder(root) + "/" + hex; }
std::string lock_path(const std::string& root) { return blobs_folder(root) + "/lock"; }

Timestamp time_of(const timespec& time) { return {time.tv_sec * std::int64_t{1'000'000'000} + time.tv_nsec}; }

bool is_digest_name(const std::string& name) {
  return name.size() == kHexDigits && std::ranges::all_of(name, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

/// A missing blob is an answer, other failures keep their code.
Error missing(Error error, const oci::Digest& digest) {
  if (error.code() != Errc::not_found) return error;
  return Error(Errc::not_found, format("blob {} is not in the store", digest.str()));
}

/// The file being written, removed unless it got its name.
class Draft {
 public:
  static Result<Draft> create(const std::string& temporary) {
    if (temporary.empty()) return fail(Errc::permission_denied, "the store is open for reading only");
    static std::atomic<unsigned> count = 0;
    std::string path = format("{}/blob-{}", temporary, ++count);
    auto fd = TRY(sys::open(path, O_WRONLY | O_CREAT | O_EXCL, 0644));
    return Draft(std::move(path), std::move(fd));
  }
  static Result<Draft> of(std::string path) {
    auto fd = TRY(sys::open(path, O_WRONLY));
    return Draft(std::move(path), std::move(fd));
  }
  Draft(Draft&&) noexcept = default;
  ~Draft() {
    if (!fd_) return;
    if (auto done = sys::remove_file(path_); !done) log::debug("{}", done.error().text());
  }
  const sys::Fd& fd() const { return fd_; }
  const std::string& path() const { return path_; }
  void keep() { fd_.reset(); }

 private:
  Draft(std::string path, sys::Fd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  std::string path_;
  sys::Fd fd_;
};

/// True when a blob of this size is there; it is young then. Needs the lock.
bool refresh(const std::string& path, std::int64_t size) {
  struct stat found;
  // Another size is what a power failure left of it.
  if (::stat(path.c_str(), &found) != 0 || found.st_size != size) return false;
  return ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0) == 0;
}

Result<bool> refresh_locked(const std::string& root, const std::string& path, std::int64_t size) {
  if (!sys::exists(path)) return false;
  const auto lock = TRY(sys::FileLock::acquire(lock_path(root), sys::LockMode::shared));
  return refresh(path, size);
}

/// Gives the draft its name. Its time is set under the lock, because a sweep may have begun since the last write.
Result<> place(Draft draft, const std::string& root, const std::string& hex, std::int64_t size, Sync sync) {
  const std::string path = blob_path(root, hex);
  if (sync == Sync::now) TRY(sys::sync(draft.fd()));
  else TRY(sys::fault_point("blob written"));
  {
    TRY(sys::make_directories(digest_folder(root), 0700));
    const auto lock = TRY(sys::FileLock::acquire(lock_path(root), sys::LockMode::shared));
    if (refresh(path, size)) return {};
    if (::futimens(draft.fd().get(), nullptr) != 0) return fail_errno("setting the time of a blob");
    TRY(sys::rename(draft.path(), path));
    draft.keep();
  }
  if (sync == Sync::later) return {};
  const auto folder = TRY(sys::open(digest_folder(root), O_RDONLY | O_DIRECTORY));
  return sys::sync(folder);
}

}  // namespace

struct BlobStore::Ingest::Impl {
  std::string root;
  Draft draft;
  Sha256 hash;
  std::int64_t size = 0;
};

BlobStore::Ingest::Ingest(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
BlobStore::Ingest::~Ingest() = default;

Result<> BlobStore::Ingest::write(std::span<const unsigned char> bytes) {
  TRY(sys::write_all(impl_->draft.fd(), bytes));
  impl_->hash.update(bytes);
  impl_->size += static_cast<std::int64_t>(bytes.size());
  return {};
}

std::int64_t BlobStore::Ingest::size() const { return impl_->size; }

Result<oci::Digest> BlobStore::Ingest::commit(const oci::Digest& expected, Sync sync) {
  auto digest = oci::Digest::from_hex(impl_->hash.finish_hex());
  if (!expected.empty() && digest != expected)
    return failf(Errc::corrupt, "the bytes received are not those that were asked for\n  expected: {}\n  actual:   {} ({} bytes)", expected.str(),
                 digest.str(), impl_->size);
  TRY_DOING(place(std::move(impl_->draft), impl_->root, digest.hex(), impl_->size, sync), format("storing blob {}", digest.short_hex()));
  return digest;
}

BlobStore::BlobStore(std::string root, std::string temporary) : root_(std::move(root)), temporary_(std::move(temporary)) {}

Result<oci::Digest> BlobStore::put(std::string_view bytes, Sync sync) {
  auto digest = oci::Digest::of(bytes);
  const auto size = static_cast<std::int64_t>(bytes.size());
  const bool known = TRY(refresh_locked(root_, path(digest), size));
  if (known) return digest;
  auto draft = TRY(Draft::create(temporary_));
  TRY(sys::write_all(draft.fd(), bytes));
  TRY_DOING(place(std::move(draft), root_, digest.hex(), size, sync), format("storing blob {}", digest.short_hex()));
  return digest;
}

Result<std::unique_ptr<BlobStore::Ingest>> BlobStore::begin() {
  auto draft = TRY(Draft::create(temporary_));
  auto impl = std::unique_ptr<Ingest::Impl>(new Ingest::Impl{.root = root_, .draft = std::move(draft), .hash = {}});
  return std::unique_ptr<Ingest>(new Ingest(std::move(impl)));
}

Result<> BlobStore::adopt(const std::string& file, const oci::Digest& digest, Sync sync) {
  auto draft = TRY(Draft::of(file));
  const auto status = TRY(sys::stat_fd(draft.fd()));
  TRY_DOING(place(std::move(draft), root_, digest.hex(), status.st_size, sync), format("storing blob {}", digest.short_hex()));
  return {};
}

bool BlobStore::has(const oci::Digest& digest) const { return !digest.empty() && sys::exists(path(digest)); }

Result<std::int64_t> BlobStore::size(const oci::Digest& digest) const {
  struct stat found;
  if (::stat(path(digest).c_str(), &found) != 0) return fail(missing(Error::os(errno, "looking at a blob"), digest));
  return found.st_size;
}

std::string BlobStore::path(const oci::Digest& digest) const { return blob_path(root_, digest.hex()); }

Result<std::string> BlobStore::read(const oci::Digest& digest, std::size_t limit) const {
  auto file = TRY(open(digest));
  auto bytes = TRY_DOING(sys::read_fd(file, limit), format("reading blob {}", digest.short_hex()));
  if (const auto actual = oci::Digest::of(bytes); actual != digest)
    return fail(Error(Errc::corrupt, format("the blob's content does not fit its digest\n  expected: {}\n  actual:   {}", digest.str(), actual.str()))
                    .with_hint("run `mica fsck --repair`, then pull or build the image again"));
  return bytes;
}

Result<sys::Fd> BlobStore::open(const oci::Digest& digest) const {
  if (digest.empty()) return fail(Errc::not_found, "no digest given");
  auto file = sys::open(path(digest), O_RDONLY);
  if (!file) return fail(missing(std::move(file).error(), digest));
  return file;
}

Result<std::vector<oci::Digest>> BlobStore::list() const {
  std::vector<oci::Digest> digests;
  auto folder = sys::open(digest_folder(root_), O_RDONLY | O_DIRECTORY);
  if (!folder && folder.error().code() == Errc::not_found) return digests;
  if (!folder) return fail(std::move(folder).error());
  auto names = TRY(sys::list_names(*folder));
  for (auto& name : names)
    if (is_digest_name(name)) digests.push_back(oci::Digest::from_hex(std::move(name)));
  return digests;
}

Result<std::int64_t> BlobStore::sweep(const std::vector<oci::Digest>& keep, std::optional<Timestamp> before) {
  const Timestamp border = before.value_or(file_time());
  std::int64_t freed = 0;
  if (!sys::exists(digest_folder(root_))) return freed;
  const auto lock = TRY(sys::FileLock::acquire(lock_path(root_), sys::LockMode::exclusive));
  const auto digests = TRY(list());
  for (const auto& digest : digests) {
    if (std::binary_search(keep.begin(), keep.end(), digest)) continue;
    struct stat found;
    if (::stat(path(digest).c_str(), &found) != 0 || time_of(found.st_mtim) >= border) continue;
    TRY(sys::fault_point("sweep blob"));
    TRY(sys::remove_file(path(digest)));
    freed += found.st_size;
  }
  return freed;
}

Timestamp BlobStore::file_time() {
  timespec time;
  ::clock_gettime(CLOCK_REALTIME_COARSE, &time);
  return time_of(time);
}

}  // namespace mica::store
