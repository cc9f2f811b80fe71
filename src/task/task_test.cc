#include "task/task.h"

#include <doctest/doctest.h>
#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "base/time.h"

using namespace mica;
using task::Cancel;

namespace {
bool is_readable(int fd, int wait_ms = 0) {
  pollfd one{.fd = fd, .events = POLLIN};
  return ::poll(&one, 1, wait_ms) == 1;
}

void sleep_ms(int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

/// Waits, with a limit that only a hang reaches.
template <class Condition>
bool becomes_true(Condition condition) {
  for (int i = 0; i < 10'000; ++i, sleep_ms(1))
    if (condition()) return true;
  return false;
}

/// Counts who is inside, and the most there ever were.
struct Crowd {
  std::atomic<int> inside = 0, most = 0;
  void enter() {
    const int now = ++inside;
    for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {}
  }
  void leave() { --inside; }
};
}  // namespace

TEST_CASE("a default token never stops") {
  const Cancel none;
  none.stop();
  CHECK_FALSE(none.stopped());
  CHECK(none.fd() == -1);
  CHECK(none.check());
  CHECK_FALSE(none.child().stopped());
  CHECK(none.child().fd() >= 0);
}

TEST_CASE("stopping reaches copies, children and their descriptors, and never the parent") {
  const Cancel root = Cancel::create();
  const Cancel copy = root, child = root.child(), grandchild = child.child();
  const int early = grandchild.fd();
  CHECK_FALSE(is_readable(early));
  child.stop();
  CHECK(child.stopped());
  CHECK(grandchild.stopped());
  CHECK(is_readable(early));
  CHECK_FALSE(root.stopped());
  CHECK_FALSE(copy.stopped());
  root.stop();
  CHECK(copy.stopped());
  CHECK(is_readable(root.fd()));
  CHECK(root.child().stopped());
  CHECK(is_readable(root.child().child().fd()));
  CHECK(root.check().error().code() == Errc::cancelled);
}

TEST_CASE("a token survives many children that come and go") {
  const Cancel root = Cancel::create();
  std::vector<Cancel> kept;
  for (int i = 0; i < 10'000; ++i) {
    const Cancel child = root.child();
    if (i % 1000 == 0) kept.push_back(child);
  }
  root.stop();
  for (const Cancel& child : kept) CHECK(child.stopped());
}

TEST_CASE("tokens may be stopped, polled and branched from many threads") {
  for (int round = 0; round < 50; ++round) {
    const Cancel root = Cancel::create();
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        const Cancel mine = root.child();
        is_readable(mine.fd(), 5000);
        CHECK(mine.stopped());
      });
    root.stop();
    for (std::thread& thread : threads) thread.join();
  }
}

TEST_CASE("a group runs all its tasks, with at most the pool's number at once") {
  for (const int threads : {1, 2, 5}) {
    CAPTURE(threads);
    task::Pool pool(threads);
    CHECK(pool.threads() == threads);
    task::Group group(pool, {});
    Crowd crowd;
    std::atomic<int> sum = 0;
    for (int i = 1; i <= 500; ++i)
      group.run([&, i](Cancel) -> Result<> {
        crowd.enter();
        sum += i;
        if (i % 50 == 0) sleep_ms(1);
        crowd.leave();
        return {};
      });
    CHECK(group.wait());
    CHECK(sum == 500 * 501 / 2);
    CHECK(crowd.most <= threads);
  }
}

TEST_CASE("a pool starts no thread until it is used, and an empty group ends at once") {
  task::Pool pool(0);
  CHECK(pool.threads() >= 1);
  task::Group group(pool, {});
  CHECK(group.wait());
}

TEST_CASE("tasks start in the order given") {
  task::Pool pool(1);
  task::Group group(pool, {});
  std::vector<int> order;
  std::mutex mutex;
  for (int i = 0; i < 100; ++i)
    group.run([&, i](Cancel) -> Result<> {
      const std::lock_guard lock(mutex);
      order.push_back(i);
      return {};
    });
  CHECK(group.wait());
  CHECK(std::is_sorted(order.begin(), order.end()));
  CHECK(order.size() == 100);
}

