/// Threads: one Pool owned by the engine, Groups of tasks in a scope, cancellation, limits.
#pragma once
#include <functional>
#include <memory>

#include "base/error.h"

namespace mica::task {

/// A stop token. Copies share the state. Default-constructed: never stops.
class Cancel {
 public:
  Cancel() = default;
  static Cancel create();
  /// A token that stops when this one does or when it is stopped itself.
  Cancel child() const;
  void stop() const;
  bool stopped() const;
  /// Readable (poll POLLIN) once stopped; for waiting in poll. -1 for a default token. Valid while any copy lives.
  int fd() const;
  /// The error to return: Errc::cancelled.
  static Error error();
  /// Error when stopped.
  Result<> check() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// A fixed set of worker threads started at first use; extra threads are lent while workers block (see Blocking). All of them
/// live until the pool dies, so a child process started from a task may outlive the task. Workers have all signals blocked.
class Pool {
 public:
  explicit Pool(int threads);   ///< 0: number of CPUs
  ~Pool();
  int threads() const;
  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

/// Declares that the current task blocks (waits for a child, a lock, the network): the pool lends another worker meanwhile.
/// Does nothing on a thread that runs no task of this pool, and inside another Blocking.
class Blocking {
 public:
  explicit Blocking(Pool& pool);
  ~Blocking();

 private:
  Pool& pool_;
  bool lent_;
};

/// Tasks in a scope: the first error stops the others' token; wait() returns after all have ended, running queued tasks of its
/// own group meanwhile, so that nesting cannot deadlock. Tasks not yet started when the token stops are not run at all and count
/// as cancelled. Tasks start in the order of run(), and may call run() of their own group. A group that is destroyed without
/// wait() is stopped, then waited for.
class Group {
 public:
  Group(Pool& pool, Cancel cancel);
  ~Group();
  using Task = std::function<Result<>(Cancel)>;
  void run(Task task);
  /// The first error in time, or success. May be called once.
  Result<> wait();
  const Cancel& cancel() const;
  struct State;

 private:
  std::shared_ptr<State> state_;
};

/// A counting limit: at most n holders at once.
class Limit {
 public:
  explicit Limit(int n);
  ~Limit();
  class Hold {
   public:
    Hold(Hold&&) noexcept;
    ~Hold();

   private:
    friend class Limit;
    explicit Hold(Limit* limit) : limit_(limit) {}
    Limit* limit_;
  };
  /// Waits for a place, in the order of asking. Wrap in Blocking when it may take long. Errors: cancelled.
  Result<Hold> take(Cancel cancel);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mica::task
