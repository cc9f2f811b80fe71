#include "json/json.h"

#include <doctest/doctest.h>

#include <climits>

using namespace mica;

namespace {
json::Value parsed(std::string_view text) {
  auto value = json::parse(text);
  REQUIRE_MESSAGE(value.has_value(), (value ? std::string() : value.error().text()));
  return std::move(*value);
}
Errc code_of(std::string_view text, const json::Limits& limits = {}) {
  const auto value = json::parse(text, limits);
  REQUIRE_FALSE(value.has_value());
  return value.error().code();
}
}  // namespace

TEST_CASE("what is parsed is written again in the same order") {
  for (const char* text : {
           R"({"b":1,"a":[true,false,null],"c":{"d":"e"}})", R"([])", R"({})", R"("x")", R"(-12)", R"(0.5)", R"(1e+21)",
           R"(1.5e-7)", R"(9223372036854775807)", R"(-9223372036854775808)", R"("äöü€😀")", R"("\"\\\n\r\t\b\f\u0001/")",
       }) {
    CAPTURE(text);
    CHECK(json::write(parsed(text)) == text);
  }
}

TEST_CASE("numbers keep their kind") {
  CHECK(parsed("7").is_int());
  CHECK(parsed("7.0").is_double());
  CHECK(parsed("-0").is_int());
  CHECK(parsed("18446744073709551615").is_double());
  CHECK(parsed("1e3").as_double() == 1000);
  CHECK(parsed("9223372036854775807").as_int() == INT64_MAX);
}

TEST_CASE("of duplicate members the last one wins in the place of the first") {
  CHECK(json::write(parsed(R"({"a":1,"b":2,"a":3})")) == R"({"a":3,"b":2})");
  std::string many = "{\"x\":0";
  for (int i = 0; i < 100; ++i) many += ",\"k" + std::to_string(i % 50) + "\":" + std::to_string(i);
  const json::Value value = parsed(many + ",\"x\":\"last\"}");
  CHECK(value.as_object().size() == 51);
  CHECK(value.as_object().front() == json::Member("x", "last"));
  CHECK(value.int_or("k0") == 50);
}

TEST_CASE("bad text is corrupt and says where") {
  for (const char* text : {"", " ", "{", "[1,]", "{\"a\" 1}", "nul", "01", "1.", "+1", "\"\x01\"", "\"\xff\"", "\"\\ud800\"", "{}{}",
                           "[1 2]", "{'a':1}", "1e999", "[NaN]", "// c\n1"}) {
    CAPTURE(text);
    CHECK(code_of(text) == Errc::corrupt);
  }
  CHECK(code_of(std::string_view("{}\0x", 4)) == Errc::corrupt);
  const auto bad = json::parse("{\n  \"a\": 1,\n  \"b\": x\n}");
  REQUIRE_FALSE(bad.has_value());
  CHECK(bad.error().text().find("line 3, column 8") != std::string::npos);
}

TEST_CASE("limits on bytes, depth and values hold") {
  CHECK(code_of("[1,2,3]", {.bytes = 6}) == Errc::resource_exhausted);
  CHECK(code_of("[[[]]]", {.depth = 2}) == Errc::resource_exhausted);
  CHECK(json::parse("[[]]", {.depth = 2}).has_value());
  CHECK(code_of("[1,2,3]", {.values = 3}) == Errc::resource_exhausted);
  CHECK(json::parse("[1,2]", {.values = 3}).has_value());
  CHECK(code_of(std::string(8 << 20, '[')) == Errc::resource_exhausted);
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  CHECK(code_of(objects) == Errc::resource_exhausted);
}

TEST_CASE("a hundred thousand members are no quadratic work") {
  std::string text = "{";
  for (int i = 0; i < 100'000; ++i) text += (i ? ",\"" : "\"") + std::to_string(i) + "\":0";
  CHECK(parsed(text + "}").as_object().size() == 100'000);
}

TEST_CASE("strings are escaped as Go does, with and without HTML") {
  const json::Value value = "<a>&\x7f\xe2\x80\xa8\xff\x1f";
  CHECK(json::write(value) == "\"<a>&\x7f\\u2028\\ufffd\\u001f\"");
  CHECK(json::write_for_html(value) == "\"\\u003ca\\u003e\\u0026\x7f\\u2028\\ufffd\\u001f\"");
}

TEST_CASE("pretty output has Docker's form") {
  CHECK(json::write_pretty(parsed(R"([{"a":[],"b":{},"c":[1,"x"]}])")) ==
        "[\n    {\n        \"a\": [],\n        \"b\": {},\n        \"c\": [\n            1,\n            \"x\"\n        ]\n    }\n]");
}

TEST_CASE("members are found, set, replaced and erased") {
  json::Value value;
  value.set("a", 1);
  value.set("B", "x");
  value.set("a", 2).is_int();
  CHECK(json::write(value) == R"({"a":2,"B":"x"})");
  CHECK(value.find("b") == nullptr);
  REQUIRE(value.find_ignoring_case("b"));
  CHECK(value.find_ignoring_case("b")->as_string() == "x");
  CHECK(value.erase("a"));
  CHECK_FALSE(value.erase("a"));
  json::Value list;
  list.push("x");
  list.push(1);
  value.set("l", list);
  CHECK(value.strings("l") == std::vector<std::string>{"x"});
  CHECK(value.string_or("none", "f") == "f");
  CHECK(value.int_or("B", 5) == 5);
  CHECK(value.bool_or("B", true));
  CHECK(json::write(json::from({"a", "b"})) == R"(["a","b"])");
}
