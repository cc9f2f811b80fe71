/// The inside of Pool, shared with Group.
///
/// A *slot* is the right to run a task; there are as many as the pool has threads by its constructor. A thread takes a slot with a
/// task and gives it back at its end, or for as long as it is Blocking or waits for a group with nothing of that group left to
/// run; meanwhile another thread may use the slot. Coming back from blocking takes a slot unasked, so that for a moment more
/// tasks than slots may run: making it wait instead could hold a lock, or a child process, that the others need.
///
/// Threads are started when there is a task, a free slot and no idle thread, and they stay until the pool dies: a worker that
/// ended would take the children it started with it (sys::Spawn::die_with_parent counts per thread).
#pragma once
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "task/task.h"

namespace mica::task {

struct Group::State {
  explicit State(Pool::Impl& of) : pool(of) {}

  Pool::Impl& pool;
  Cancel cancel;
  // Under pool.mutex:
  std::deque<Task> queued;
  int unfinished = 0;
  bool waited = false;
  std::optional<Error> first_error;
  std::condition_variable changed;  // all finished, or something to run while waiting
};

struct Pool::Impl {
  using Lock = std::unique_lock<std::mutex>;

  explicit Impl(int threads) : slots(threads) {}
  ~Impl();

  /// Puts one task of the group in line.
  void push(const std::shared_ptr<Group::State>& group, Group::Task task);
  /// Runs the group's oldest queued task; the caller holds a slot.
  void run_one(Lock& lock, Group::State& group);
  void give_slot_back(Lock& lock);
  void take_slot_unasked(Lock&) { ++active; }
  /// Has an idle or new thread look for work when there is work and a free slot.
  void find_hand(Lock& lock);
  void work();

  const int slots;
  std::mutex mutex;
  // Under the mutex:
  std::deque<std::shared_ptr<Group::State>> line;  // one entry a queued task; stale when a waiting thread took the task itself
  std::vector<std::thread> threads;
  int active = 0;  // slots taken
  int idle = 0;    // threads waiting for work
  bool closing = false;
  std::condition_variable work_or_close;
};

/// The pool whose slot this thread holds.
extern constinit thread_local Pool::Impl* slot_holder;

}  // namespace mica::task
