#include "json/yaml.h"

#include <doctest/doctest.h>

using namespace mica;

namespace {
std::string as_json(std::string_view text) {
  const auto value = json::parse_yaml(text);
  REQUIRE_MESSAGE(value.has_value(), (value ? std::string() : value.error().text()));
  return json::write(*value);
}
Error error_of(std::string_view text, const json::YamlLimits& limits = {}) {
  auto value = json::parse_yaml(text, limits);
  REQUIRE_FALSE(value.has_value());
  return std::move(value).error();
}
struct Case {
  std::string_view yaml, json;
};
}  // namespace

TEST_CASE("plain scalars are what compose takes them for") {
  for (const Case& c : std::vector<Case>{
           {"", "null"},
           {"# only a comment\n", "null"},
           {"~", "null"}, {"null", "null"}, {"Null", "null"}, {"nULL", R"("nULL")"},
           {"true", "true"}, {"True", "true"}, {"FALSE", "false"}, {"tRue", R"("tRue")"},
           {"yes", R"("yes")"}, {"no", R"("no")"}, {"on", R"("on")"}, {"Off", R"("Off")"}, {"y", R"("y")"},
           {"12", "12"}, {"-12", "-12"}, {"+12", "12"}, {"1_000", "1000"}, {"0x1F", "31"}, {"0b101", "5"}, {"0o17", "15"}, {"0440", "288"},
           {"0", "0"}, {"08", "8"}, {"9223372036854775807", "9223372036854775807"}, {"-9223372036854775808", "-9223372036854775808"},
           {"1.5", "1.5"}, {".5", "0.5"}, {"1.", "1"}, {"1e3", "1000"}, {"-1.5E-3", "-0.0015"}, {"3.10", "3.1"},
           {"22:22", R"("22:22")"}, {"1:30:00", R"("1:30:00")"}, {"2024-01-01", R"("2024-01-01")"}, {"1.2.3", R"("1.2.3")"},
           {"0x", R"("0x")"}, {"-", "[null]"}, {"+", R"("+")"}, {".", R"(".")"}, {"1e", R"("1e")"}, {"_1", R"("_1")"}, {"1e999", R"("1e999")"},
           {"'12'", R"("12")"}, {"\"true\"", R"("true")"}, {"''", R"("")"}, {"! 12", R"("12")"},
           {"!!str 12", R"("12")"}, {"!!int '12'", "12"}, {"!!float 3", "3"}, {"!!bool 'true'", "true"}, {"!!null ''", "null"},
           {"!custom 12", "12"}, {"!custom a", R"("a")"},
       }) {
    CAPTURE(c.yaml);
    CHECK(as_json(c.yaml) == c.json);
  }
  CHECK(as_json(std::string_view()) == "null");
}

TEST_CASE("collections, blocks and flows") {
  for (const Case& c : std::vector<Case>{
           {"a: 1\nb:\n  - x\n  - y: z\n", R"({"a":1,"b":["x",{"y":"z"}]})"},
           {"{a: [1, 2], \"b\": {}}", R"({"a":[1,2],"b":{}})"},
           {"a:\nb: \n", R"({"a":null,"b":null})"},
           {"8080: x\n1.0: y\nnull: z\ntrue: t\n", R"({"8080":"x","1.0":"y","null":"z","true":"t"})"},
           {"a: |\n  x\n  y\nb: >-\n  x\n  y\n", R"({"a":"x\ny\n","b":"x y"})"},
           {"a: 'it''s'\nb: \"\\u00e4\\n\"\n", "{\"a\":\"it's\",\"b\":\"ä\\n\"}"},
           {"\xef\xbb\xbf" "a: b", R"({"a":"b"})"},
           {"%YAML 1.2\n---\na: b\n...\n", R"({"a":"b"})"},
       }) {
    CAPTURE(c.yaml);
    CHECK(as_json(c.yaml) == c.json);
  }
}

TEST_CASE("anchors, aliases and merge keys") {
  for (const Case& c : std::vector<Case>{
           {"a: &x [1, 2]\nb: *x\n", R"({"a":[1,2],"b":[1,2]})"},
           {"&k a: 1\nb: *k\n", R"({"a":1,"b":"a"})"},
           {"a: &k word\n*k : 1\n", R"({"a":"word","word":1})"},
           {"a: &x 1\nb: &x 2\nc: *x\n", R"({"a":1,"b":2,"c":2})"},
           {"a: &x {p: 1, q: 2}\nb:\n  <<: *x\n  q: 3\n", R"({"a":{"p":1,"q":2},"b":{"q":3,"p":1}})"},
           {"a: &x {p: 1}\nb: &y {p: 2, q: 2}\nc: {<<: [*x, *y], r: 3}\n", R"({"a":{"p":1},"b":{"p":2,"q":2},"c":{"r":3,"p":1,"q":2}})"},
           {"c: {<<: {p: 1}, <<: {q: 2}}\n", R"({"c":{"p":1,"q":2}})"},
           {"c: {'<<': {p: 1}}\n", R"({"c":{"<<":{"p":1}}})"},
           {"a: &x {p: {q: 1}}\nb: &y {<<: *x}\nc: {<<: *y}\n", R"({"a":{"p":{"q":1}},"b":{"p":{"q":1}},"c":{"p":{"q":1}}})"},
       }) {
    CAPTURE(c.yaml);
    CHECK(as_json(c.yaml) == c.json);
  }
}

