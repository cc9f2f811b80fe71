#include "cli/progress_tty.h"

#include <doctest/doctest.h>

#include "base/text.h"

namespace mica::cli {
namespace {

using build::Outcome;

constexpr std::int64_t kMs = 1'000'000;

/// Enough of a terminal to see what a drawing leaves: lines, cursor up, clear to the end of line and of screen.
class Terminal {
 public:
  void write(std::string_view text) {
    while (!text.empty()) {
      if (text.starts_with("\x1b[")) {
        const std::size_t end = text.find_first_of("AKJm", 2);
        REQUIRE(end != text.npos);
        const auto count = parse_int(text.substr(2, end - 2)).value_or(1);
        if (text[end] == 'A') {
          REQUIRE(static_cast<std::size_t>(count) <= row_);
          row_ -= static_cast<std::size_t>(count);
        } else if (text[end] == 'K') {
          lines_[row_].resize(column_);
        } else if (text[end] == 'J') {
          lines_.resize(row_ + 1);
          lines_[row_].resize(column_);
        }
        text.remove_prefix(end + 1);
      } else if (text[0] == '\n') {
        ++row_;
        column_ = 0;
        if (lines_.size() <= row_) lines_.resize(row_ + 1);
        text.remove_prefix(1);
      } else if (text[0] == '\r') {
        column_ = 0;
        text.remove_prefix(1);
      } else {
        auto& line = lines_[row_];
        if (line.size() <= column_) line.resize(column_ + 1, ' ');
        line[column_++] = text[0];
        text.remove_prefix(1);
      }
    }
  }
  std::vector<std::string> lines() const {
    auto shown = lines_;
    while (!shown.empty() && shown.back().empty()) shown.pop_back();
    return shown;
  }

