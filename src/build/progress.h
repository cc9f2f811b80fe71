/// Numbers the steps of one build and passes events on, one at a time.
#pragma once
#include <mutex>
#include <string>

#include "build/events.h"

namespace mica::build {

class Progress {
 public:
  /// `sink` may be null (nobody looks). It must outlive this.
  explicit Progress(EventSink* sink) : sink_(sink) {}
  /// Announces a step; numbers count from 1.
  StepNumber announce(std::string title);
  void send(const Event& event);
  void started(StepNumber step);
  void finished(StepNumber step, Outcome outcome, std::int64_t duration_ns, std::string error = {});

 private:
  std::mutex mutex_;
  EventSink* sink_;
  StepNumber last_ = 0;
};

/// One internal step ("[internal] load build definition"): announced and started when made, finished when it dies; `done()` says
/// that it went well, otherwise it failed.
class Stage {
 public:
  Stage(Progress& progress, std::string title);
  ~Stage();
  Stage(const Stage&) = delete;
  StepNumber number() const { return step_; }
  void progress(std::string what, std::int64_t done, std::int64_t total, bool finished);
  void done() { outcome_ = Outcome::done; }
  void failed(std::string error) { error_ = std::move(error); }

 private:
  Progress& progress_;
  StepNumber step_;
  std::int64_t begun_;
  Outcome outcome_ = Outcome::failed;
  std::string error_;
};

}  // namespace mica::build
