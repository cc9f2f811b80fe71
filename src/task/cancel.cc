#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <vector>

#include "task/task.h"

namespace mica::task {

struct Cancel::State {
  std::atomic<bool> stopped = false;
  std::mutex mutex;  // of what follows
  int event = -1;    // made when somebody first wants to poll
  std::vector<std::weak_ptr<State>> children;
  std::size_t prune_at = 8;

  ~State() {
    if (event >= 0) ::close(event);
  }

  void stop() {
    std::vector<std::weak_ptr<State>> told;
    {
      const std::lock_guard lock(mutex);
      if (stopped.exchange(true)) return;
      if (event >= 0) ::eventfd_write(event, 1);
      told.swap(children);
    }
    for (const auto& child : told)
      if (const auto alive = child.lock()) alive->stop();
  }

  void add(const std::shared_ptr<State>& child) {
    {
      const std::lock_guard lock(mutex);
      if (!stopped) {
        // A token that lives long sees many short children; the dead ones are dropped whenever their number may have doubled.
        if (children.size() >= prune_at) {
          std::erase_if(children, [](const auto& one) { return one.expired(); });
          prune_at = std::max<std::size_t>(8, children.size() * 2);
        }
        children.push_back(child);
        return;
      }
    }
    child->stop();
  }
};

Cancel Cancel::create() {
  Cancel cancel;
  cancel.state_ = std::make_shared<State>();
  return cancel;
}

Cancel Cancel::child() const {
  Cancel cancel = create();
  if (state_) state_->add(cancel.state_);
  return cancel;
}

void Cancel::stop() const {
  if (state_) state_->stop();
}

bool Cancel::stopped() const { return state_ && state_->stopped.load(std::memory_order_acquire); }

int Cancel::fd() const {
  if (!state_) return -1;
  const std::lock_guard lock(state_->mutex);
  if (state_->event < 0) {
    state_->event = ::eventfd(state_->stopped ? 1 : 0, EFD_CLOEXEC | EFD_NONBLOCK);
    MICA_ASSERT(state_->event >= 0, "a descriptor for waiting can be made");
  }
  return state_->event;
}

Error Cancel::error() { return Error(Errc::cancelled, "cancelled"); }

Result<> Cancel::check() const {
  if (stopped()) return fail(error());
  return {};
}

}  // namespace mica::task
