/// A file system being configured for mounting (fsopen), with the kernel's own words in its errors.
#pragma once
#include "sys/fd.h"

namespace mica::sys {

class MountContext {
 public:
  static Result<MountContext> open(const char* type);
  /// Options. Values longer than kLongestValue do not reach the kernel (EINVAL).
  Result<> set(const std::string& key, const std::string& value) const;
  Result<> set_flag(const std::string& key) const;
  /// Sets an option that kernels may not know, or not grant here; no matter then.
  void try_set(const std::string& key, const std::string& value) const;
  /// Creates the file system and mounts it with the MOUNT_ATTR_* of `attributes`.
  Result<> mount_at(const std::string& target, unsigned attributes) const;

  static constexpr std::size_t kLongestValue = 255;

 private:
  explicit MountContext(Fd fd) : fd_(std::move(fd)) {}
  Error failure(std::string_view action) const;
  std::string messages() const;

  Fd fd_;
};

}  // namespace mica::sys
