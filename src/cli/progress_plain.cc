#include "cli/progress_plain.h"

#include <algorithm>
#include <utility>

#include "base/format.h"

namespace mica::cli {
namespace {

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kSilence = 300 * kMs;          // a holder this quiet gives the floor away
constexpr std::int64_t kLongestTurn = 5'000 * kMs;    // while others wait
constexpr std::size_t kMostHeld = 64 << 10;
constexpr std::int64_t kFirstMoving = 500 * kMs, kMovingEvery = 5'000 * kMs;

}  // namespace

std::string PlainText::on(const build::Event& event, std::int64_t now) {
  now_ = now;
  if (const auto* announced = std::get_if<build::StepAnnounced>(&event)) {
    steps_[announced->step].title = terminal_ ? plain_line(announced->title) : announced->title;
  } else if (const auto* started = std::get_if<build::StepStarted>(&event)) {
    Step& step = steps_[started->step];
    step.started = true;
    step.begun = now;
    if (floor_ == 0) give_floor(started->step);
  } else if (const auto* bytes = std::get_if<build::StepOutput>(&event)) {
    output(*bytes);
  } else if (const auto* progress = std::get_if<build::StepProgress>(&event)) {
    moved(*progress);
  } else if (const auto* explained = std::get_if<build::StepExplained>(&event)) {
    for (const auto& reason : explained->reasons) put_line(explained->step, (explained->hit ? "hit: " : "runs: ") + reason);
  } else if (const auto* end = std::get_if<build::StepFinished>(&event)) {
    finished(*end);
  } else if (const auto* opened = std::get_if<build::ShellOpened>(&event)) {
    shell(*opened);
  }
  return take();
}

bool PlainText::holds_back() const {
  return std::any_of(steps_.begin(), steps_.end(), [](const auto& step) { return !step.second.held.empty(); });
}

std::string PlainText::tick(std::int64_t now) {
  now_ = now;
  const build::StepNumber longest = longest_held();
  if (longest != 0 && (now - spoken_ >= kSilence || now - floor_since_ >= kLongestTurn)) give_floor(longest);
  return take();
}

std::string PlainText::finish() {
  for (auto& [number, step] : steps_)
    if (!step.held.empty()) give_floor(number);
  if (floor_ != 0 && steps_[floor_].open_line) out_ += "\n";
  shell_ = false;
  for (const auto& [number, step] : steps_)
    if (step.failed && !step.tail.lines().empty()) out_ += failure_block(step.title, step.tail, terminal_);
  return take();
}

build::StepNumber PlainText::longest_held() const {
  build::StepNumber longest = 0;
  for (const auto& [number, step] : steps_)
    if (!step.held.empty() && (longest == 0 || step.held_since < steps_.at(longest).held_since)) longest = number;
  return longest;
}

/// Adds whole or unfinished lines of a step, with their prefixes.
void PlainText::put(build::StepNumber number, std::string_view text) {
  Step& step = steps_[number];
  if (floor_ == 0) give_floor(number);
  if (floor_ == number) {
    out_ += text;
    spoken_ = now_;
    return;
  }
  if (step.held.empty()) step.held_since = now_;
  step.held += text;
  const bool turn_over = now_ - spoken_ >= kSilence || (now_ - floor_since_ >= kLongestTurn && now_ - step.held_since >= kSilence);
  if (turn_over || step.held.size() > kMostHeld) give_floor(number);
}

void PlainText::put_line(build::StepNumber number, std::string_view text) {
  Step& step = steps_[number];
  const std::string end = step.open_line ? "\n" : "";
  step.open_line = false;
  put(number, format("{}#{} {}\n", end, number, text));
}

void PlainText::give_floor(build::StepNumber number) {
  if (floor_ != 0 && floor_ != number) {
    Step& before = steps_[floor_];
    if (before.open_line) out_ += "\n";
    before.open_line = false;
    out_ += format("#{} ...\n", floor_);
  }
  Step& step = steps_[number];
  if (floor_ != number) {
    if (!first_) out_ += "\n";
    out_ += format("#{} {}\n", number, step.title);
  }
  first_ = false;
  out_ += std::exchange(step.held, {});
  floor_ = number;
  floor_since_ = spoken_ = now_;
}

void PlainText::output(const build::StepOutput& event) {
  Step& step = steps_[event.step];
  const std::string stamp = event.replayed || !step.started ? "" : shown_stamp(now_ - step.begun);
  step.tail.add(event.bytes, stamp);
  const std::string text = terminal_ ? harmless(event.bytes) : event.bytes;
  const std::string prefix = format("#{} {}{}", event.step, stamp, stamp.empty() ? "" : " ");
  std::string lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    if (!step.open_line) lines += prefix;
    step.open_line = end == text.npos;
    const std::size_t next = step.open_line ? text.size() : end + 1;
    lines.append(text, begin, next - begin);
    begin = next;
  }
  put(event.step, lines);
}

/// The first line comes when the transfer takes long, then one every few seconds, and the last one always.
void PlainText::moved(const build::StepProgress& event) {
  Moving& moving = steps_[event.step].moving[event.what];
  if (moving.begun == 0) moving = {now_, now_ + kFirstMoving - kMovingEvery};
  if (!event.finished && now_ - moving.shown < kMovingEvery) return;
  moving.shown = now_;
  std::string line = shown_moving(event.what, event.done, event.total);
  if (now_ - moving.begun > 10 * kMs) line += " " + shown_seconds(now_ - moving.begun);
  put_line(event.step, line + (event.finished ? " done" : ""));
}

void PlainText::finished(const build::StepFinished& event) {
  Step& step = steps_[event.step];
  step.finished = true;
  step.failed = event.outcome == build::Outcome::failed;
  // Steps that were never begun are no news when the build stops.
  if (event.outcome == build::Outcome::cancelled && !step.started) return;
  if (floor_ != event.step) give_floor(event.step);
  switch (event.outcome) {
    case build::Outcome::done: put_line(event.step, "DONE " + shown_seconds(event.duration_ns)); break;
    case build::Outcome::cached: put_line(event.step, "CACHED"); break;
    case build::Outcome::cancelled: put_line(event.step, "CANCELED"); break;
    case build::Outcome::failed: put_line(event.step, "ERROR: " + (terminal_ ? harmless(event.error) : event.error)); break;
  }
  floor_ = 0;
  build::StepNumber next = longest_held();
  for (const auto& [number, other] : steps_)
    if (next == 0 && other.started && !other.finished) next = number;
  if (next != 0) give_floor(next);
}

void PlainText::shell(const build::ShellOpened& event) {
  if (event.open) put_line(event.step, "a shell opens in the state in which the step failed; leave it with 'exit'");
  shell_ = event.open;
}

/// While a debug shell has the terminal, text waits. What came before the shell is taken by the same call that opened it.
std::string PlainText::take() {
  if (shell_ && !std::exchange(shell_announced_, shell_)) return std::exchange(out_, {});
  if (shell_) return {};
  shell_announced_ = false;
  return std::exchange(out_, {});
}

}  // namespace mica::cli
