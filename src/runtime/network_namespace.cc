#include "runtime/network_namespace.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <thread>

#include "base/format.h"
#include "sys/fd.h"
#include "sys/kernel.h"   // mount(2)

namespace mica::runtime {

Result<NetworkNamespace> NetworkNamespace::create(const std::string& path) {
  TRY(sys::open(path, O_CREAT | O_EXCL | O_RDONLY, 0600));
  // On a thread that ends at once: a network namespace belongs to a thread, no other one sees the change, and a fork would cost as
  // much as the rest of it.
  int number = 0;
  const char* failed = nullptr;
  std::thread([&] {
    if (::unshare(CLONE_NEWNET) != 0) failed = "making a network namespace";
    else if (::mount("/proc/thread-self/ns/net", path.c_str(), nullptr, MS_BIND, nullptr) != 0) failed = "keeping a network namespace";
    if (failed) number = errno;
  }).join();
  if (failed) {
    ::unlink(path.c_str());
    return fail(Error::os(number, failed));
  }
  return NetworkNamespace(path);
}

NetworkNamespace::~NetworkNamespace() {
  if (path_.empty()) return;
  ::umount2(path_.c_str(), MNT_DETACH);
  ::unlink(path_.c_str());
}

}  // namespace mica::runtime
