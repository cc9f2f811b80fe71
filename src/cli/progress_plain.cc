#include "cli/progress_plain.h"

#include "base/format.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/progress.h"

namespace mica::cli {
namespace {

constexpr std::size_t kTailBytes = 8 << 10;
constexpr std::size_t kMaxLineBytes = 1 << 20;

}  // namespace

PlainProgress::~PlainProgress() {
  if (quiet_ || warnings_.empty()) return;
  std::string text = format("\n {} warning{} found (use --check to see more):\n", warnings_.size(), warnings_.size() == 1 ? "" : "s");
  for (const auto& warning : warnings_) {
    text += format(" - {}: {}", warning.diagnostic.code, warning.diagnostic.message);
    if (warning.diagnostic.where.line > 0) text += format(" (line {})", warning.diagnostic.where.line);
    text += "\n";
  }
  write_(text);
}

void PlainProgress::line(build::StepNumber number, std::string_view text) {
  if (quiet_) return;
  Step& step = steps_[number];
  std::string out;
  if (current_ != number) {
    if (current_ != 0) out += "\n";
    current_ = number;
    out += format("#{} {}\n", number, step.title);
    step.shown = true;
  }
  if (!text.empty()) out += format("#{} {}\n", number, text);
  write_(out);
}

void PlainProgress::output(const build::StepOutput& event) {
  Step& step = steps_[event.step];
  step.tail += event.bytes;
  if (step.tail.size() > 2 * kTailBytes) step.tail.erase(0, step.tail.size() - kTailBytes);
  step.pending += event.bytes;
  const std::string stamp = event.replayed || step.begun_ns == 0 ? "" : format("{:.3f} ", static_cast<double>(monotonic_ns() - step.begun_ns) / 1e9);
  std::size_t begin = 0;
  for (std::size_t end; (end = step.pending.find('\n', begin)) != step.pending.npos; begin = end + 1)
    line(event.step, stamp + std::string(trim_right(std::string_view(step.pending).substr(begin, end - begin), "\r")));
  step.pending.erase(0, begin);
  if (step.pending.size() > kMaxLineBytes) {
    line(event.step, stamp + step.pending);
    step.pending.clear();
  }
}

void PlainProgress::finished(const build::StepFinished& event) {
  Step& step = steps_[event.step];
  if (!step.pending.empty()) line(event.step, step.pending);
  step.pending.clear();
  switch (event.outcome) {
    case build::Outcome::done: line(event.step, "DONE " + shown_seconds(event.duration_ns)); break;
    case build::Outcome::cached: line(event.step, "CACHED"); break;
    case build::Outcome::cancelled:
      if (step.begun_ns != 0) line(event.step, "CANCELED");
      break;
    case build::Outcome::failed:
      line(event.step, "ERROR: " + event.error);
      if (step.tail.empty()) break;
      std::string text = format("{}------\n > {}:\n", quiet_ ? "" : "\n", step.title);
      const auto lines = split(trim_right(step.tail, "\n"), '\n');
      for (std::size_t i = lines.size() > 20 ? lines.size() - 20 : 0; i < lines.size(); ++i) text += std::string(lines[i]) + "\n";
      write_(text + "------\n");
      current_ = 0;
      break;
  }
}

void PlainProgress::on(const build::Event& event) {
  if (const auto* announced = std::get_if<build::StepAnnounced>(&event)) {
    steps_[announced->step].title = announced->title;
  } else if (const auto* started = std::get_if<build::StepStarted>(&event)) {
    steps_[started->step].begun_ns = monotonic_ns();
    line(started->step, "");
  } else if (const auto* out = std::get_if<build::StepOutput>(&event)) {
    output(*out);
  } else if (const auto* progress = std::get_if<build::StepProgress>(&event)) {
    if (!progress->finished) return;
    std::string text = progress->what;
    if (progress->total > 0) text += format(": {}", human_size(progress->total));
    line(progress->step, text + " done");
  } else if (const auto* explained = std::get_if<build::StepExplained>(&event)) {
    for (const auto& reason : explained->reasons) line(explained->step, (explained->hit ? "hit: " : "runs: ") + reason);
  } else if (const auto* finish = std::get_if<build::StepFinished>(&event)) {
    finished(*finish);
  } else if (const auto* warning = std::get_if<build::Warned>(&event)) {
    warnings_.push_back(*warning);
  }
}

}  // namespace mica::cli
