#include "cli/progress_text.h"

#include <doctest/doctest.h>

#include <vector>


namespace mica::cli {
namespace {

std::vector<std::string> texts(const Tail& tail) {
  std::vector<std::string> lines;
  for (const auto& line : tail.lines()) lines.push_back(line.text);
  return lines;
}

TEST_CASE("times and sizes are shown as buildx shows them") {
  CHECK(shown_seconds(0) == "0.0s");
  CHECK(shown_seconds(49'000'000) == "0.0s");
  CHECK(shown_seconds(12'340'000'000) == "12.3s");
  CHECK(shown_seconds(3'600'000'000'000) == "3600.0s");
  CHECK(shown_stamp(203'400'000) == "0.203");
  CHECK(shown_stamp(12'345'000'000) == "12.35");
  CHECK(shown_stamp(120'540'000'000) == "120.5");
  CHECK(shown_bytes(0) == "0B");
  CHECK(shown_bytes(999) == "999B");
  CHECK(shown_bytes(31'450) == "31.45kB");
  CHECK(shown_bytes(999'999) == "1.00MB");
  CHECK(shown_bytes(1'049'000) == "1.05MB");
  CHECK(shown_bytes(2'500'000'000) == "2.50GB");
}

TEST_CASE("transfers name what moves, how much is there and how much there will be") {
  CHECK(shown_moving("transferring dockerfile", 107, 107) == "transferring dockerfile: 107B");
  CHECK(shown_moving("transferring context", 107, 0) == "transferring context: 107B");
  CHECK(shown_moving("transferring context", 1000, 2000) == "transferring context: 1.00kB / 2.00kB");
  CHECK(shown_moving("sha256:1f0c", 3'150'000, 10'000'000) == "sha256:1f0c 3.15MB / 10.00MB");
  CHECK(shown_moving("naming to docker.io/library/x:latest", 0, 0) == "naming to docker.io/library/x:latest");
}

TEST_CASE("a line for drawing has no control characters, escape sequences or broken UTF-8") {
  struct Case {
    std::string_view text, plain;
  };
  for (const Case& c : {Case{"plain", "plain"}, Case{"\x1b[31mred\x1b[0m", "red"}, Case{"a\x1b]0;title\ab", "ab"}, Case{"a\x1b]8;;http://x\x1b\\link", "alink"},
                        Case{"\x1b(Bx", "x"}, Case{"\x1b[2J\x1b[Hx", "x"}, Case{"a\tb", "a       b"}, Case{"12345678\tb", "12345678        b"},
                        Case{"a\bb\x7f\x01", "ab"}, Case{"\xff\xc3", "\xef\xbf\xbd\xef\xbf\xbd"}, Case{"caf\xc3\xa9", "caf\xc3\xa9"},
                        Case{"a\xc2\x9b" "2Jb", "a2Jb"}, Case{"end\x1b", "end"}, Case{"end\x1b[3", "end"}})
    CHECK(plain_line(c.text) == c.plain);
}

TEST_CASE("output passed through to a terminal keeps its colours and lines, and nothing that moves the cursor") {
  CHECK(harmless("\x1b[1;31mred\x1b[0m\tx\r\n") == "\x1b[1;31mred\x1b[0m\tx\r\n");
  CHECK(harmless("\x1b[2Jx\x1b[1Ay\x1b]52;c;aGk=\az") == "xyz");
}

TEST_CASE("columns count wide characters twice and combining ones not at all") {
  CHECK(columns("abc") == 3);
  CHECK(columns("caf\xc3\xa9") == 4);
  CHECK(columns("日本") == 4);
  CHECK(columns("e\xcc\x81") == 1);
  CHECK(columns("🚀x") == 3);
}

TEST_CASE("text is cut to a width with an ellipsis") {
  CHECK(cut_to("short", 10) == "short");
  CHECK(cut_to("exactly", 7) == "exactly");
  CHECK(cut_to("too long", 5) == "too …");
  CHECK(cut_to("日本語", 4) == "日…");
  CHECK(cut_to("x", 0) == "");
}

TEST_CASE("a tail keeps the last lines, whatever the chunks are") {
  Tail tail(3);
  for (const char c : std::string("one\ntwo\nthree\nfour")) tail.add(std::string(1, c), "s");
  CHECK(texts(tail) == std::vector<std::string>{"two", "three", "four"});
  CHECK(tail.cut());
  tail.add("th\n\n", "t");
  CHECK(texts(tail) == std::vector<std::string>{"three", "fourth", ""});
  CHECK(tail.lines()[1].stamp == "s");
  CHECK(tail.lines()[2].stamp == "t");
}

TEST_CASE("a carriage return starts the line again, but not before a line end") {
  Tail tail(5);
  tail.add("10%\r50%\r", "");
  CHECK(texts(tail) == std::vector<std::string>{"50%\r"});
  tail.add("100%\r\ndone\r\n", "");
  CHECK(texts(tail) == std::vector<std::string>{"100%", "done"});
}

TEST_CASE("a tail does not grow with one endless line") {
  Tail tail(2);
  for (int i = 0; i < 1000; ++i) tail.add(std::string(1000, 'x'), "");
  CHECK(tail.lines().size() == 1);
  CHECK(tail.lines()[0].text.size() <= 8192);
}

TEST_CASE("a failure's block holds title and tail") {
  Tail tail(10);
  tail.add("x\x1b[2J\n", "0.235");
  CHECK(failure_block("[2/2] RUN false", tail, false) == "------\n > [2/2] RUN false:\n0.235 x\x1b[2J\n------\n");
  CHECK(failure_block("[2/2] RUN false", tail, true) == "------\n > [2/2] RUN false:\n0.235 x\n------\n");
}

}  // namespace
}  // namespace mica::cli
