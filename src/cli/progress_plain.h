/// Plain progress: lines in buildx's form, each with the number of its step, for logs and pipes.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "cli/progress_text.h"
#include "engine/build_events.h"

namespace mica::cli {

/// Events to text, without clock or output of its own.
///
/// One step at a time has the floor: its lines are written as they come. Those of other steps are held back, so that outputs of
/// parallel steps do not mix line by line, until the floor is free: its holder has ended, was silent for a while, or the others wait
/// too long or hold too much. A step that ends is written at once, whoever has the floor.
class PlainText {
 public:
  /// `terminal`: control characters in the output of steps are dropped.
  explicit PlainText(bool terminal) : terminal_(terminal) {}
  /// What to write now. `now`: nanoseconds of a clock that only goes forward.
  std::string on(const build::Event& event, std::int64_t now);
  /// Lines are held back, and tick() should be called now and then.
  bool holds_back() const;
  std::string tick(std::int64_t now);
  /// Reports of the failed steps: after the last event.
  std::string finish();

 private:
  struct Moving {
    std::int64_t begun = 0, shown = 0;
  };
  struct Step {
    std::string title, held;
    std::int64_t begun = 0, held_since = 0;
    bool started = false, finished = false, failed = false;
    bool open_line = false;              ///< the last line has no end yet
    Tail tail{10};
    std::map<std::string, Moving> moving;
  };
  build::StepNumber longest_held() const;
  void put(build::StepNumber number, std::string_view text);
  void put_line(build::StepNumber number, std::string_view text);
  void give_floor(build::StepNumber number);
  void output(const build::StepOutput& event);
  void moved(const build::StepProgress& event);
  void finished(const build::StepFinished& event);
  void shell(const build::ShellOpened& event);
  std::string take();

  bool terminal_;
  std::map<build::StepNumber, Step> steps_;
  std::string out_;
  build::StepNumber floor_ = 0;          ///< 0: free
  std::int64_t now_ = 0, floor_since_ = 0, spoken_ = 0;
  bool first_ = true;
  bool shell_ = false, shell_announced_ = false;
};

}  // namespace mica::cli
