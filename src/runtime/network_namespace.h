/// A network namespace of our own making.
#pragma once
#include <string>

#include "base/error.h"

namespace mica::runtime {

/// An empty network namespace (only `lo`, which is down) kept alive by a bind mount at `path`. When this dies the mount and the file
/// go, and the namespace with them unless a process is in it.
class NetworkNamespace {
 public:
  /// `path` must not exist, its folder must. This process stays in its own namespace.
  /// Errors: permission_denied (no CAP_SYS_ADMIN).
  static Result<NetworkNamespace> create(const std::string& path);
  NetworkNamespace(NetworkNamespace&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  NetworkNamespace& operator=(NetworkNamespace&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }
  ~NetworkNamespace();
  const std::string& path() const { return path_; }

 private:
  explicit NetworkNamespace(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace mica::runtime