TEST_CASE("bad text is corrupt and says where and why") {
  struct Bad {
    std::string_view yaml, place, why;
  };
  for (const Bad& c : std::vector<Bad>{
           {"a: b: c\n", "line 1, column 5", "mapping values are not allowed"},
           {"a: 1\nb: 2\na: 3\n", "line 3, column 1", "key \"a\" is there already, at line 1"},
           {"x:\n  a: 1\n  'a': 3\n", "line 3, column 3", "key \"a\" is there already, at line 2"},
           {"a: *none\n", "line 1, column 4", "there is no anchor &none"},
           {"a: &a [*a]\n", "line 1, column 8", "there is no anchor &a"},
           {"a: [1, 2\n", "line 2, column 1", "flow sequence"},
           {"a:\n\t- b\n", "line 2, column 1", "cannot start any token"},
           {"a: \"x\n", "line 2, column 1", "end of stream"},
           {"{a: 1}: b\n", "line 1, column 1", "a key must be a scalar"},
           {"? [a]\n: b\n", "line 1, column 3", "a key must be a scalar"},
           {"<<: 1\n", "line 1, column 5", "merges a mapping"},
           {"<<: [{a: 1}, 2]\n", "line 1, column 5", "merges a mapping"},
           {"a: 1\n---\nb: 2\n", "line 2, column 1", "a second document"},
           {"a: !!int x\n", "line 1, column 4", "\"x\" is no !!int"},
           {"a: !!binary aGk=\n", "line 1, column 4", "no !!binary"},
           {"a: !!set {x}\n", "line 1, column 4", "!!set is not supported"},
           {"a: x\nb: \xff\n", "line 2, column 4", "UTF-8"},
           {"a: x\nb: \x01\n", "line 2, column 4", "control characters"},
       }) {
    CAPTURE(c.yaml);
    const Error error = error_of(c.yaml);
    CHECK(error.code() == Errc::corrupt);
    CAPTURE(error.text());
    CHECK(error.text().find(c.place) != std::string::npos);
    CHECK(error.text().find(c.why) != std::string::npos);
  }
  CHECK(error_of(std::string_view("a: \0", 4)).code() == Errc::corrupt);
}

TEST_CASE("values know their places, and documents may be several") {
  const auto documents = json::parse_yaml_documents("a: 1\n---\nservices:\n  web:\n    image: x\n    ports: !override\n      - 80\n      - 81\n");
  REQUIRE(documents.has_value());
  REQUIRE(documents->size() == 2);
  const auto& second = (*documents)[1];
  const auto& image = second.find({"services", "web", "image"});
  CHECK(image.line == 5);
  CHECK(image.column == 12);
  CHECK(image.key_column == 5);
  CHECK(second.find({"services", "web", "ports"}).tag == "!override");
  CHECK(second.find({"services", "web", "ports", "1"}).line == 8);
  CHECK(second.find({"services", "web", "ports", "7"}).key_line == 6);
  CHECK(second.find({"services", "db"}).key_line == 3);
  CHECK(second.find({}).line == 3);
}

TEST_CASE("what aliases repeat counts, so bombs do not go off") {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 9; ++j) bomb += (j ? ", *a" : "*a") + std::to_string(i - 1);
    bomb += "]\n";
  }
  CHECK(error_of(bomb).code() == Errc::resource_exhausted);
  std::string merges = "m0: &m0 {a: [x, x, x, x]}\n";
  for (int i = 1; i < 30; ++i) {
    const std::string last = std::to_string(i - 1), now = std::to_string(i);
    merges += "m" + now + ": &m" + now + " {l" + now + ": *m" + last + ", r" + now + ": *m" + last + ", <<: *m" + last + "}\n";
  }
  CHECK(error_of(merges).code() == Errc::resource_exhausted);
  std::string wide = "a: &a " + std::string(100'000, 'x') + "\nb: [";
  for (int i = 0; i < 100; ++i) wide += "*a, ";
  CHECK(error_of(wide + "]\n").code() == Errc::resource_exhausted);
  CHECK(json::parse_yaml(wide.substr(0, wide.size() - 4 * 90) + "]\n").has_value());
}

TEST_CASE("limits on bytes, depth, values and aliases hold") {
  CHECK(error_of("[1,2,3]", {.bytes = 6}).code() == Errc::resource_exhausted);
  CHECK(error_of("[[[]]]", {.depth = 2}).code() == Errc::resource_exhausted);
  CHECK(json::parse_yaml("[[]]", {.depth = 2}).has_value());
  CHECK(error_of("[1,2,3]", {.values = 3}).code() == Errc::resource_exhausted);
  CHECK(error_of("[&a 1, *a, *a]", {.aliases = 1}).code() == Errc::resource_exhausted);
  CHECK(error_of(std::string(1 << 20, '[')).code() == Errc::resource_exhausted);
  std::string braces;
  for (int i = 0; i < 100'000; ++i) braces += "{a: ";
  CHECK(error_of(braces).code() == Errc::resource_exhausted);
  std::string dashes;
  for (int i = 0; i < 100'000; ++i) dashes += "- ";
  CHECK(error_of(dashes).code() == Errc::resource_exhausted);
}

TEST_CASE("twenty thousand members are no quadratic work") {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += "k" + std::to_string(i) + ": v\n";
  const auto value = json::parse_yaml(text);
  REQUIRE(value.has_value());
  CHECK(value->as_object().size() == 20'000);
}
