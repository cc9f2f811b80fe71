#include "container/event_loop.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "base/time.h"
#include "runtime/netlink.h"

namespace mica::container {

namespace {
constexpr int kEventsAtOnce = 64;
constexpr std::int64_t kTickNs = 1'000'000'000;
constexpr int kTickMs = 1000;
constexpr std::uint64_t kWake = 0;
}  // namespace

struct EventLoop::Impl {
  struct Watch {
    int fd = -1;
    std::shared_ptr<Handler> handler;
  };
  sys::Fd epoll, wake;
  std::thread thread;
  std::mutex mutex;
  std::condition_variable done;
  std::vector<std::pair<const std::function<void()>*, bool*>> work;
  bool stop = false;
  std::map<std::uint64_t, Watch> watches;
  std::map<std::uint64_t, std::shared_ptr<std::function<void()>>> ticks;
  std::uint64_t last = kWake;

  void do_work() {
    std::uint64_t count;
    (void)!::read(wake.get(), &count, sizeof count);
    std::unique_lock lock(mutex);
    while (!work.empty()) {
      const auto [what, finished] = work.front();
      work.erase(work.begin());
      lock.unlock();
      (*what)();
      lock.lock();
      *finished = true;
      done.notify_all();
    }
  }

  void tick() {
    const auto now_there = ticks;   // they may end themselves
    for (const auto& [id, what] : now_there)
      if (ticks.contains(id)) (*what)();
  }

  void loop() {
    epoll_event events[kEventsAtOnce];
    std::int64_t next_tick = monotonic_ns() + kTickNs;
    for (;;) {
      const int n = ::epoll_wait(epoll.get(), events, kEventsAtOnce, ticks.empty() ? -1 : kTickMs);
      for (int i = 0; i < n; ++i) {
        if (events[i].data.u64 == kWake) {
          do_work();
          continue;
        }
        // An earlier handler of this round may have ended it.
        const auto found = watches.find(events[i].data.u64);
        if (found == watches.end()) continue;
        const auto handler = found->second.handler;
        (*handler)(events[i].events);
      }
      {
        std::lock_guard lock(mutex);
        if (stop) return;
      }
      if (ticks.empty() || monotonic_ns() < next_tick) continue;
      next_tick = monotonic_ns() + kTickNs;
      tick();
    }
  }
};

EventLoop::EventLoop(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<EventLoop>> EventLoop::start() {
  auto impl = std::make_unique<Impl>();
  impl->epoll = sys::Fd(::epoll_create1(EPOLL_CLOEXEC));
  impl->wake = sys::Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!impl->epoll || !impl->wake) return fail_errno("starting to serve ports and names");
  epoll_event event{.events = EPOLLIN, .data = {.u64 = kWake}};
  if (::epoll_ctl(impl->epoll.get(), EPOLL_CTL_ADD, impl->wake.get(), &event) != 0) return fail_errno("starting to serve ports and names");
  // Signals are for the monitor's own thread.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  impl->thread = std::thread([raw = impl.get()] { raw->loop(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return std::unique_ptr<EventLoop>(new EventLoop(std::move(impl)));
}

EventLoop::~EventLoop() {
  {
    std::lock_guard lock(impl_->mutex);
    impl_->stop = true;
  }
  ::eventfd_write(impl_->wake.get(), 1);
  impl_->thread.join();
}

void EventLoop::run(const std::function<void()>& work) {
  bool finished = false;
  std::unique_lock lock(impl_->mutex);
  impl_->work.emplace_back(&work, &finished);
  ::eventfd_write(impl_->wake.get(), 1);
  impl_->done.wait(lock, [&] { return finished; });
}

std::uint64_t EventLoop::watch(int fd, std::uint32_t events, Handler handler) {
  const std::uint64_t id = ++impl_->last;
  epoll_event event{.events = events, .data = {.u64 = id}};
  if (::epoll_ctl(impl_->epoll.get(), EPOLL_CTL_ADD, fd, &event) != 0) return 0;
  impl_->watches[id] = {fd, std::make_shared<Handler>(std::move(handler))};
  return id;
}

void EventLoop::change(std::uint64_t watch, std::uint32_t events) {
  const auto found = impl_->watches.find(watch);
  if (found == impl_->watches.end()) return;
  epoll_event event{.events = events, .data = {.u64 = watch}};
  ::epoll_ctl(impl_->epoll.get(), EPOLL_CTL_MOD, found->second.fd, &event);
}

void EventLoop::forget(std::uint64_t watch) {
  impl_->ticks.erase(watch);
  const auto found = impl_->watches.find(watch);
  if (found == impl_->watches.end()) return;
  ::epoll_ctl(impl_->epoll.get(), EPOLL_CTL_DEL, found->second.fd, nullptr);
  impl_->watches.erase(found);
}

std::uint64_t EventLoop::every_second(std::function<void()> tick) {
  const std::uint64_t id = ++impl_->last;
  impl_->ticks[id] = std::make_shared<std::function<void()>>(std::move(tick));
  return id;
}

Result<sys::Fd> EventLoop::socket_in(const sys::Fd& name_space, int domain, int type) {
  sys::Fd socket;
  int error = 0;
  TRY(runtime::in_namespace(name_space, [&] {
    socket = sys::Fd(::socket(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    error = errno;
  }));
  if (!socket) return fail(Error::os(error, "making a socket"));
  return socket;
}

}  // namespace mica::container
