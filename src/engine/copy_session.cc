#include "engine/copy_session.h"

#include <atomic>
#include <chrono>

namespace mica::engine {
namespace {
// Threads start when there is work for them. Each blob under way takes one for reading beside the one that sends.
constexpr int kThreads = 24;
}  // namespace

KnownBlobs::Claim::~Claim() {
  if (!known_) return;
  {
    const std::lock_guard lock(known_->mutex_);
    known_->entries_[{store_, digest_}].claimed = false;
  }
  known_->given_back_.notify_all();
}

void KnownBlobs::Claim::is_now_in(const std::string& repository) {
  repositories_.insert(repository);
  const std::lock_guard lock(known_->mutex_);
  known_->entries_[{store_, digest_}].repositories.insert(repository);
}

Result<KnownBlobs::Claim> KnownBlobs::claim(const std::string& store, const oci::Digest& digest, task::Cancel cancel) {
  std::unique_lock lock(mutex_);
  Entry& entry = entries_[{store, digest}];
  while (entry.claimed) {
    TRY(cancel.check());
    lock.unlock();
    const task::Blocking blocking(pool_);
    lock.lock();
    given_back_.wait_for(lock, std::chrono::milliseconds(100), [&] { return !entry.claimed; });
  }
  entry.claimed = true;
  return Claim(*this, store, digest, entry.repositories);
}

void KnownBlobs::refuse_mounts(const std::string& store, const std::string& from) {
  const std::lock_guard lock(mutex_);
  refused_.emplace(store, from);
}

bool KnownBlobs::mounts_refused(const std::string& store, const std::string& from) {
  const std::lock_guard lock(mutex_);
  return refused_.contains({store, from});
}

CopySession::CopySession(std::function<void(std::string)> remark)
    : pool(kThreads), registry(http, registry::Hosts(), registry::Credentials(), registry::ClientOptions{.remark = std::move(remark)}), known(pool) {}

Result<> run_each(task::Pool& pool, task::Cancel cancel, std::size_t count, int at_once, const std::function<Result<>(std::size_t, task::Cancel)>& work) {
  std::atomic<std::size_t> next = 0;
  const auto loop = [&](task::Cancel stop) -> Result<> {
    for (std::size_t i; (i = next++) < count;) {
      TRY(stop.check());
      TRY(work(i, stop));
    }
    return {};
  };
  const std::size_t loops = std::min(count, static_cast<std::size_t>(std::max(1, at_once)));
  if (loops <= 1) return loop(cancel);
  task::Group group(pool, cancel);
  for (std::size_t i = 0; i < loops; ++i) group.run(loop);
  return group.wait();
}

}  // namespace mica::engine
