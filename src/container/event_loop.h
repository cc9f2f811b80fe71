/// One thread that waits for many descriptors: ports and names of a container are served by it.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>

#include "base/error.h"
#include "sys/fd.h"

namespace mica::container {

class EventLoop {
 public:
  using Handler = std::function<void(std::uint32_t events)>;   ///< EPOLLIN, ...
  static Result<std::unique_ptr<EventLoop>> start();
  ~EventLoop();                                          ///< ends the thread; handlers are not called any more

  /// Runs `work` on the loop's thread and returns when it is done. Not from that thread.
  void run(const std::function<void()>& work);

  // On the loop's thread only. Handlers may call all of them, also for themselves. Descriptors stay the caller's: forget() before they are closed.
  std::uint64_t watch(int fd, std::uint32_t events, Handler handler);   ///< 0 when the kernel refuses
  void change(std::uint64_t watch, std::uint32_t events);
  void forget(std::uint64_t watch);
  /// Called about once a second as long as it is watched; forget() ends it.
  std::uint64_t every_second(std::function<void()> tick);
  /// A socket as socket(2) makes it, non-blocking, in another network namespace (empty: this process's own).
  Result<sys::Fd> socket_in(const sys::Fd& name_space, int domain, int type);

  struct Impl;

 private:
  explicit EventLoop(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace mica::container
