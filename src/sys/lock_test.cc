#include "sys/lock.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "base/time.h"

using namespace mica;
using sys::FileLock;
using sys::LockMode;

namespace {
struct Folder {
  sys::TempDir dir = std::move(*sys::TempDir::create("/tmp", "mica-lock-test"));
  std::string lock = dir.path() + "/lock";
};
}  // namespace

TEST_CASE("an exclusive lock excludes all, shared ones exclude only it") {
  const Folder folder;
  {
    const auto exclusive = FileLock::acquire(folder.lock, LockMode::exclusive);
    REQUIRE(exclusive.has_value());
    for (const LockMode mode : {LockMode::shared, LockMode::exclusive}) {
      const auto refused = FileLock::try_acquire(folder.lock, mode);
      REQUIRE_FALSE(refused.has_value());
      CHECK(refused.error().code() == Errc::conflict);
    }
  }
  const auto first = FileLock::try_acquire(folder.lock, LockMode::shared), second = FileLock::try_acquire(folder.lock, LockMode::shared);
  CHECK(first.has_value());
  CHECK(second.has_value());
  CHECK_FALSE(FileLock::try_acquire(folder.lock, LockMode::exclusive).has_value());
}

TEST_CASE("waiting for a lock ends when it is free") {
  const int none = -1, never = ::eventfd(0, EFD_CLOEXEC);
  for (const int stop_fd : {none, never}) {
    const Folder folder;
    auto held = std::make_unique<FileLock>(std::move(*FileLock::acquire(folder.lock, LockMode::exclusive)));
    std::atomic<bool> got = false;
    std::thread waiter([&] {
      const auto lock = FileLock::acquire(folder.lock, LockMode::exclusive, stop_fd);
      CHECK(lock.has_value());
      got = true;
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    CHECK_FALSE(got);
    held.reset();
    waiter.join();
    CHECK(got);
  }
  ::close(never);
}

TEST_CASE("waiting for a lock ends as cancelled when the stop descriptor becomes readable") {
  const Folder folder;
  const auto held = FileLock::acquire(folder.lock, LockMode::exclusive);
  const sys::Fd stop(::eventfd(0, EFD_CLOEXEC));
  std::thread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    ::eventfd_write(stop.get(), 1);
  });
  const auto lock = FileLock::acquire(folder.lock, LockMode::shared, stop.get());
  stopper.join();
  REQUIRE_FALSE(lock.has_value());
  CHECK(lock.error().code() == Errc::cancelled);
}

TEST_CASE("a lock on a file that was removed meanwhile counts for nothing") {
  const Folder folder;
  auto held = std::make_unique<FileLock>(std::move(*FileLock::acquire(folder.lock, LockMode::exclusive)));
  std::atomic<ino_t> locked = 0;
  std::thread waiter([&] {
    const auto lock = FileLock::acquire(folder.lock, LockMode::exclusive);
    REQUIRE(lock.has_value());
    locked = sys::stat_fd(lock->fd())->st_ino;
    const sys::Fd dir = std::move(*sys::open(folder.dir.path(), O_RDONLY));
    CHECK(sys::lstat_at(dir, "lock")->st_ino == locked);
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  CHECK(sys::remove_file(folder.lock));
  auto newer = FileLock::try_acquire(folder.lock, LockMode::shared);
  CHECK(newer.has_value());
  held.reset();
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  CHECK(locked == 0);
  newer = fail(Errc::cancelled, "released");
  waiter.join();
  CHECK(locked != 0);
}

TEST_CASE("a lock moves with its object, and a missing folder is an error") {
  const Folder folder;
  FileLock first = std::move(*FileLock::acquire(folder.lock, LockMode::exclusive));
  const FileLock second = std::move(first);
  CHECK_FALSE(FileLock::try_acquire(folder.lock, LockMode::shared).has_value());
  CHECK(FileLock::acquire("/nowhere/lock", LockMode::shared).error().code() == Errc::not_found);
}