TEST_CASE("the first error in time wins, stops running siblings and skips waiting ones") {
  task::Pool pool(2);
  task::Group group(pool, {});
  std::atomic<bool> sibling_stopped = false, sibling_runs = false;
  std::atomic<int> late = 0;
  group.run([&](Cancel stop) -> Result<> {
    sibling_runs = true;
    sibling_stopped = is_readable(stop.fd(), 10'000);
    return fail(Errc::internal, "ended by the stop");
  });
  group.run([&](Cancel) -> Result<> {
    becomes_true([&] { return sibling_runs.load(); });
    return fail(Errc::not_found, "the cause");
  });
  for (int i = 0; i < 20; ++i)
    group.run([&](Cancel) -> Result<> {
      ++late;
      return {};
    });
  const auto result = group.wait();
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().text() == "the cause");
  CHECK(sibling_stopped);
  CHECK(late == 0);
}

TEST_CASE("stopping the token given to a group makes it end as cancelled") {
  task::Pool pool(2);
  const Cancel cancel = Cancel::create();
  {
    task::Group group(pool, cancel);
    group.run([&](Cancel stop) -> Result<> {
      cancel.stop();
      return stop.check();
    });
    const auto result = group.wait();
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().code() == Errc::cancelled);
  }
  task::Group late(pool, cancel);
  bool ran = false;
  late.run([&](Cancel) -> Result<> {
    ran = true;
    return {};
  });
  CHECK(late.wait().error().code() == Errc::cancelled);
  CHECK_FALSE(ran);
}

TEST_CASE("an error of a group does not stop the token it was given") {
  task::Pool pool(1);
  const Cancel cancel = Cancel::create();
  task::Group group(pool, cancel);
  group.run([](Cancel) -> Result<> { return fail(Errc::corrupt, "bad"); });
  CHECK(group.wait().error().code() == Errc::corrupt);
  CHECK(group.cancel().stopped());
  CHECK_FALSE(cancel.stopped());
}

TEST_CASE("groups inside tasks do not deadlock, even on one thread") {
  for (const int threads : {1, 2}) {
    task::Pool pool(threads);
    std::atomic<int> leaves = 0;
    std::function<Result<>(Cancel, int)> grow = [&](Cancel cancel, int depth) -> Result<> {
      if (depth == 0) {
        ++leaves;
        return {};
      }
      task::Group group(pool, cancel);
      for (int i = 0; i < 3; ++i) group.run([&, depth](Cancel stop) { return grow(stop, depth - 1); });
      return group.wait();
    };
    CHECK(grow({}, 6));
    CHECK(leaves == 729);
  }
}

TEST_CASE("a task may add tasks to its own group") {
  task::Pool pool(2);
  task::Group group(pool, {});
  std::atomic<int> left = 100, ran = 0;
  std::function<Result<>(Cancel)> next = [&](Cancel) -> Result<> {
    ++ran;
    if (--left > 0) group.run(next);
    return {};
  };
  group.run(next);
  CHECK(group.wait());
  CHECK(ran == 100);
}

TEST_CASE("blocking tasks lend their place, and get it back") {
  task::Pool pool(1);
  task::Group group(pool, {});
  constexpr int kBlocked = 6;
  std::mutex mutex;
  std::condition_variable all_here;
  int here = 0;
  for (int i = 0; i < kBlocked; ++i)
    group.run([&](Cancel) -> Result<> {
      const task::Blocking blocking(pool);
      const task::Blocking again(pool);
      std::unique_lock lock(mutex);
      ++here;
      all_here.notify_all();
      if (!all_here.wait_for(lock, std::chrono::seconds(10), [&] { return here == kBlocked; })) return fail(Errc::internal, "not lent");
      return {};
    });
  CHECK(group.wait());
  Crowd crowd;
  task::Group after(pool, {});
  for (int i = 0; i < 20; ++i)
    after.run([&](Cancel) -> Result<> {
      crowd.enter();
      sleep_ms(1);
      crowd.leave();
      return {};
    });
  CHECK(after.wait());
  CHECK(crowd.most == 1);
}

TEST_CASE("blocking outside a task of the pool does nothing") {
  task::Pool pool(1), other(1);
  { const task::Blocking outside(pool); }
  task::Group group(pool, {});
  Crowd crowd;
  for (int i = 0; i < 10; ++i)
    group.run([&](Cancel) -> Result<> {
      const task::Blocking elsewhere(other);
      crowd.enter();
      sleep_ms(1);
      crowd.leave();
      return {};
    });
  CHECK(group.wait());
  CHECK(crowd.most == 1);
}

