#include <sys/xattr.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "sys/fd.h"
#include "sys/kernel.h"
#include "sys/os_failure.h"

namespace mica::sys {

namespace {
/// One name for the three ways in: by descriptor, by path without and with following a link.
struct Node {
  int fd = -1;
  std::string path;
  bool follow = false;

  ssize_t list(char* into, std::size_t size) const {
    if (fd >= 0) return ::flistxattr(fd, into, size);
    return follow ? ::listxattr(path.c_str(), into, size) : ::llistxattr(path.c_str(), into, size);
  }
  ssize_t value(const char* name, char* into, std::size_t size) const {
    if (fd >= 0) return ::fgetxattr(fd, name, into, size);
    return follow ? ::getxattr(path.c_str(), name, into, size) : ::lgetxattr(path.c_str(), name, into, size);
  }
};

/// Calls `read` with a small buffer that nearly always does, and again with a larger one as long as the kernel asks for it.
template <class Read>
ssize_t read_grown(std::string& into, Read read) {
  into.resize(512);
  while (true) {
    ssize_t n = read(into.data(), into.size());
    if (n >= 0) into.resize(static_cast<std::size_t>(n));
    if (n >= 0 || errno != ERANGE) return n;
    n = read(nullptr, 0);
    if (n < 0) return n;
    into.resize(static_cast<std::size_t>(n) + 64);
  }
}

Result<std::vector<Xattr>> read_all(const Node& node, std::string_view shown) {
  std::vector<Xattr> out;
  std::string names;
  if (read_grown(names, [&](char* to, std::size_t size) { return node.list(to, size); }) < 0) {
    if (errno == EOPNOTSUPP || errno == ENOSYS) return out;
    return os_failure("listing the extended attributes of", shown);
  }
  for (std::size_t at = 0; at < names.size(); at += std::strlen(names.c_str() + at) + 1) {
    Xattr attribute{.name = names.c_str() + at};
    const auto read = [&](char* to, std::size_t size) { return node.value(attribute.name.c_str(), to, size); };
    if (read_grown(attribute.value, read) >= 0) out.push_back(std::move(attribute));
    // Gone meanwhile, or listed but closed to us (other namespaces do that): not readable, so not ours to report.
    else if (errno != ENODATA && errno != EPERM && errno != EACCES && errno != EOPNOTSUPP)
      return os_failure(format("reading the extended attribute {} of", quoted(names.c_str() + at)), shown);
  }
  std::sort(out.begin(), out.end());
  return out;
}

/// That an entry has no attributes, which is nearly always so, in one call that needs no path: a third of the time that the way through /proc
/// takes. False: it has some, or this kernel cannot tell.
bool has_surely_none(const Fd& dir, const std::string& name) {
  static std::atomic<bool> unknown = false;
  if (unknown.load(std::memory_order_relaxed)) return false;
  const ssize_t size = listxattrat(dir.get(), name.c_str(), nullptr, 0);
  // EPERM: a filter of system calls older than this one.
  if (size < 0 && (errno == ENOSYS || errno == EPERM)) unknown.store(true, std::memory_order_relaxed);
  return size == 0;
}

std::string path_of(const Fd& dir, const std::string& name) { return format("/proc/self/fd/{}/{}", dir.get(), name); }
}  // namespace

Result<std::vector<Xattr>> xattrs(const Fd& fd) {
  char none;
  // An O_PATH descriptor is refused; its magic link is not.
  if (::flistxattr(fd.get(), &none, 0) < 0 && errno == EBADF)
    return read_all({.path = format("/proc/self/fd/{}", fd.get()), .follow = true}, "an open file");
  return read_all({.fd = fd.get()}, "an open file");
}

Result<std::vector<Xattr>> xattrs_at(const Fd& dir, const std::string& name) {
  if (has_surely_none(dir, name)) return std::vector<Xattr>();
  return read_all({.path = path_of(dir, name)}, name);
}

Result<> set_xattr_at(const Fd& dir, const std::string& name, const Xattr& attribute) {
  if (::lsetxattr(path_of(dir, name).c_str(), attribute.name.c_str(), attribute.value.data(), attribute.value.size(), 0) != 0)
    return os_failure(format("setting the extended attribute {} of", quoted(attribute.name)), name);
  return {};
}

}  // namespace mica::sys
