#include "cli/progress_plain.h"

#include <doctest/doctest.h>


namespace mica::cli {
namespace {

using build::Outcome;

constexpr std::int64_t kMs = 1'000'000;

/// Feeds events at given milliseconds and collects the text.
class Script {
 public:
  explicit Script(bool terminal = false) : text_(terminal) {}
  Script& at(std::int64_t ms, const build::Event& event) {
    out_ += text_.on(event, ms * kMs + kMs);
    return *this;
  }
  Script& tick(std::int64_t ms) {
    out_ += text_.tick(ms * kMs + kMs);
    return *this;
  }
  std::string end() {
    out_ += text_.finish();
    return std::exchange(out_, {});
  }
  std::string so_far() { return std::exchange(out_, {}); }
  bool holds_back() const { return text_.holds_back(); }

 private:
  PlainText text_;
  std::string out_;
};

build::StepStarted started(int step) { return {step, {}}; }
build::StepOutput output(int step, std::string text) { return {step, 1, std::move(text), false}; }
build::StepFinished finished(int step, Outcome outcome, std::int64_t ms = 0, std::string error = {}) { return {step, outcome, ms * kMs, std::move(error)}; }

TEST_CASE("steps one after the other make buildx's blocks") {
  Script script;
  script.at(0, build::StepAnnounced{1, "[internal] load build definition from Dockerfile"});
  script.at(0, started(1)).at(1, build::StepProgress{1, "transferring dockerfile", 107, 107, true}).at(2, finished(1, Outcome::done, 2));
  script.at(3, build::StepAnnounced{2, "[1/3] FROM docker.io/library/alpine:3.20"}).at(3, build::StepAnnounced{3, "[2/3] RUN echo hi"});
  script.at(3, build::StepAnnounced{4, "[3/3] COPY a /a"});
  script.at(3, started(2)).at(4, finished(2, Outcome::cached));
  script.at(4, started(3)).at(207, output(3, "hi\n")).at(300, finished(3, Outcome::done, 296));
  script.at(300, finished(4, Outcome::cached));
  CHECK(script.end() ==
        "#1 [internal] load build definition from Dockerfile\n"
        "#1 transferring dockerfile: 107B done\n"
        "#1 DONE 0.0s\n"
        "\n"
        "#2 [1/3] FROM docker.io/library/alpine:3.20\n"
        "#2 CACHED\n"
        "\n"
        "#3 [2/3] RUN echo hi\n"
        "#3 0.203 hi\n"
        "#3 DONE 0.3s\n"
        "\n"
        "#4 [3/3] COPY a /a\n"
        "#4 CACHED\n");
}

TEST_CASE("a line may come in pieces, and its time is that of its first piece") {
  Script script;
  script.at(0, build::StepAnnounced{1, "RUN x"}).at(0, started(1));
  script.at(500, output(1, "part")).at(700, output(1, "ial\nnext\nunfinished")).at(900, finished(1, Outcome::done, 900));
  CHECK(script.end() == "#1 RUN x\n#1 0.500 partial\n#1 0.700 next\n#1 0.700 unfinished\n#1 DONE 0.9s\n");
}

TEST_CASE("a failure repeats the step's last lines at the end") {
  Script script;
  script.at(0, build::StepAnnounced{1, "[2/2] RUN false"}).at(0, started(1));
  for (int i = 1; i <= 12; ++i) script.at(100, output(1, std::to_string(i) + "\n"));
  script.so_far();
  script.at(200, finished(1, Outcome::failed, 200, "process \"/bin/sh -c false\" did not complete successfully: exit code: 1"));
  CHECK(script.end() ==
        "#1 ERROR: process \"/bin/sh -c false\" did not complete successfully: exit code: 1\n"
        "------\n"
        " > [2/2] RUN false:\n"
        "0.100 3\n0.100 4\n0.100 5\n0.100 6\n0.100 7\n0.100 8\n0.100 9\n0.100 10\n0.100 11\n0.100 12\n"
        "------\n");
}

TEST_CASE("a failure without output has no block") {
  Script script;
  script.at(0, build::StepAnnounced{1, "COPY no /"}).at(0, started(1)).at(1, finished(1, Outcome::failed, 1, "not found"));
  CHECK(script.end() == "#1 COPY no /\n#1 ERROR: not found\n");
}

TEST_CASE("steps that the end of the build cut off are shown when they had begun") {
  Script script;
  for (int i = 1; i <= 3; ++i) script.at(0, build::StepAnnounced{i, "step " + std::to_string(i)});
  script.at(0, started(1)).at(0, started(2)).at(10, finished(1, Outcome::failed, 10, "no")).at(11, finished(2, Outcome::cancelled, 11));
  script.at(11, finished(3, Outcome::cancelled));
  CHECK(script.end() == "#1 step 1\n#1 ERROR: no\n\n#2 step 2\n#2 CANCELED\n");
}

TEST_CASE("output of a second step waits until the first is silent") {
  Script script;
  script.at(0, build::StepAnnounced{1, "one"}).at(0, build::StepAnnounced{2, "two"});
  script.at(0, started(1)).at(0, started(2)).at(100, output(1, "a\n")).at(150, output(2, "x\n"));
  CHECK(script.holds_back());
  script.at(200, output(1, "b\n"));
  CHECK(script.so_far() == "#1 one\n#1 0.100 a\n#1 0.200 b\n");
  script.tick(400);
  CHECK(script.so_far() == "");
  script.tick(510);
  CHECK(script.so_far() == "#1 ...\n\n#2 two\n#2 0.150 x\n");
  CHECK(!script.holds_back());
  script.at(600, finished(1, Outcome::done, 600)).at(700, finished(2, Outcome::done, 700));
  CHECK(script.end() == "#2 ...\n\n#1 one\n#1 DONE 0.6s\n\n#2 two\n#2 DONE 0.7s\n");
}

TEST_CASE("a step that always speaks cannot keep the others from being seen") {
  Script script;
  script.at(0, build::StepAnnounced{1, "one"}).at(0, build::StepAnnounced{2, "two"}).at(0, started(1)).at(0, started(2));
  script.at(10, output(2, "x\n"));
  for (int ms = 20; ms <= 4980; ms += 20) script.at(ms, output(1, ".\n")).tick(ms);
  CHECK(script.so_far().find("#2") == std::string::npos);
  script.tick(5010);
  CHECK(script.so_far() == "#1 ...\n\n#2 two\n#2 0.010 x\n");
}

TEST_CASE("much text is not held back") {
  Script script;
  script.at(0, build::StepAnnounced{1, "one"}).at(0, build::StepAnnounced{2, "two"}).at(0, started(1)).at(0, started(2));
  script.at(10, output(1, "a\n")).at(10, output(2, std::string(70'000, 'x') + "\n"));
  CHECK(!script.holds_back());
}

TEST_CASE("taking the floor in the middle of a line ends the line") {
  Script script;
  script.at(0, build::StepAnnounced{1, "one"}).at(0, build::StepAnnounced{2, "two"}).at(0, started(1)).at(0, started(2));
  script.at(10, output(1, "begun")).at(20, finished(2, Outcome::done, 20)).at(30, output(1, " and ended\n")).at(40, finished(1, Outcome::done, 40));
  CHECK(script.end() == "#1 one\n#1 0.010 begun\n#1 ...\n\n#2 two\n#2 DONE 0.0s\n\n#1 one\n#1 0.030  and ended\n#1 DONE 0.0s\n");
}

TEST_CASE("explanations stand before the outcome") {
  Script script;
  script.at(0, build::StepAnnounced{1, "[1/2] RUN a"}).at(0, build::StepAnnounced{2, "[2/2] COPY b"});
  script.at(1, build::StepExplained{1, true, {"same instruction"}}).at(1, finished(1, Outcome::cached));
  script.at(1, build::StepExplained{2, false, {"b changed: 12 to 34", "and 3 more"}}).at(2, started(2)).at(9, finished(2, Outcome::done, 7));
  CHECK(script.end() == "#1 [1/2] RUN a\n#1 hit: same instruction\n#1 CACHED\n\n#2 [2/2] COPY b\n#2 runs: b changed: 12 to 34\n#2 runs: and 3 more\n#2 DONE 0.0s\n");
}

TEST_CASE("replayed output has no times") {
  Script script;
  script.at(0, build::StepAnnounced{1, "RUN a"}).at(1, build::StepOutput{1, 1, "old\n", true}).at(1, finished(1, Outcome::cached));
  CHECK(script.end() == "#1 RUN a\n#1 old\n#1 CACHED\n");
}

TEST_CASE("a long transfer is told of now and then, a short one once") {
  Script script;
  script.at(0, build::StepAnnounced{1, "[internal] load build context"}).at(0, started(1));
  for (int ms = 0; ms <= 12'000; ms += 100) script.at(ms, build::StepProgress{1, "transferring context", ms * 1000, 12'000'000, ms == 12'000});
  script.at(12'000, finished(1, Outcome::done, 12'000));
  CHECK(script.end() ==
        "#1 [internal] load build context\n"
        "#1 transferring context: 500.00kB / 12.00MB 0.5s\n"
        "#1 transferring context: 5.50MB / 12.00MB 5.5s\n"
        "#1 transferring context: 10.50MB / 12.00MB 10.5s\n"
        "#1 transferring context: 12.00MB 12.0s done\n"
        "#1 DONE 12.0s\n");
}

TEST_CASE("nothing is written while a debug shell has the terminal") {
  Script script;
  script.at(0, build::StepAnnounced{1, "RUN false"}).at(0, build::StepAnnounced{2, "RUN slow"}).at(0, started(1)).at(0, started(2));
  script.at(1, build::ShellOpened{1, true});
  CHECK(script.so_far() == "#1 RUN false\n#1 a shell opens in the state in which the step failed; leave it with 'exit'\n");
  script.at(2, output(2, "x\n")).tick(5000).at(5001, output(2, "y\n"));
  CHECK(script.so_far() == "");
  script.at(6000, build::ShellOpened{1, false});
  CHECK(script.so_far() == "#1 ...\n\n#2 RUN slow\n#2 0.002 x\n#2 5.001 y\n");
}

TEST_CASE("on a terminal the output of steps cannot do more than colour") {
  Script script(true);
  script.at(0, build::StepAnnounced{1, "RUN \x1b[2Jx"}).at(0, started(1)).at(0, output(1, "\x1b[32mok\x1b[0m\x1b[5A\n")).at(0, finished(1, Outcome::done));
  CHECK(script.end() == "#1 RUN x\n#1 0.000 \x1b[32mok\x1b[0m\n#1 DONE 0.0s\n");
}

}  // namespace
}  // namespace mica::cli
