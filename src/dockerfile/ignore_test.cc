#include "dockerfile/ignore.h"

#include <doctest/doctest.h>

#include "base/text.h"

using namespace mica;
using namespace mica::dockerfile;
using Strings = std::vector<std::string>;

namespace {

bool ignores(const Strings& patterns, std::string_view path) {
  const auto matcher = PatternMatcher::compile(patterns);
  REQUIRE(matcher.has_value());
  return matcher->matches(path);
}

}  // namespace

TEST_CASE("an ignore file's lines are cleaned") {
  const auto patterns = read_ignore_file(
      "\xef\xbb\xbf"
      "one\r\n# comment\n  two  \n #not a comment\n\n./three/\n/four/../five\n! six \n!/seven//x\n/\n**/\nlast");
  REQUIRE(patterns.has_value());
  CHECK(*patterns == Strings{"one", "two", "#not a comment", "three", "five", "!six", "!seven/x", "/", "**", "last"});
  CHECK(read_ignore_file("")->empty());
  CHECK(read_ignore_file("# only\n")->empty());
}

TEST_CASE("a lone bang is an error that names its line") {
  const auto patterns = read_ignore_file("a\n\n ! \nb");
  REQUIRE(!patterns.has_value());
  CHECK(patterns.error().code() == Errc::invalid_argument);
  CHECK(patterns.error().message() == "illegal exclusion pattern: \"!\"");
  CHECK(patterns.error().position()->line == 3);
  CHECK(read_ignore_file(std::string(70'000, 'x')).error().position()->line == 1);
}

TEST_CASE("one pattern matches what docker's matcher lets it match") {
  struct Row {
    std::string_view pattern;
    Strings yes, no;
  };
  const Row rows[] = {
      {"a", {"a", "a/b", "a/b/c"}, {"b", "b/a", "ab", "A"}},
      {"a/b", {"a/b", "a/b/c"}, {"a", "b", "x/a/b"}},
      {"*", {"a", "a/b", ".x"}, {}},
      {"*.go", {"a.go", "a.go/x", ".go"}, {"a.god", "x/a.go"}},
      {"*/b", {"a/b", "a/b/c"}, {"b", "a/x/b"}},
      {"?", {"a", "\u00e9", "a/x"}, {"ab"}},
      {"a?b", {"axb", "a\u00e9b"}, {"ab", "a/b"}},
      {"**", {"a", "a/b"}, {}},
      {"**/a", {"a", "x/a", "x/y/a/z"}, {"xa", "ab"}},
      {"**a", {"a", "xa", "x/ya"}, {"ab"}},
      {"a/**", {"a/b", "a/b/c"}, {"a", "ab"}},
      {"a**", {"a", "ab", "a/b", "ab/c"}, {"b"}},
      {"a/**/b", {"a/b", "a/x/b", "a/x/y/b"}, {"a/xb", "b"}},
      {"a**b", {"ab", "axx/b", "a/b"}, {"axb"}},
      {"**/*.txt", {"a.txt", "x/a.txt"}, {"a.txtx"}},
      {"**/**", {"a", "a/b"}, {}},
      {"a/**/*.c", {"a/x.c", "a/b/x.c"}, {"x.c", "a/x.h"}},
      {"[a-c]x", {"ax", "cx"}, {"dx", "[a-c]x"}},
      {"[^a]x", {"bx"}, {"ax"}},
      {"a.b", {"a.b"}, {"axb"}},
      {"(a|b)+{c}$", {"(a|b)+{c}$"}, {"a"}},
      {"a\\*b", {"a*b"}, {"axb"}},
      {"a\\\\b", {"a\\b"}, {"ab"}},
      {"\\dx", {"1x"}, {"dx"}},
      {"a^b", {"a^b"}, {}},
      {"a^*", {}, {"a^b", "ab"}},        // '^' is an anchor once the pattern is an expression
      {"[*]x", {"[[]x", "]x"}, {"*x"}},  // docker's brackets take a star for a wildcard
      {"[[:digit:]]x", {"7x"}, {"ax"}},
      {"[]", {}, {}},
      {"\u00e9*", {"\u00e9t\u00e9"}, {"e"}},
      {"a/", {"a", "a/b"}, {}},
      {"./a", {"a"}, {}},
      {"x/../a", {"a"}, {"x"}},
      {"  a  ", {"a"}, {}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.pattern);
    if (row.pattern == "[]") {
      CHECK(PatternMatcher::compile({"[]"}).error().message() == "syntax error in pattern \"[]\"");
      continue;
    }
    for (const std::string& path : row.yes) CHECK_MESSAGE(ignores({std::string(row.pattern)}, path), path);
    for (const std::string& path : row.no) CHECK_MESSAGE(!ignores({std::string(row.pattern)}, path), path);
  }
}

TEST_CASE("the last pattern that matches decides, and a folder's match is its children's") {
  struct Row {
    Strings patterns;
    std::string_view path;
    bool ignored;
  };
  const Row rows[] = {
      {{"*.md", "!README*.md", "README-secret.md"}, "README.md", false},
      {{"*.md", "!README*.md", "README-secret.md"}, "README-secret.md", true},
      {{"!a", "a"}, "a", true},
      {{"docs", "!docs/README.md"}, "docs/README.md", false},
      {{"docs", "!docs/README.md"}, "docs/x", true},
      {{"**", "!util/web"}, "util/web/foo", false},
      {{"**", "!util/web", "util/web/foo"}, "util/web/foo", true},
      {{"*", "!src", "src/*.o", "!src/keep.o"}, "src/d/x.o", false},
      {{"*", "!src", "src/*.o", "!src/keep.o"}, "src/a.o", true},
      {{"a", "!a/x", "a"}, "a/x", false},
      {{}, "a", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.path);
    CAPTURE(join(row.patterns, " "));
    CHECK(ignores(row.patterns, row.path) == row.ignored);
  }
}

TEST_CASE("bad patterns are refused, empty ones skipped") {
  for (const char* pattern : {"[", "a[", "[a-]", "[]a]", "\\", "[z-a]", "[[:what:]]", "a\\q*"}) {
    CAPTURE(pattern);
    const auto matcher = PatternMatcher::compile({"ok", pattern});
    REQUIRE(!matcher.has_value());
    CHECK(matcher.error().code() == Errc::invalid_argument);
    CHECK(matcher.error().message().starts_with("syntax error in pattern"));
  }
  CHECK(PatternMatcher::compile({"!"}).error().message() == "illegal exclusion pattern: \"!\"");
  CHECK(PatternMatcher::compile({"", "  "})->empty());
  CHECK(PatternMatcher::compile({"a", "!b"})->has_negation());
  CHECK(!PatternMatcher::compile({"a"})->has_negation());
}

TEST_CASE("a walk that hands down states sees what single questions see") {
  const auto matcher = PatternMatcher::compile({"**", "!a/**/keep*", "a/b/keep-not", "!c", "c/*.o"});
  REQUIRE(matcher.has_value());
  const PatternMatcher copy = *matcher;
  for (const char* path : {"a/b/keep", "a/b/keep-not", "a/x/y/keep1", "a/other", "c/x.c", "c/x.o", "c/d/x.o", "d/c"}) {
    CAPTURE(path);
    PatternMatcher::State parent, own;
    const std::string_view whole = path;
    for (std::size_t slash = whole.find('/'); slash != std::string_view::npos; slash = whole.find('/', slash + 1)) {
      copy.matches(whole.substr(0, slash), parent, own);
      parent = own;
    }
    CHECK(copy.matches(path, parent, own) == matcher->matches(path));
  }
}

TEST_CASE("a folder is skipped when nothing below it can come back") {
  struct Row {
    Strings patterns;
    std::string_view folder;
    bool skip;
  };
  const Row rows[] = {{{"a"}, "a", true},
                      {{"*", "!b"}, "a", true},
                      {{"*", "!a/b/c"}, "a", false},
                      {{"*", "!a/b/c"}, "a/b", false},
                      {{"*", "!a/b/c"}, "a/x", true},
                      {{"*", "!**/c"}, "a", false},
                      {{"*", "!a/**"}, "a", false},
                      {{"*", "!a/**"}, "b", true},
                      {{"*", "!a*/x"}, "ab", false},
                      {{"*", "!a*/x"}, "b", true},
                      {{"*", "!a*"}, "ab", true},
                      {{"*", "!x**"}, "xy/z", false},
                      {{"*", "!?/*/c"}, "a/b", false},
                      {{"*", "!?/*/c"}, "a/b/d", true}};
  for (const Row& row : rows) {
    CAPTURE(join(row.patterns, " "));
    CAPTURE(row.folder);
    CHECK(PatternMatcher::compile(row.patterns)->can_skip_below(row.folder) == row.skip);
  }
}

TEST_CASE("patterns full of stars take time proportional to pattern and path") {
  std::string pattern, path;
  for (int i = 0; i < 60; ++i) pattern += "**/a*a*a*/", path += "aaaaaaaaaaaaaaaa/";
  CHECK(!ignores({pattern + "b"}, path + "c"));
  CHECK(ignores({"**/" + std::string(2000, '*') + "c"}, path + "c"));
  CHECK(!*match_path(std::string(1000, 'a') + "*a*a*a*a*a*a*a*b", std::string(5'000, 'a')));
}

TEST_CASE("match_path is filepath.Match") {
  struct Row {
    std::string_view pattern, path;
    char result;  // y, n, or e for an error
  };
  const Row rows[] = {{"abc", "abc", 'y'},
                      {"*", "abc", 'y'},
                      {"*c", "abc", 'y'},
                      {"a*", "a", 'y'},
                      {"a*", "ab/c", 'n'},
                      {"a*/b", "abc/b", 'y'},
                      {"a*/b", "a/c/b", 'n'},
                      {"a*b*c*d*e*/f", "axbxcxdxexxx/f", 'y'},
                      {"a*b*c*d*e*/f", "axbxcxdxe/xxx/f", 'n'},
                      {"a*b?c*x", "abxbbxdbxebxczzx", 'y'},
                      {"a*b?c*x", "abxbbxdbxebxczzy", 'n'},
                      {"ab[c]", "abc", 'y'},
                      {"ab[b-d]", "abc", 'y'},
                      {"ab[^c]", "abc", 'n'},
                      {"ab[^e-g]", "abc", 'y'},
                      {"a\\*b", "a*b", 'y'},
                      {"a\\*b", "ab", 'n'},
                      {"a?b", "a\u263ab", 'y'},
                      {"a[^a]b", "a\u263ab", 'y'},
                      {"a???b", "a\u263ab", 'n'},
                      {"[a-\u03b6]*", "\u03b1", 'y'},
                      {"*[a-\u03b6]", "A", 'n'},
                      {"a?b", "a/b", 'n'},
                      {"a*b", "a/b", 'n'},
                      {"[\\]a]", "]", 'y'},
                      {"[\\-x]", "-", 'y'},
                      {"[]a]", "]", 'e'},
                      {"[-]", "-", 'e'},
                      {"[x-]", "x", 'e'},
                      {"[a-b-c]", "a", 'e'},
                      {"[", "a", 'e'},
                      {"[^", "a", 'e'},
                      {"[^bc", "a", 'e'},
                      {"a[", "ab", 'e'},
                      {"\\", "a", 'e'},
                      {"*x", "xxx", 'y'},
                      {"**", "ab", 'y'},
                      {"**/b", "a/b", 'y'},
                      {"**/b", "x/a/b", 'n'},
                      {"[*]", "*", 'y'},
                      {"", "", 'y'},
                      {"", "a", 'n'},
                      {"q*[", "a", 'n'},
                      {"a[z-a]", "ab", 'n'},
                      {"*", "", 'y'},
                      {"?", "", 'n'},
                      {"\xff", "\xff", 'y'}};
  for (const Row& row : rows) {
    CAPTURE(row.pattern);
    CAPTURE(row.path);
    const auto result = match_path(row.pattern, row.path);
    CHECK((!result ? 'e' : *result ? 'y' : 'n') == row.result);
  }
}

TEST_CASE("wildcards are seen unless they are escaped") {
  for (const char* text : {"*", "a?", "a[b", "\\\\*"}) CHECK_MESSAGE(has_wildcard(text), text);
  for (const char* text : {"", "a", "\\*", "a]", "\\"}) CHECK_MESSAGE(!has_wildcard(text), text);
}
