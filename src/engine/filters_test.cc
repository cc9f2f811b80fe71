#include "engine/filters.h"

#include <doctest/doctest.h>

using namespace mica;
using namespace mica::engine;

TEST_CASE("filters collect values by key and refuse unknown keys") {
  constexpr std::string_view known[] = {"label", "label!", "until"};
  const auto filters = *parse_filters({"label=a=b", "label=c", "label!=d", "until=24h"}, known);
  CHECK(filters.at("label") == std::vector<std::string>{"a=b", "c"});
  CHECK(filters.at("label!") == std::vector<std::string>{"d"});
  CHECK(parse_filters({"lable=a"}, known).error().message() == "invalid filter 'lable'");
  CHECK(parse_filters({"lable=a"}, known).error().hint() == "did you mean label?");
  CHECK(parse_filters({"label"}, known).error().code() == Errc::invalid_argument);
}

TEST_CASE("all wanted labels must hold and no unwanted one") {
  const Labels labels = {{"a", "1"}, {"b", ""}};
  auto match = [&](Filters filters) { return labels_match(filters, labels); };
  CHECK(match({{"label", {"a", "b"}}}));
  CHECK(match({{"label", {"a=1"}}}));
  CHECK_FALSE(match({{"label", {"a=2"}}}));
  CHECK_FALSE(match({{"label", {"a", "c"}}}));
  CHECK_FALSE(match({{"label!", {"a"}}}));
  CHECK(match({{"label!", {"a=2"}}}));
}

TEST_CASE("until takes durations, dates, times and seconds") {
  const Timestamp at = Timestamp::from_seconds(1'000'000'000);
  CHECK(parse_until("1h", at)->seconds() == 1'000'000'000 - 3600);
  CHECK(parse_until("12", at)->seconds() == 12);
  CHECK(parse_until("2001-09-09", at)->seconds() == 999993600);
  CHECK(parse_until("2001-09-09T01:46:40", at)->seconds() == 1'000'000'000);
  CHECK(parse_until("2001-09-09T03:46:40+02:00", at)->seconds() == 1'000'000'000);
  CHECK_FALSE(parse_until("yesterday", at));
}

TEST_CASE("globs follow path.Match") {
  CHECK(glob_matches("alp*", "alpine"));
  CHECK_FALSE(glob_matches("*", "a/b"));
  CHECK(glob_matches("*/b:1", "a/b:1"));
  CHECK(glob_matches("b[ab]z", "baz"));
}
