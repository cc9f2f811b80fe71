#include "cli/progress_tty.h"

#include <algorithm>
#include <utility>

#include "base/format.h"

namespace mica::cli {
namespace {

constexpr std::size_t kMostTail = 6;       // lines of output below a running step
constexpr std::size_t kMostMoving = 8;     // transfers below a running step
constexpr std::string_view kClearLine = "\x1b[K", kClearBelow = "\x1b[J";

}  // namespace

void TtyScreen::on(const build::Event& event, std::int64_t now) {
  if (begun_ == 0) begun_ = now;
  if (const auto* announced = std::get_if<build::StepAnnounced>(&event)) {
    steps_[announced->step].title = plain_line(announced->title);
  } else if (const auto* started = std::get_if<build::StepStarted>(&event)) {
    Step& step = steps_[started->step];
    step.started = true;
    step.begun = now;
  } else if (const auto* bytes = std::get_if<build::StepOutput>(&event)) {
    Step& step = steps_[bytes->step];
    step.tail.add(bytes->bytes, bytes->replayed || !step.started ? "" : shown_stamp(now - step.begun));
  } else if (const auto* progress = std::get_if<build::StepProgress>(&event)) {
    moved(*progress, now);
  } else if (const auto* explained = std::get_if<build::StepExplained>(&event)) {
    for (const auto& reason : explained->reasons)
      steps_[explained->step].reasons.push_back(plain_line((explained->hit ? "hit: " : "runs: ") + reason));
  } else if (const auto* end = std::get_if<build::StepFinished>(&event)) {
    finished(*end);
  } else if (const auto* shell = std::get_if<build::ShellOpened>(&event)) {
    shell_ = shell->open;
    if (shell->open) ended_.push_back({" => a shell opens in the state in which the step failed; leave it with 'exit'", -1, Paint::yellow});
  }
}

void TtyScreen::moved(const build::StepProgress& event, std::int64_t now) {
  auto& all = steps_[event.step].moving;
  auto found = std::find_if(all.begin(), all.end(), [&](const Moving& moving) { return moving.what == event.what; });
  if (found == all.end()) found = all.insert(all.end(), Moving{.what = event.what, .begun = now});
  found->done = event.done;
  found->total = event.total;
  if (event.finished) found->ended = now;
}

void TtyScreen::finished(const build::StepFinished& event) {
  Step& step = steps_[event.step];
  step.finished = true;
  if (event.outcome == build::Outcome::cancelled) {
    cancelled_ = true;
    if (!step.started) return;
  }
  const bool cached = event.outcome == build::Outcome::cached, failed = event.outcome == build::Outcome::failed;
  step.failed = failed;
  failed_ = failed_ || failed;
  if (event.outcome == build::Outcome::done || cached) ++done_;
  std::string_view word;
  if (cached) word = "CACHED ";
  else if (failed) word = "ERROR ";
  else if (event.outcome == build::Outcome::cancelled) word = "CANCELED ";
  const Paint paint = failed ? Paint::red : event.outcome == build::Outcome::cancelled ? Paint::yellow : Paint::blue;
  ended_.push_back({format(" => {}{}", word, step.title), event.duration_ns, paint});
  for (const std::string& reason : step.reasons) ended_.push_back({" => => " + reason, -1, Paint::dim});
  for (std::size_t i = 0; i < step.moving.size() && i < kMostMoving; ++i) {
    const Moving& moving = step.moving[i];
    if (moving.ended != 0) ended_.push_back({" => => " + plain_line(shown_moving(moving.what, moving.done, moving.total)), moving.ended - moving.begun, paint});
  }
  step.moving.clear();
}

std::string TtyScreen::line(std::string_view left, std::int64_t ns, Paint paint, int width) const {
  const std::string right = ns < 0 ? "" : shown_seconds(ns);
  // The last column stays free: a terminal that wraps early would make two lines of one.
  const int room = width - 1 - static_cast<int>(right.size()) - (right.empty() ? 0 : 1);
  std::string text = cut_to(left, std::max(room, 0));
  if (!right.empty()) text += std::string(static_cast<std::size_t>(std::max(room - columns(text), 0)) + 1, ' ') + right;
  if (!colour_ || paint == Paint::none) return text;
  const std::string_view code = paint == Paint::blue ? "34" : paint == Paint::red ? "31" : paint == Paint::yellow ? "33" : "2";
  return format("\x1b[{}m{}\x1b[0m", code, text);
}

std::string TtyScreen::sum_line(int width, std::int64_t now, std::string_view state) const {
  return line(format("[+] Building {} ({}/{}){}{}", shown_seconds(begun_ == 0 ? 0 : now - begun_), done_, steps_.size(), state.empty() ? "" : " ", state), -1,
              Paint::none, width);
}

void TtyScreen::live_lines(TtySize size, std::int64_t now, std::vector<std::string>& lines) const {
  std::vector<const Step*> running;
  for (const auto& [number, step] : steps_)
    if (step.started && !step.finished) running.push_back(&step);
  const auto room = static_cast<std::size_t>(std::max(size.height - 2, 1));   // the sum line, and the cursor's
  const std::size_t shown = running.size() <= room ? running.size() : room - 1;
  const std::size_t below = shown == 0 ? 0 : (room - shown) / shown;
  for (std::size_t i = 0; i < shown; ++i) {
    const Step& step = *running[i];
    lines.push_back(line(" => " + step.title, now - step.begun, Paint::none, size.width));
    std::size_t left = below;
    for (std::size_t k = step.moving.size() > kMostMoving ? step.moving.size() - kMostMoving : 0; k < step.moving.size() && left > 0; ++k, --left) {
      const Moving& moving = step.moving[k];
      lines.push_back(line(" => => " + plain_line(shown_moving(moving.what, moving.done, moving.total)),
                           (moving.ended != 0 ? moving.ended : now) - moving.begun, Paint::none, size.width));
    }
    const auto& tail = step.tail.lines();
    left = std::min({left, kMostTail, tail.size()});
    for (std::size_t k = tail.size() - left; k < tail.size(); ++k) lines.push_back(line(" => => # " + plain_line(tail[k].text), -1, Paint::dim, size.width));
  }
  if (shown < running.size()) lines.push_back(line(format(" => and {} more", running.size() - shown), -1, Paint::none, size.width));
}

/// Moves to the start of the last drawing. A terminal that became narrower has wrapped its lines.
std::string TtyScreen::erase(int width) {
  int rows = 0;
  for (const int columns : drawn_) rows += std::max((columns + width - 1) / std::max(width, 1), 1);
  drawn_.clear();
  return rows == 0 ? "" : format("\r\x1b[{}A", rows);
}

std::string TtyScreen::take_ended(int width) {
  std::string text;
  for (const Ended& ended : std::exchange(ended_, {})) text += line(ended.left, ended.ns, ended.paint, width) + std::string(kClearLine) + "\n";
  return text;
}

std::string TtyScreen::draw(TtySize size, std::int64_t now) {
  if (shell_ && ended_.empty() && drawn_.empty()) return {};
  std::string text = erase(size.width) + take_ended(size.width);
  if (!shell_) {
    std::vector<std::string> lines = {sum_line(size.width, now, "")};
    live_lines(size, now, lines);
    for (const std::string& one : lines) {
      text += one + std::string(kClearLine) + "\n";
      drawn_.push_back(columns(plain_line(one)));
    }
  }
  return text + std::string(kClearBelow);
}

std::string TtyScreen::finish(TtySize size, std::int64_t now) {
  std::string text = erase(size.width) + take_ended(size.width);
  const bool all = std::all_of(steps_.begin(), steps_.end(), [](const auto& step) { return step.second.finished; });
  const std::string_view state = failed_ ? "ERROR" : cancelled_ || !all ? "CANCELED" : "FINISHED";
  text += sum_line(size.width, now, state) + std::string(kClearLine) + "\n" + std::string(kClearBelow);
  for (const auto& [number, step] : steps_)
    if (step.failed && !step.tail.lines().empty()) text += failure_block(step.title, step.tail, true);
  return text;
}

}  // namespace mica::cli
