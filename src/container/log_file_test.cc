#include "container/log_file.h"

#include <doctest/doctest.h>

#include <string>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "base/format.h"
#include "sys/fd.h"
#include "json/json.h"

using namespace mica;
using namespace mica::container;

namespace {

struct Fixture {
  sys::TempDir folder = sys::TempDir::create("/tmp", "log").value();
  std::string path = folder.path() + "/c-json.log";
  LogWriter writer(LogOptions options = {}) { return LogWriter::open(path, std::move(options)).value(); }
  std::vector<std::string> lines(LogRequest request = {}) {
    std::vector<std::string> out;
    CHECK(read_log(path, request, [&](const LogLine& line) -> Result<> {
      out.push_back((line.stream == 2 ? "E:" : "O:") + line.text);
      return {};
    }));
    return out;
  }
};

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("lines are written as Docker writes them") {
  Fixture f;
  auto log = f.writer({.attributes = {{"k", "v"}}});
  REQUIRE(log.append(1, "a<b>\nhalf"));
  REQUIRE(log.append(2, "err\n"));
  REQUIRE(log.append(1, " line\nrest"));
  REQUIRE(log.finish());
  const std::string text = sys::read_file(f.path).value();
  CHECK(text.starts_with(R"({"log":"a\u003cb\u003e\n","stream":"stdout","attrs":{"k":"v"},"time":"20)"));
  CHECK(f.lines() == Lines{"O:a<b>\n", "E:err\n", "O:half line\n", "O:rest"});
}

TEST_CASE("a long line is cut at 16 KiB") {
  Fixture f;
  auto log = f.writer();
  REQUIRE(log.append(1, std::string(40000, 'x') + "\n"));
  const auto lines = f.lines();
  REQUIRE(lines.size() == 3);
  CHECK(lines[0].size() == 2 + 16384);
  CHECK(lines[2] == "O:" + std::string(40000 - 2 * 16384, 'x') + "\n");
}

TEST_CASE("the last lines are found, also over rotated files") {
  for (const bool compress : {false, true}) {
    Fixture f;
    auto log = f.writer({.max_bytes = 300, .max_files = 3, .compress = compress});
    for (int i = 0; i < 12; ++i) REQUIRE(log.append(1, format("{}\n", i)));
    CHECK(sys::exists(f.path + (compress ? ".2.gz" : ".2")));
    CHECK_FALSE(sys::exists(f.path + (compress ? ".3.gz" : ".3")));
    CHECK(f.lines({.tail = 0}).empty());
    CHECK(f.lines({.tail = 1}) == Lines{"O:11\n"});
    CHECK(f.lines({.tail = 6}) == Lines{"O:6\n", "O:7\n", "O:8\n", "O:9\n", "O:10\n", "O:11\n"});
    CHECK(f.lines().back() == "O:11\n");
    CHECK(f.lines().size() == f.lines({.tail = 100}).size());
  }
}

TEST_CASE("one file that may not grow starts again") {
  Fixture f;
  auto log = f.writer({.max_bytes = 200});
  for (int i = 0; i < 10; ++i) REQUIRE(log.append(1, format("{}\n", i)));
  CHECK(sys::read_file(f.path)->size() <= 200);
  CHECK(f.lines().back() == "O:9\n");
}

TEST_CASE("times and streams are chosen") {
  Fixture f;
  REQUIRE(sys::write_file(f.path, "{\"log\":\"one\\n\",\"stream\":\"stdout\",\"time\":\"2026-01-01T00:00:01Z\"}\nbroken\n"
                                  "{\"log\":\"two\\n\",\"stream\":\"stderr\",\"time\":\"2026-01-01T00:00:02Z\"}\n"
                                  "{\"log\":\"three\\n\",\"stream\":\"stdout\",\"time\":\"2026-01-01T00:00:03Z\"}\n{\"log\":\"torn"));
  const auto at = [](int second) { return parse_rfc3339(format("2026-01-01T00:00:0{}Z", second)).value(); };
  CHECK(f.lines() == Lines{"O:one\n", "E:two\n", "O:three\n"});
  CHECK(f.lines({.since = at(2)}) == Lines{"E:two\n", "O:three\n"});
  CHECK(f.lines({.until = at(2)}) == Lines{"O:one\n", "E:two\n"});
  CHECK(f.lines({.err = false}) == Lines{"O:one\n", "O:three\n"});
  CHECK(f.lines({.out = false}) == Lines{"E:two\n"});
}

TEST_CASE("who follows gets what comes, over a rotation, until the end") {
  Fixture f;
  auto log = f.writer({.max_bytes = 300, .max_files = 20});
  REQUIRE(log.append(1, "first\n"));
  std::atomic<bool> ended = false;
  std::thread later([&] {
    for (int i = 0; i < 20; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      CHECK(log.append(1, format("{}\n", i)));
    }
    ended = true;
  });
  Lines got;
  CHECK(read_log(f.path, {.follow = true}, [&](const LogLine& line) -> Result<> {
    got.push_back(line.text);
    return {};
  }, [&] { return ended.load(); }));
  later.join();
  REQUIRE(got.size() == 21);
  CHECK(got.front() == "first\n");
  CHECK(got.back() == "19\n");
}

TEST_CASE("options are checked") {
  CHECK(parse_log_options("json-file", {{"max-size", "10m"}, {"max-file", "3"}})->max_bytes == 10 << 20);
  CHECK(parse_log_options("json-file", {{"x", "1"}}).error().message() == "unknown log opt 'x' for json-file log driver");
  CHECK(parse_log_options("syslog", {}).error().code() == Errc::unsupported);
  CHECK_FALSE(parse_log_options("json-file", {{"max-size", "zero"}}));
  CHECK_FALSE(parse_log_options("json-file", {{"max-file", "3"}}));
}
