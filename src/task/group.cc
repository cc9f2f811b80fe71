#include "task/pool_impl.h"

namespace mica::task {

Group::Group(Pool& pool, Cancel cancel) : state_(std::make_shared<State>(pool.impl())) { state_->cancel = cancel.child(); }

Group::~Group() {
  if (state_->waited) return;
  // Left without a wait, so the scope is being left early: nobody will look at the results.
  state_->cancel.stop();
  auto ended = wait();
  (void)ended;
}

void Group::run(Task task) { state_->pool.push(state_, std::move(task)); }

Result<> Group::wait() {
  State& state = *state_;
  Pool::Impl& pool = state.pool;
  Pool::Impl* const held = slot_holder;
  const bool holds_slot = held == &pool;
  Pool::Impl::Lock lock(pool.mutex);
  MICA_ASSERT(!std::exchange(state.waited, true), "a group is waited for once");
  while (state.unfinished > 0) {
    // A worker may always run what it waits for, in its own slot; another thread needs a free one, for the limit's sake.
    if (!state.queued.empty() && (holds_slot || pool.active < pool.slots)) {
      if (!holds_slot) ++pool.active;
      slot_holder = &pool;
      pool.run_one(lock, state);
      slot_holder = held;
      if (!holds_slot) pool.give_slot_back(lock);
      continue;
    }
    if (holds_slot) pool.give_slot_back(lock);
    state.changed.wait(lock);
    if (holds_slot) pool.take_slot_unasked(lock);
  }
  if (state.first_error) return fail(std::move(*state.first_error));
  return {};
}

const Cancel& Group::cancel() const { return state_->cancel; }

}  // namespace mica::task
