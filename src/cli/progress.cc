#include "cli/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <thread>

#include "base/format.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/progress_json.h"
#include "cli/progress_plain.h"
#include "cli/progress_tty.h"

namespace mica::cli {
namespace {

constexpr std::chrono::milliseconds kTick{100};
constexpr std::int64_t kDrawEvery = 100'000'000;

/// Calls a function ten times a second from its start on, from a thread of its own. Stops without waiting for the next tick.
class Ticker {
 public:
  explicit Ticker(std::function<void()> tick) : tick_(std::move(tick)) {}
  ~Ticker() { stop(); }
  void start() {
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  }
  void stop() {
    if (!thread_.joinable()) return;
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, kTick, [this] { return ended_; })) {
      lock.unlock();
      tick_();
      lock.lock();
    }
  }

  std::function<void()> tick_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool ended_ = false;
  std::thread thread_;
};

/// What the forms have in common: one drawing at a time, and a last one.
class Drawn : public BuildProgress {
 public:
  void on(const build::Event& event) final {
    const std::lock_guard lock(mutex_);
    if (!ended_) note_all(event_text(event));
  }
  void finish() final {
    stop();
    const std::lock_guard lock(mutex_);
    if (!std::exchange(ended_, true)) note_all(last_text());
  }

 protected:
  virtual std::string event_text(const build::Event& event) = 0;
  virtual std::string tick_text() { return {}; }
  virtual std::string last_text() = 0;
  virtual void stop() {}
  void tick() {
    const std::lock_guard lock(mutex_);
    if (!ended_) note_all(tick_text());
  }

 private:
  static void note_all(const std::string& text) {
    if (!text.empty()) note(text);
  }
  std::mutex mutex_;
  bool ended_ = false;
};

class PlainProgress final : public Drawn {
 public:
  PlainProgress() : ticker_([this] { tick(); }) {}
  ~PlainProgress() override { finish(); }

 private:
  std::string event_text(const build::Event& event) override {
    std::string text = text_.on(event, monotonic_ns());
    if (text_.holds_back()) ticker_.start();
    return text;
  }
  std::string tick_text() override { return text_.tick(monotonic_ns()); }
  std::string last_text() override { return text_.finish(); }
  void stop() override { ticker_.stop(); }

  PlainText text_{::isatty(STDERR_FILENO) != 0};
  Ticker ticker_;
};

TtySize terminal_size() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {};
  return {size.ws_col, size.ws_row};
}

class TtyProgress final : public Drawn {
 public:
  TtyProgress() : screen_(use_colour()), ticker_([this] { tick(); }) {}
  ~TtyProgress() override { finish(); }

 private:
  std::string event_text(const build::Event& event) override {
    const std::int64_t now = monotonic_ns();
    screen_.on(event, now);
    // The shell's terminal must be clean before it starts, and what comes after it should not wait.
    const bool shell = std::holds_alternative<build::ShellOpened>(event);
    if (!shell && drawn_ != 0 && now - drawn_ < kDrawEvery) return {};
    if (drawn_ == 0) ticker_.start();
    return draw(now);
  }
  std::string tick_text() override {
    const std::int64_t now = monotonic_ns();
    return now - drawn_ < kDrawEvery / 2 ? "" : draw(now);
  }
  std::string last_text() override { return drawn_ == 0 ? "" : screen_.finish(terminal_size(), monotonic_ns()); }
  std::string draw(std::int64_t now) {
    drawn_ = now;
    return screen_.draw(terminal_size(), now);
  }
  void stop() override { ticker_.stop(); }

  TtyScreen screen_;
  std::int64_t drawn_ = 0;
  Ticker ticker_;
};

class JsonProgress final : public Drawn {
 public:
  ~JsonProgress() override { finish(); }

 private:
  std::string event_text(const build::Event& event) override { return text_.on(event, now()); }
  std::string last_text() override { return {}; }
  JsonText text_;
};

/// Keeps the end of each step's output until it is known how the step ends.
class QuietProgress final : public Drawn {
 public:
  ~QuietProgress() override { finish(); }

 private:
  struct Step {
    std::string title;
    Tail tail{10};
  };
  std::string event_text(const build::Event& event) override {
    if (const auto* announced = std::get_if<build::StepAnnounced>(&event)) steps_[announced->step].title = announced->title;
    else if (const auto* output = std::get_if<build::StepOutput>(&event)) steps_[output->step].tail.add(output->bytes, "");
    else if (const auto* finished = std::get_if<build::StepFinished>(&event)) return end(*finished);
    return {};
  }
  std::string end(const build::StepFinished& finished) {
    const Step step = std::move(steps_[finished.step]);
    steps_.erase(finished.step);
    if (finished.outcome != build::Outcome::failed || step.tail.lines().empty()) return {};
    return failure_block(step.title, step.tail, ::isatty(STDERR_FILENO) != 0);
  }
  std::string last_text() override { return {}; }
  std::map<build::StepNumber, Step> steps_;
};

class NoProgress final : public BuildProgress {
 public:
  void on(const build::Event&) override {}
  void finish() override {}
};

}  // namespace

bool use_colour() {
  const char* no_colour = std::getenv("NO_COLOR");
  return ::isatty(STDERR_FILENO) != 0 && (!no_colour || !*no_colour);
}

Result<std::unique_ptr<BuildProgress>> make_progress(std::string_view kind) {
  constexpr std::array<std::string_view, 6> kKinds = {"auto", "none", "plain", "quiet", "rawjson", "tty"};
  const char* terminal = std::getenv("TERM");
  const bool can_draw = ::isatty(STDERR_FILENO) != 0 && terminal && std::string_view(terminal) != "dumb";
  std::unique_ptr<BuildProgress> progress;
  if (kind == "plain" || ((kind == "auto" || kind == "tty") && !can_draw)) progress = std::make_unique<PlainProgress>();
  else if (kind == "auto" || kind == "tty") progress = std::make_unique<TtyProgress>();
  else if (kind == "rawjson") progress = std::make_unique<JsonProgress>();
  else if (kind == "quiet") progress = std::make_unique<QuietProgress>();
  else if (kind == "none") progress = std::make_unique<NoProgress>();
  if (progress) return progress;
  Error error(Errc::invalid_argument, format("invalid progress mode {}: use auto, plain, tty, rawjson, quiet or none", quoted(kind)));
  if (const auto near = closest(kind, kKinds)) std::move(error).with_hint(format("did you mean {}?", *near));
  return fail(std::move(error));
}

}  // namespace mica::cli
