// The Dockerfiles of tests/corpus against what the real docker said of them: what it refused as syntax is refused here, at the
// same line and in its words; everything else parses.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "base/format.h"
#include "base/text.h"
#include "dockerfile/ignore.h"
#include "dockerfile/parser.h"

using namespace mica;
using namespace mica::dockerfile;

namespace {

std::optional<std::string> read(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  return std::string{std::istreambuf_iterator<char>(in), {}};
}

constexpr std::string_view kParseError = "dockerfile parse error on line ";
/// Messages of docker's first pass, which carry no such beginning.
constexpr std::string_view kOfFirstPass[] = {"only one ",      "invalid escape token",  "file with no instructions",
                                             "no build stage", "when using JSON array", "ENV must have",
                                             "Syntax error",   "unterminated heredoc",  "dockerfile contains no stages"};

/// Docker's message when it is about syntax.
std::optional<std::string> syntax_error(std::string_view message) {
  if (message.starts_with(kParseError)) return std::string(message.substr(message.find(": ") + 2));
  for (const std::string_view known : kOfFirstPass)
    if (message.starts_with(known)) return std::string(message);
  return std::nullopt;
}

}  // namespace

TEST_CASE("the corpus parses, or fails, as it does with docker") {
  // --parents came after the docker that made the goldens.
  const std::map<std::string, std::string, std::less<>> accepted_here = {
      {"652-error-parents-missing-literal", "unknown flag: --parents"}};
  int good = 0, bad = 0;
  for (const auto& entry : std::filesystem::directory_iterator(MICA_SOURCE_DIR "/tests/corpus")) {
    const std::string name = entry.path().filename();
    const auto text = read(entry.path() / "Dockerfile");
    if (!text) continue;  // made by a script
    CAPTURE(name);
    const auto golden = read(entry.path() / "error.txt");
    const auto lines = split(golden ? std::string_view(*golden) : "", '\n');
    const auto wanted = golden ? syntax_error(lines.at(1)) : std::nullopt;
    const auto result = parse_file("Dockerfile", *text);
    if (const auto known = accepted_here.find(name); known != accepted_here.end()) {
      CHECK(wanted == known->second);
      CHECK(result.has_value());
      continue;
    }
    if (!wanted) {
      CHECK_MESSAGE(result.has_value(), result.error().full_text());
      ++good;
      continue;
    }
    ++bad;
    REQUIRE(!result.has_value());
    const Error& error = result.error();
    CHECK_MESSAGE(error.message().find(*wanted) != std::string::npos, format("docker: {}\nhere: {}", *wanted, error.message()));
    REQUIRE(error.position().has_value());
    if (lines[0] != "-") CHECK(lines[0] == format("Dockerfile:{}", error.position()->line));
  }
  CHECK(good > 200);
  CHECK(bad > 30);
}

TEST_CASE("the mounts of the corpus fail as they do with docker") {
  for (const char* name :
       {"532-error-mount-unknown-key", "533-error-mount-unknown-type", "534-error-mount-root", "535-error-mount-size-on-bind"}) {
    CAPTURE(name);
    const std::filesystem::path folder = std::filesystem::path(MICA_SOURCE_DIR "/tests/corpus") / name;
    const auto file = parse_file("Dockerfile", read(folder / "Dockerfile").value());
    REQUIRE(file.has_value());
    const auto& run = std::get<Run>(file->stages.at(0).instructions.at(0).command);
    const auto mount = parse_mount(run.mounts.at(0));
    REQUIRE(!mount.has_value());
    const std::string golden = read(folder / "error.txt").value();
    CHECK(mount.error().message() == split(golden, '\n').at(1));
  }
}
