#include "registry/server_uploads.h"

#include <time.h>

#include "base/text.h"

namespace mica::registry {
namespace {

constexpr std::size_t kMaxOpen = 1024;
constexpr std::int64_t kMaxIdleSeconds = 3600;

std::int64_t seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec;
}

}  // namespace

Upload::Claim Upload::claim() {
  const std::lock_guard lock(mutex_);
  used_ = seconds();
  return {.number = ++newest_, .size = size_};
}

std::int64_t Upload::size() const {
  const std::lock_guard lock(mutex_);
  return size_;
}

std::int64_t Upload::last_used() const {
  const std::lock_guard lock(mutex_);
  return used_;
}

Result<> Upload::may(std::uint64_t claim) const {
  if (!stored_) return fail(Errc::conflict, "the upload has ended");
  if (claim != newest_) return fail(Errc::conflict, "a later request has taken the upload over");
  return {};
}

Result<> Upload::append(std::uint64_t claim, std::span<const unsigned char> bytes) {
  const std::lock_guard lock(mutex_);
  TRY(may(claim));
  used_ = seconds();
  if (auto done = stored_->append(bytes); !done) {
    stored_.reset();
    return done;
  }
  size_ = stored_->size();
  return {};
}

Result<> Upload::commit(std::uint64_t claim, const oci::Digest& expected) {
  const std::lock_guard lock(mutex_);
  TRY(may(claim));
  const auto stored = std::move(stored_);
  return stored->commit(expected);
}

void Upload::drop() {
  const std::lock_guard lock(mutex_);
  stored_.reset();
}

Result<std::shared_ptr<Upload>> Uploads::begin(Storage& storage, const std::string& repository) {
  {
    auto open = open_.lock();
    const std::int64_t oldest = seconds() - kMaxIdleSeconds;
    std::erase_if(*open, [&](const auto& entry) { return entry.second->last_used() < oldest; });
    if (open->size() >= kMaxOpen) return fail(Errc::resource_exhausted, "too many uploads are under way");
  }
  auto stored = TRY(storage.begin_upload(repository));
  auto upload = std::make_shared<Upload>(random_hex(16), repository, std::move(stored));
  (void)upload->claim();
  open_.lock()->emplace(upload->id, upload);
  return upload;
}

std::shared_ptr<Upload> Uploads::find(const std::string& id, const std::string& repository) {
  auto open = open_.lock();
  const auto found = open->find(id);
  if (found == open->end() || found->second->repository != repository) return nullptr;
  return found->second;
}

void Uploads::forget(const std::string& id) { open_.lock()->erase(id); }

}  // namespace mica::registry