TEST_CASE("a group may be waited for while blocking") {
  task::Pool pool(1);
  task::Group outer(pool, {});
  std::atomic<int> ran = 0;
  outer.run([&](Cancel stop) -> Result<> {
    const task::Blocking blocking(pool);
    task::Group inner(pool, stop);
    for (int i = 0; i < 10; ++i)
      inner.run([&](Cancel) -> Result<> {
        ++ran;
        return {};
      });
    return inner.wait();
  });
  CHECK(outer.wait());
  CHECK(ran == 10);
}

TEST_CASE("a group left without waiting is stopped, and its tasks are over before the scope is") {
  task::Pool pool(2);
  std::atomic<bool> running = false, stopped = false;
  {
    task::Group group(pool, {});
    group.run([&](Cancel stop) -> Result<> {
      running = true;
      stopped = is_readable(stop.fd(), 10'000);
      return {};
    });
    REQUIRE(becomes_true([&] { return running.load(); }));
  }
  CHECK(stopped);
}

TEST_CASE("what a task captured is gone before wait returns") {
  task::Pool pool(2);
  for (int round = 0; round < 200; ++round) {
    auto held = std::make_shared<int>(1);
    task::Group group(pool, {});
    group.run([held](Cancel) -> Result<> { return {}; });
    CHECK(group.wait());
    CHECK(held.use_count() == 1);
  }
}

TEST_CASE("workers have signals blocked") {
  task::Pool pool(1);
  task::Group group(pool, {});
  std::atomic<bool> on_worker = false, blocked = false;
  const auto main_thread = std::this_thread::get_id();
  group.run([&](Cancel) -> Result<> {
    on_worker = std::this_thread::get_id() != main_thread;
    sigset_t mask;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    blocked = ::sigismember(&mask, SIGTERM) == 1;
    return {};
  });
  REQUIRE(becomes_true([&] { return blocked.load() || !on_worker; }));
  CHECK(group.wait());
  CHECK(blocked == on_worker);
}

TEST_CASE("several threads may use one pool, each with its own groups") {
  task::Pool pool(2);
  std::atomic<int> ran = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        task::Group group(pool, {});
        for (int i = 0; i < 10; ++i)
          group.run([&](Cancel stop) -> Result<> {
            ++ran;
            return stop.check();
          });
        CHECK(group.wait());
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(ran == 2000);
}

TEST_CASE("a limit lets in at most its number") {
  task::Limit limit(2);
  Crowd crowd;
  std::atomic<int> through = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        const auto hold = limit.take({});
        CHECK(hold.has_value());
        crowd.enter();
        std::this_thread::yield();
        crowd.leave();
        ++through;
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(through == 1200);
  CHECK(crowd.most <= 2);
}

TEST_CASE("waiting for a place ends when cancelled, and loses no place") {
  task::Limit limit(1);
  for (int round = 0; round < 20; ++round) {
    auto held = limit.take({});
    REQUIRE(held.has_value());
    const Cancel cancel = Cancel::create();
    std::thread waiter([&] {
      const auto hold = limit.take(cancel);
      if (!hold) CHECK(hold.error().code() == Errc::cancelled);
    });
    if (round % 2) sleep_ms(1);
    std::thread stopper([&] { cancel.stop(); });
    { const auto given_up = std::move(*held); }
    waiter.join();
    stopper.join();
  }
  CHECK(limit.take({}).has_value());
  const Cancel stopped = Cancel::create();
  stopped.stop();
  CHECK(limit.take(stopped).error().code() == Errc::cancelled);
}

TEST_CASE("places are given in the order of asking") {
  task::Limit limit(1);
  auto first = std::make_optional(std::move(*limit.take({})));
  std::vector<int> order;
  std::mutex mutex;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      const auto hold = limit.take({});
      const std::lock_guard lock(mutex);
      order.push_back(i);
    });
    sleep_ms(20);
  }
  first.reset();
  for (std::thread& thread : threads) thread.join();
  CHECK(order == std::vector{0, 1, 2, 3});
}
