#include <pthread.h>
#include <signal.h>

#include <system_error>

#include "base/log.h"
#include "task/pool_impl.h"

namespace mica::task {

constinit thread_local Pool::Impl* slot_holder = nullptr;

namespace {
/// Signals are for the thread that waits for them: a worker never has a system call cut short. Inherited at thread start.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};
}  // namespace

Pool::Impl::~Impl() {
  {
    const std::lock_guard lock(mutex);
    closing = true;
  }
  work_or_close.notify_all();
  for (std::thread& thread : threads) thread.join();
}

void Pool::Impl::push(const std::shared_ptr<Group::State>& group, Group::Task task) {
  Lock lock(mutex);
  group->queued.push_back(std::move(task));
  ++group->unfinished;
  line.push_back(group);
  group->changed.notify_all();
  find_hand(lock);
}

void Pool::Impl::find_hand(Lock&) {
  while (!line.empty() && line.front()->queued.empty()) line.pop_front();
  if (line.empty() || active >= slots) return;
  if (idle > 0) {
    work_or_close.notify_one();
    return;
  }
  const SignalsBlocked blocked;
  try {
    threads.emplace_back([this] { work(); });
  } catch (const std::system_error& error) {
    // Whoever waits for the group runs its tasks, so this costs time only.
    log::debug("cannot start a thread: {}", error.what());
    line.front()->changed.notify_all();
  }
}

void Pool::Impl::give_slot_back(Lock& lock) {
  --active;
  find_hand(lock);
}

void Pool::Impl::work() {
  Lock lock(mutex);
  while (true) {
    ++idle;
    work_or_close.wait(lock, [&] { return closing || (!line.empty() && active < slots); });
    --idle;
    if (line.empty()) return;
    const std::shared_ptr<Group::State> group = std::move(line.front());
    line.pop_front();
    if (group->queued.empty()) continue;
    ++active;
    slot_holder = this;
    find_hand(lock);
    run_one(lock, *group);
    slot_holder = nullptr;
    give_slot_back(lock);
  }
}

void Pool::Impl::run_one(Lock& lock, Group::State& group) {
  Group::Task task = std::move(group.queued.front());
  group.queued.pop_front();
  lock.unlock();
  Result<> result = group.cancel.check();
  if (result) result = task(group.cancel);
  // What the task captured dies before wait() may return: it may refer to the waiter's scope.
  task = nullptr;
  lock.lock();
  const bool first_error = !result && !group.first_error;
  if (first_error) group.first_error = std::move(result).error();
  if (first_error) {
    // Recorded first: siblings that end because of the stop must not be taken for its cause.
    lock.unlock();
    group.cancel.stop();
    lock.lock();
  }
  if (--group.unfinished == 0) group.changed.notify_all();
}

Pool::Pool(int threads)
    : impl_(std::make_unique<Impl>(threads > 0 ? threads : std::max(1, static_cast<int>(std::thread::hardware_concurrency())))) {}

Pool::~Pool() = default;

int Pool::threads() const { return impl_->slots; }

Blocking::Blocking(Pool& pool) : pool_(pool), lent_(slot_holder == &pool.impl()) {
  if (!lent_) return;
  slot_holder = nullptr;
  Pool::Impl::Lock lock(pool_.impl().mutex);
  pool_.impl().give_slot_back(lock);
}

Blocking::~Blocking() {
  if (!lent_) return;
  Pool::Impl::Lock lock(pool_.impl().mutex);
  pool_.impl().take_slot_unasked(lock);
  slot_holder = &pool_.impl();
}

}  // namespace mica::task
