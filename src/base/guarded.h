/// Shared state whose mutex owns the data: a lock is the only way in.
#pragma once
#include <mutex>
#include <utility>

namespace mica {
template <class T>
class Guarded {
 public:
  Guarded() = default;
  explicit Guarded(T value) : value_(std::move(value)) {}

  class Lock {
   public:
    T* operator->() { return value_; }
    T& operator*() { return *value_; }
    /// For condition variables.
    std::unique_lock<std::mutex>& mutex() { return lock_; }

   private:
    friend class Guarded;
    Lock(std::mutex& mutex, T* value) : lock_(mutex), value_(value) {}
    std::unique_lock<std::mutex> lock_;
    T* value_;
  };
  Lock lock() { return Lock(mutex_, &value_); }

 private:
  std::mutex mutex_;
  T value_{};
};
}  // namespace mica
