#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <list>
#include <mutex>

#include "task/task.h"

namespace mica::task {

/// A place that becomes free is handed to the longest waiter, which holds it from then on even if it has not woken up yet: no
/// newcomer can overtake. Waiters have an event descriptor each, so that they can poll for the place and the stop together.
struct Limit::State {
  struct Waiter {
    int event;
    bool has_place = false;
  };

  std::mutex mutex;
  int free;
  std::list<Waiter*> waiting;

  void release() {
    const std::lock_guard lock(mutex);
    if (waiting.empty()) {
      ++free;
      return;
    }
    Waiter* const next = waiting.front();
    waiting.pop_front();
    next->has_place = true;
    ::eventfd_write(next->event, 1);
  }
};

Limit::Limit(int n) : state_(std::make_unique<State>()) {
  MICA_ASSERT(n > 0, "a limit lets somebody through");
  state_->free = n;
}

Limit::~Limit() = default;

Limit::Hold::Hold(Hold&& other) noexcept : limit_(std::exchange(other.limit_, nullptr)) {}

Limit::Hold::~Hold() {
  if (limit_) limit_->state_->release();
}

Result<Limit::Hold> Limit::take(Cancel cancel) {
  TRY(cancel.check());
  State::Waiter self{.event = -1};
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->free > 0) {
      --state_->free;
      return Hold(this);
    }
    self.event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (self.event < 0) return fail_errno("waiting for a place");
    state_->waiting.push_back(&self);
  }
  pollfd fds[] = {{.fd = self.event, .events = POLLIN}, {.fd = cancel.fd(), .events = POLLIN}};
  while (::poll(fds, 2, -1) < 0) MICA_ASSERT(errno == EINTR, "two valid descriptors can be polled");
  {
    // Also closes the event: a release that has seen this waiter has written to it under the same lock.
    const std::lock_guard lock(state_->mutex);
    if (!self.has_place) std::erase(state_->waiting, &self);
    ::close(self.event);
  }
  // A place that came together with the stop is passed on by Hold's destructor.
  if (self.has_place) {
    Hold hold(this);
    TRY(cancel.check());
    return hold;
  }
  return fail(Cancel::error());
}

}  // namespace mica::task
