#include "base/text.h"

#include <doctest/doctest.h>

#include "base/format.h"

using namespace mica;
using Views = std::vector<std::string_view>;

TEST_CASE("trim takes blanks off the chosen ends only") {
  CHECK(trim(" \t a b \r\n") == "a b");
  CHECK(trim_left("  a ") == "a ");
  CHECK(trim_right("  a ") == "  a");
  CHECK(trim("   ") == "");
  CHECK(trim("xxaxx", "x") == "a");
}

TEST_CASE("split keeps empty parts and split_blanks does not") {
  CHECK(split("a,,b", ',') == Views{"a", "", "b"});
  CHECK(split("", ',') == Views{""});
  CHECK(split(",", ',') == Views{"", ""});
  CHECK(split_blanks("  a \t b\n") == Views{"a", "b"});
  CHECK(split_blanks(" ").empty());
  CHECK(split_once("k=v=w", '=')->second == "v=w");
  CHECK(split_once("=v", '=')->first == "");
  CHECK_FALSE(split_once("kv", '='));
}

TEST_CASE("joining, replacing and changing case work on ASCII") {
  CHECK(join(std::vector<std::string>{"a", "b", "c"}, ", ") == "a, b, c");
  CHECK(join({}, ", ") == "");
  CHECK(replace_all("aXXbX", "X", "YX") == "aYXYXbYX");
  CHECK(replace_all("abc", "", "x") == "abc");
  CHECK(to_lower("ÄBc") == "Äbc");
  CHECK(to_upper("abC1") == "ABC1");
  CHECK(equals_ignoring_case("FrOm", "from"));
  CHECK_FALSE(equals_ignoring_case("from", "fro"));
}

TEST_CASE("only well-formed UTF-8 is UTF-8") {
  for (const std::string_view good : {"", "abc", "ä", "€", "😀", "\xf4\x8f\xbf\xbf"}) CHECK_MESSAGE(is_utf8(good), quoted(good));
  for (const std::string_view bad : {"\x80", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "a\xff"})
    CHECK_MESSAGE(!is_utf8(bad), quoted(bad));
}

TEST_CASE("integers must fill the whole text and fit") {
  CHECK(parse_int("-9223372036854775808") == INT64_MIN);
  CHECK(parse_int("007") == 7);
  for (const std::string_view bad : {"", " 1", "1 ", "+1", "0x1", "9223372036854775808", "1.0"}) CHECK_FALSE(parse_int(bad));
  CHECK(parse_octal("755") == 0755u);
  for (const std::string_view bad : {"", "8", "-7", "7a"}) CHECK_FALSE(parse_octal(bad));
}

TEST_CASE("quoted text is as Go writes it") {
  struct Case { std::string_view text, expected; };
  for (const auto& [text, expected] : std::initializer_list<Case>{
           {"plain", R"("plain")"},
           {"a\"b\\c'", R"("a\"b\\c'")"},
           {"\a\b\f\n\r\t\v", R"("\a\b\f\n\r\t\v")"},
           {std::string_view("\0\x1b\x7f", 3), R"("\x00\x1b\x7f")"},
           {"ä€😀", "\"ä€😀\""},
           {"\xff\xc3", R"("\xff\xc3")"},
           {"\u00a0\u200b\ufeff\u2028", R"("\u00a0\u200b\ufeff\u2028")"},
           {"\U000e0001", R"("\U000e0001")"},
           {"\xc2\x85", R"("\u0085")"}})
    CHECK(quoted(text) == expected);
}

TEST_CASE("a near word is suggested and a far one is not") {
  const Views known{"FROM", "RUN", "HEALTHCHECK", "ENTRYPOINT", "CMD"};
  CHECK(closest("FORM", known) == "FROM");
  CHECK(closest("rn", known) == "RUN");
  CHECK(closest("HELTHCECK", known) == "HEALTHCHECK");
  CHECK(closest("healthchekcs", known) == "HEALTHCHECK");
  CHECK_FALSE(closest("xyzzy", known));
  CHECK_FALSE(closest("ps", Views{"rm"}));
  CHECK_FALSE(closest("", Views{"a"}));
  CHECK(closest("inspekt", Views{"inspector", "inspect"}) == "inspect");
}

TEST_CASE("paths are cleaned as Go cleans them") {
  struct Case { std::string_view path, expected; };
  for (const auto& [path, expected] : std::initializer_list<Case>{
           {"", "."}, {".", "."}, {"/", "/"}, {"//", "/"}, {"a//b/../c", "a/c"}, {"/..", "/"}, {"../a", "../a"}, {"a/../..", ".."},
           {"/a/../../b/", "/b"}, {"./a/.", "a"}, {"a/..", "."}, {"../../x/..", "../.."}, {"...", "..."}})
    CHECK_MESSAGE(clean_path(path) == expected, path);
}

TEST_CASE("names and folders of paths are as in Go") {
  CHECK(base_name("a/b") == "b");
  CHECK(base_name("a/b/") == "b");
  CHECK(base_name("/") == "/");
  CHECK(base_name("") == ".");
  CHECK(dir_name("/a/b") == "/a");
  CHECK(dir_name("/a") == "/");
  CHECK(dir_name("a") == ".");
  CHECK(dir_name("a/b/") == "a/b");
  CHECK(join_path("/a", "b/../c") == "/a/c");
  CHECK(join_path("a", "/b") == "/b");
  CHECK(join_path("", "x") == "x");
  CHECK(join_path("/a/", "") == "/a");
}
