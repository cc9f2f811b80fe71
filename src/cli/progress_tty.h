/// Progress on a terminal: what has ended scrolls by once, what runs is drawn below it again and again.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "cli/progress_text.h"
#include "engine/build_events.h"

namespace mica::cli {

struct TtySize {
  int width = 80, height = 24;
};

/// Events to terminal text, without clock or terminal of its own.
///
/// Only the running steps are redrawn, so that a build may have more steps than the terminal has lines, what scrolled away stays
/// readable, and a resized terminal spoils a few lines at most. A drawing leaves the cursor at the start of the line below it.
class TtyScreen {
 public:
  explicit TtyScreen(bool colour) : colour_(colour) {}
  void on(const build::Event& event, std::int64_t now);
  /// From the last drawing to the present state; empty while a debug shell has the terminal.
  std::string draw(TtySize size, std::int64_t now);
  /// The last drawing: everything that ended, the sum line, then the reports of failed steps.
  std::string finish(TtySize size, std::int64_t now);

 private:
  struct Moving {
    std::string what;
    std::int64_t done = 0, total = 0, begun = 0, ended = 0;
  };
  struct Step {
    std::string title;
    std::int64_t begun = 0;
    bool started = false, finished = false, failed = false;
    Tail tail{200};
    std::vector<Moving> moving;
    std::vector<std::string> reasons;
  };
  enum class Paint { none, blue, red, yellow, dim };
  struct Ended {                          // a line for good; its width is known when it is drawn
    std::string left;
    std::int64_t ns = -1;
    Paint paint = Paint::none;
  };
  void moved(const build::StepProgress& event, std::int64_t now);
  void finished(const build::StepFinished& event);
  std::string line(std::string_view left, std::int64_t ns, Paint paint, int width) const;
  std::string sum_line(int width, std::int64_t now, std::string_view state) const;
  void live_lines(TtySize size, std::int64_t now, std::vector<std::string>& lines) const;
  std::string erase(int width);
  std::string take_ended(int width);

  bool colour_;
  bool shell_ = false, failed_ = false, cancelled_ = false;
  std::map<build::StepNumber, Step> steps_;
  std::vector<Ended> ended_;
  std::vector<int> drawn_;                ///< columns of the lines of the last drawing
  std::int64_t begun_ = 0;
  int done_ = 0;
};

}  // namespace mica::cli
