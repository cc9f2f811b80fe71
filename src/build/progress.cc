#include "build/progress.h"

namespace mica::build {

StepNumber Progress::announce(std::string title) {
  const std::lock_guard lock(mutex_);
  const StepNumber step = ++last_;
  if (sink_) sink_->on(StepAnnounced{step, std::move(title)});
  return step;
}

void Progress::send(const Event& event) {
  if (!sink_) return;
  const std::lock_guard lock(mutex_);
  sink_->on(event);
}

void Progress::started(StepNumber step) { send(StepStarted{step, now()}); }

void Progress::finished(StepNumber step, Outcome outcome, std::int64_t duration_ns, std::string error) {
  send(StepFinished{step, outcome, duration_ns, std::move(error)});
}

Stage::Stage(Progress& progress, std::string title) : progress_(progress), step_(progress.announce(std::move(title))), begun_(monotonic_ns()) {
  progress_.started(step_);
}

Stage::~Stage() { progress_.finished(step_, outcome_, monotonic_ns() - begun_, std::move(error_)); }

void Stage::progress(std::string what, std::int64_t done, std::int64_t total, bool finished) {
  progress_.send(StepProgress{step_, std::move(what), done, total, finished});
}

}  // namespace mica::build
