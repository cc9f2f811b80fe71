#include "build/cache_mounts.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/format.h"
#include "base/sha256.h"
#include "base/text.h"
#include "base/time.h"
#include "json/json.h"

namespace mica::build {
namespace {

constexpr int kMaxPrivate = 1000;

/// Makes the data folder under another name first, so that it is never seen half seeded. The caller holds a lock on the mount; two
/// sharers may race: the second finds the name taken.
Result<> make_data(const std::string& folder, const CacheMountRequest& request) {
  const std::string data = folder + "/data";
  if (sys::exists(data)) return {};
  auto fresh = TRY(sys::TempDir::create(folder, "new"));
  if (request.seed) TRY_DOING(request.seed(fresh.path()), format("filling the new cache {}", request.target));
  if (::chown(fresh.path().c_str(), request.uid, request.gid) != 0) return fail_errno("giving a cache its owner");
  if (::chmod(fresh.path().c_str(), request.mode) != 0) return fail_errno("giving a cache its mode");
  if (::rename(fresh.path().c_str(), data.c_str()) == 0) return (void)std::move(fresh).keep(), Result<>();
  return sys::exists(data) ? Result<>() : fail_errno("making a cache");
}

Result<std::optional<sys::FileLock>> take_lock(const std::string& path, dockerfile::Sharing sharing, task::Cancel cancel) {
  if (sharing == dockerfile::Sharing::private_) {
    auto lock = sys::FileLock::try_acquire(path, sys::LockMode::exclusive);
    if (lock) return std::optional(std::move(*lock));
    if (lock.error().code() == Errc::conflict) return std::optional<sys::FileLock>();
    return fail(std::move(lock).error());
  }
  const auto mode = sharing == dockerfile::Sharing::locked ? sys::LockMode::exclusive : sys::LockMode::shared;
  auto lock = TRY(sys::FileLock::acquire(path, mode, cancel.fd()));
  return std::optional(std::move(lock));
}

}  // namespace

Result<CacheMount> open_cache_mount(const std::string& root, const CacheMountRequest& request, task::Cancel cancel) {
  const std::string name = sha256_hex(request.key).substr(0, 25);
  for (int number = 1; number <= kMaxPrivate; ++number) {
    const std::string folder = format("{}/{}{}", root, name, number == 1 ? "" : format(".{}", number));
    TRY(sys::make_directories(folder));
    auto lock = TRY(take_lock(folder + "/lock", request.sharing, cancel));
    if (!lock) continue;
    if (!sys::exists(folder + "/lock")) {   // pruned between making the folder and getting its lock
      --number;
      continue;
    }
    TRY(make_data(folder, request));
    json::Value about = json::Value::object();
    about.set("id", request.id);
    about.set("target", request.target);
    about.set("used_ns", now().ns);
    TRY(sys::write_file(folder + "/mount.json", json::write(about)));
    return CacheMount{folder + "/data", std::move(*lock)};
  }
  return failf(Errc::resource_exhausted, "more than {} private caches for {} are in use", kMaxPrivate, request.target);
}

}  // namespace mica::build