 private:
  std::vector<std::string> lines_ = std::vector<std::string>(1);
  std::size_t row_ = 0, column_ = 0;
};

using Lines = std::vector<std::string>;

TEST_CASE("what ended stands above what runs, and is drawn once") {
  TtyScreen screen(false);
  Terminal terminal;
  const TtySize size{40, 24};
  screen.on(build::StepAnnounced{1, "[internal] load"}, kMs);
  screen.on(build::StepStarted{1, {}}, kMs);
  terminal.write(screen.draw(size, kMs));
  CHECK(terminal.lines() == Lines{"[+] Building 0.0s (0/1)", " => [internal] load                0.0s"});
  screen.on(build::StepProgress{1, "transferring dockerfile", 107, 107, true}, 2 * kMs);
  screen.on(build::StepFinished{1, Outcome::done, 2 * kMs, ""}, 3 * kMs);
  screen.on(build::StepAnnounced{2, "[1/2] FROM alpine"}, 3 * kMs);
  screen.on(build::StepAnnounced{3, "[2/2] RUN make"}, 3 * kMs);
  screen.on(build::StepFinished{2, Outcome::cached, 0, ""}, 4 * kMs);
  screen.on(build::StepStarted{3, {}}, 4 * kMs);
  screen.on(build::StepOutput{3, 1, "one\ntwo\nthr", false}, 5 * kMs);
  terminal.write(screen.draw(size, 1504 * kMs));
  CHECK(terminal.lines() == Lines{" => [internal] load                0.0s", " => => transferring dockerfile: 1… 0.0s", " => CACHED [1/2] FROM alpine       0.0s",
                                  "[+] Building 1.5s (2/3)", " => [2/2] RUN make                 1.5s", " => => # one", " => => # two", " => => # thr"});
  screen.on(build::StepFinished{3, Outcome::done, 2000 * kMs, ""}, 2004 * kMs);
  terminal.write(screen.finish(size, 2004 * kMs));
  CHECK(terminal.lines() == Lines{" => [internal] load                0.0s", " => => transferring dockerfile: 1… 0.0s", " => CACHED [1/2] FROM alpine       0.0s",
                                  " => [2/2] RUN make                 2.0s", "[+] Building 2.0s (3/3) FINISHED"});
}

TEST_CASE("a failed step is marked and its output comes last") {
  TtyScreen screen(false);
  Terminal terminal;
  screen.on(build::StepAnnounced{1, "[1/2] RUN false"}, kMs);
  screen.on(build::StepAnnounced{2, "[2/2] RUN more"}, kMs);
  screen.on(build::StepStarted{1, {}}, kMs);
  screen.on(build::StepOutput{1, 2, "no\x1b[2J luck\n", false}, 236 * kMs);
  terminal.write(screen.draw({40, 24}, 300 * kMs));
  screen.on(build::StepFinished{1, Outcome::failed, 300 * kMs, "exit code: 1"}, 301 * kMs);
  screen.on(build::StepFinished{2, Outcome::cancelled, 0, ""}, 301 * kMs);
  terminal.write(screen.finish({40, 24}, 301 * kMs));
  CHECK(terminal.lines() == Lines{" => ERROR [1/2] RUN false          0.3s", "[+] Building 0.3s (0/2) ERROR", "------", " > [1/2] RUN false:", "0.235 no luck", "------"});
}

TEST_CASE("a build that was stopped is not finished") {
  TtyScreen screen(false);
  Terminal terminal;
  screen.on(build::StepAnnounced{1, "RUN sleep"}, kMs);
  screen.on(build::StepAnnounced{2, "RUN more"}, kMs);
  screen.on(build::StepStarted{1, {}}, kMs);
  screen.on(build::StepFinished{1, Outcome::cancelled, 100 * kMs, ""}, 101 * kMs);
  terminal.write(screen.finish({40, 24}, 101 * kMs));
  CHECK(terminal.lines() == Lines{" => CANCELED RUN sleep             0.1s", "[+] Building 0.1s (0/2) CANCELED"});
}

TEST_CASE("running steps share a low terminal") {
  TtyScreen screen(false);
  for (int i = 1; i <= 5; ++i) {
    screen.on(build::StepAnnounced{i, "step " + std::to_string(i)}, kMs);
    screen.on(build::StepStarted{i, {}}, kMs);
    screen.on(build::StepOutput{i, 1, "a\nb\nc\nd\ne\nf\ng\nh\n", false}, kMs);
  }
  Terminal low;
  low.write(screen.draw({40, 5}, kMs));
  CHECK(low.lines() == Lines{"[+] Building 0.0s (0/5)", " => step 1                         0.0s", " => step 2                         0.0s", " => and 3 more"});
  TtyScreen one(false);
  one.on(build::StepAnnounced{1, "step"}, kMs);
  one.on(build::StepStarted{1, {}}, kMs);
  one.on(build::StepOutput{1, 1, "a\nb\nc\nd\ne\nf\ng\nh\n", false}, kMs);
  Terminal high;
  high.write(one.draw({40, 24}, kMs));
  CHECK(high.lines().size() == 8);
  CHECK(high.lines().back() == " => => # h");
}

TEST_CASE("lines that a narrower terminal has wrapped are all erased") {
  TtyScreen screen(false);
  screen.on(build::StepAnnounced{1, "a step with a long title"}, kMs);
  screen.on(build::StepStarted{1, {}}, kMs);
  const std::string wide = screen.draw({60, 24}, kMs);
  CHECK(wide.find("a step with a long title") != std::string::npos);
  // 23 columns are one row of 30; 59 columns two.
  CHECK(screen.draw({30, 24}, kMs).starts_with("\r\x1b[3A"));
  CHECK(screen.draw({30, 24}, kMs).starts_with("\r\x1b[2A"));
}

TEST_CASE("no line is as wide as the terminal") {
  TtyScreen screen(true);
  screen.on(build::StepAnnounced{1, std::string(300, 'x')}, kMs);
  screen.on(build::StepStarted{1, {}}, kMs);
  screen.on(build::StepOutput{1, 1, "日本語日本語日本語日本語日本語日本語日本語", false}, kMs);
  for (const int width : {1, 2, 5, 20, 33, 80}) {
    const std::string drawn = screen.draw({width, 24}, kMs);
    for (const auto line : split(drawn, '\n')) CHECK(columns(plain_line(line)) < std::max(width, 7));
  }
}

TEST_CASE("explanations stand below the step") {
  TtyScreen screen(false);
  Terminal terminal;
  screen.on(build::StepAnnounced{1, "RUN a"}, kMs);
  screen.on(build::StepExplained{1, true, {"same instruction"}}, kMs);
  screen.on(build::StepFinished{1, Outcome::cached, 0, ""}, kMs);
  terminal.write(screen.finish({40, 24}, kMs));
  CHECK(terminal.lines() == Lines{" => CACHED RUN a                   0.0s", " => => hit: same instruction", "[+] Building 0.0s (1/1) FINISHED"});
}

TEST_CASE("a debug shell has the terminal for itself") {
  TtyScreen screen(false);
  Terminal terminal;
  screen.on(build::StepAnnounced{1, "RUN false"}, kMs);
  screen.on(build::StepStarted{1, {}}, kMs);
  terminal.write(screen.draw({100, 24}, kMs));
  screen.on(build::ShellOpened{1, true}, kMs);
  terminal.write(screen.draw({100, 24}, kMs));
  CHECK(terminal.lines() == Lines{" => a shell opens in the state in which the step failed; leave it with 'exit'"});
  CHECK(screen.draw({100, 24}, 5000 * kMs) == "");
  screen.on(build::ShellOpened{1, false}, 6000 * kMs);
  CHECK(screen.draw({100, 24}, 6000 * kMs).find("RUN false") != std::string::npos);
}

TEST_CASE("colours are used when asked for") {
  TtyScreen screen(true);
  screen.on(build::StepAnnounced{1, "RUN a"}, kMs);
  screen.on(build::StepFinished{1, Outcome::failed, 0, "no"}, kMs);
  CHECK(screen.finish({40, 24}, kMs).starts_with("\x1b[31m => ERROR RUN a"));
}

}  // namespace
}  // namespace mica::cli
