#include "cli/tui_frame.h"

#include <doctest/doctest.h>

using namespace mica::cli;

TEST_CASE("names are harmless on a terminal") {
  const struct {
    std::string_view name, shown, ascii;
  } cases[] = {
      {"plain", "plain", "plain"},
      {"a\nb\tc\rd", "a\\nb\\tc\\rd", "a\\nb\\tc\\rd"},
      {"\x1b[2J", "\\x1b[2J", "\\x1b[2J"},
      {"\x7f\xff", "\\x7f\\xff", "\\x7f\\xff"},
      {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f", "gr\\u00fc\\u00df"},
      {"\xc2\x9b", "\\u009b", "\\u009b"},
      {"x\xe2\x80\xaetxt", "x\\u202etxt", "x\\u202etxt"},
      {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80", "\\U0001f600"},
      {"\xe2\x80\x8b", "\\u200b", "\\u200b"},
  };
  for (const auto& one : cases) {
    CHECK(shown_name(one.name, {.utf8 = true}) == one.shown);
    CHECK(shown_name(one.name, {.utf8 = false}) == one.ascii);
  }
}

TEST_CASE("lines are cut and filled to a width in columns") {
  const auto fitted = [](std::string text, int width, bool utf8 = true) { return plain_text(fit({{std::move(text), {}}}, width, {.utf8 = utf8})); };
  CHECK(fitted("abc", 5) == "abc  ");
  CHECK(fitted("abcde", 5) == "abcde");
  CHECK(fitted("abcdef", 5) == "abcd…");
  CHECK(fitted("abcdef", 5, false) == "abcd~");
  CHECK(fitted("日本語", 6) == "日本語");
  CHECK(fitted("日本語x", 6) == "日本… ");
  CHECK(fitted("日本語", 1) == "…");
  CHECK(fitted("abc", 0) == "");
  CHECK(fitted("e\xcc\x81x", 2) == "e\xcc\x81x");
  const Line two{{"ab", {.bold = true}}, {"cd", {}}};
  CHECK(plain_text(fit(two, 3, {})) == "ab…");
  CHECK(plain_text(fit(two, 2, {})) == "a…");
}

TEST_CASE("text is wrapped at blanks") {
  const auto wrapped = [](std::string_view text, int width, int most) { return wrap(text, width, most, {}); };
  using Lines = std::vector<std::string>;
  CHECK(wrapped("aa bb cc", 5, 9) == Lines{"aa bb", "cc"});
  CHECK(wrapped("aa bbb cc", 5, 9) == Lines{"aa", "bbb", "cc"});
  CHECK(wrapped("abcdefgh", 3, 9) == Lines{"abc", "def", "gh"});
  CHECK(wrapped("aa bb cc dd", 5, 2) == Lines{"aa bb", "cc dd"});
  CHECK(wrapped("aa bb cc dd ee", 5, 2) == Lines{"aa bb", "cc d…"});
  CHECK(wrapped("", 5, 2).empty());
  CHECK(wrapped("日本", 1, 9) == Lines{"日", "本"});
}

TEST_CASE("styles become escape sequences, colours only where they are wanted") {
  const Line line{{"a", {}}, {"b", {.colour = Style::Colour::green, .bold = true}}, {"c", {.reverse = true}}};
  CHECK(ansi_text(line, true) == "a\x1b[1;32mb\x1b[0m\x1b[7mc\x1b[0m");
  CHECK(ansi_text(line, false) == "a\x1b[1mb\x1b[0m\x1b[7mc\x1b[0m");
}
