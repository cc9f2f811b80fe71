/// Plain progress: lines as buildx prints them, each with its step's number.
#pragma once
#include <functional>
#include <map>
#include <string>

#include "engine/build_events.h"

namespace mica::cli {

/// Steps are shown in blocks: when another step speaks, a blank line and its title come first.
class PlainProgress : public build::EventSink {
 public:
  using Write = std::function<void(std::string_view)>;
  /// `quiet`: only the end of a failed step's output is written.
  PlainProgress(Write write, bool quiet) : write_(std::move(write)), quiet_(quiet) {}
  ~PlainProgress() override;
  void on(const build::Event& event) override;

 private:
  struct Step {
    std::string title, pending;      // pending: the unfinished last line
    std::string tail;                // the last lines, for failures
    std::int64_t begun_ns = 0;
    bool shown = false;
  };
  void line(build::StepNumber number, std::string_view text);
  void output(const build::StepOutput& event);
  void finished(const build::StepFinished& event);
  void warned(const build::Warned& event);

  Write write_;
  bool quiet_;
  std::map<build::StepNumber, Step> steps_;
  build::StepNumber current_ = 0;
  std::vector<build::Warned> warnings_;
};

}  // namespace mica::cli
