#include "engine/compose_variables.h"

#include <doctest/doctest.h>

using namespace mica;
using engine::ComposeVariables;

TEST_CASE("variables of compose files have the shell's defaults, alternatives and demands") {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"plain", "plain"},
      {"$TAG-x", "1.27-x"},
      {"${TAG}", "1.27"},
      {"a:${TAG:-2}", "a:1.27"},
      {"${NONE:-2}", "2"},
      {"${NONE-2}", "2"},
      {"${EMPTY:-2}", "2"},
      {"${EMPTY-2}", ""},
      {"${NONE}", ""},
      {"${NONE:-${TAG}}-x", "1.27-x"},
      {"${NONE:-${EMPTY:-$TAG}}", "1.27"},
      {"${TAG:+with}${NONE:+without}${EMPTY+set}${EMPTY:+full}", "withset"},
      {"${TAG?why}", "1.27"},
      {"${TAG:-${NONE?never asked}}", "1.27"},
      {"$$TAG", "$TAG"},
      {"${NONE:-a:b/c}", "a:b/c"},
      {"}", "}"},
  };
  for (const auto& [text, wanted] : cases) {
    CAPTURE(text);
    ComposeVariables variables(std::map<std::string, std::string>{{"TAG", "1.27"}, {"EMPTY", ""}});
    const auto got = variables.expand(text);
    REQUIRE(got);
    CHECK(*got == wanted);
    CHECK(variables.unset().contains("NONE") == (text == "${NONE}"));
  }
  for (const std::string_view text : {"$", "${", "${}", "${TAG", "${NONE:-x", "$1", "${1}", "${TAG:x}", "${TAG/x}", "${NONE:?}", "a${NONE?must be set}"}) {
    CAPTURE(text);
    ComposeVariables variables(std::map<std::string, std::string>{{"TAG", "1.27"}});
    const auto got = variables.expand(text);
    REQUIRE_FALSE(got);
    CHECK(got.error().code() == Errc::invalid_argument);
  }
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += "${A:-";
  CHECK_FALSE(ComposeVariables().expand(deep));
}

TEST_CASE(".env has comments, quotes and variables") {
  ComposeVariables variables;
  REQUIRE(variables.add_file(".env", "\xef\xbb\xbf# comment\n\nA=1\nexport B = two words # said\nC='lit $A # x'\nD=\"x\\n$A \\$A ${NONE:-d}\"  # y\n"
                                     "E=$A#no\nF=\nG: colon\nH=\"two\nlines\"\nALONE\nI=${B}\r\n"));
  const std::pair<const char*, std::string_view> cases[] = {{"A", "1"}, {"B", "two words"}, {"C", "lit $A # x"}, {"D", "x\n1 $A d"}, {"E", "1#no"},
                                                             {"F", ""},  {"G", "colon"},     {"H", "two\nlines"}, {"I", "two words"}};
  for (const auto& [name, wanted] : cases) {
    CAPTURE(name);
    CHECK(variables.value(name) == wanted);
  }
  CHECK_FALSE(variables.value("ALONE"));
  for (const auto& [text, line] : std::initializer_list<std::pair<std::string_view, int>>{{"A=1\n=2", 2}, {"A='x", 1}, {"\nA=\"x\" y", 2}, {"A B=1", 1}, {"A=${", 1}}) {
    CAPTURE(text);
    const auto got = ComposeVariables().add_file(".env", text);
    REQUIRE_FALSE(got);
    REQUIRE(got.error().position());
    CHECK(got.error().position()->line == line);
  }
}
