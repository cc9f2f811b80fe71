#include "engine/interrupt.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <thread>

#include "sys/fd.h"
#include "sys/signals.h"

namespace mica::engine {

struct Interrupt::Impl {
  task::Cancel cancel = task::Cancel::create();
  sys::Fd end;
  std::thread thread;
};

Result<Interrupt> Interrupt::install() {
  const int signals = TRY(sys::stop_signal_fd());
  auto impl = std::make_unique<Impl>();
  impl->end = sys::Fd(::eventfd(0, EFD_CLOEXEC));
  if (!impl->end) return fail_errno("creating an event descriptor");
  // Signals are for the thread that works: it may have them blocked to read them itself (attach_loop.cc).
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  impl->thread = std::thread([signals, end = impl->end.get(), cancel = impl->cancel] {
    pollfd wait[2] = {{signals, POLLIN, 0}, {end, POLLIN, 0}};
    while (::poll(wait, 2, -1) < 0) {
    }
    if (wait[0].revents) cancel.stop();
  });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return Interrupt(std::move(impl));
}

Interrupt::Interrupt(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Interrupt::Interrupt(Interrupt&&) noexcept = default;
Interrupt::~Interrupt() {
  if (!impl_) return;
  const std::uint64_t one = 1;
  (void)!::write(impl_->end.get(), &one, sizeof one);
  if (impl_->thread.joinable()) impl_->thread.join();
}
const task::Cancel& Interrupt::cancel() const { return impl_->cancel; }

}  // namespace mica::engine
