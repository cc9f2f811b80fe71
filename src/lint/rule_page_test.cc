#include "lint/rule_page.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

namespace mica::lint {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

/// MICA_UPDATE_GOLDEN=1 writes them anew.
TEST_CASE("docs/rules is what the program prints") {
  const fs::path folder = fs::path(MICA_SOURCE_DIR) / "docs/rules";
  std::map<std::string, std::string> pages = {{"README.md", rule_index()}};
  for (const Rule* rule : rules()) pages[std::string(rule->id) + ".md"] = rule_page(*rule);
  if (std::getenv("MICA_UPDATE_GOLDEN")) {
    fs::create_directories(folder);
    for (const auto& entry : fs::directory_iterator(folder))
      if (!pages.contains(entry.path().filename().string())) fs::remove(entry.path());
    for (const auto& [name, text] : pages) std::ofstream(folder / name, std::ios::binary) << text;
    MESSAGE("docs/rules was written: skipped");
    return;
  }
  std::set<std::string> there;
  for (const auto& entry : fs::directory_iterator(folder)) there.insert(entry.path().filename().string());
  for (const auto& [name, text] : pages) {
    CAPTURE(name);
    REQUIRE(there.erase(name) == 1);
    CHECK(read(folder / name) == text);
  }
  for (const std::string& name : there) FAIL_CHECK(name, " is the page of no rule");
}

}  // namespace mica::lint
