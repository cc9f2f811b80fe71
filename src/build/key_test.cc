#include "build/key.h"

#include <doctest/doctest.h>

using namespace mica;
using namespace mica::build;

namespace {

Parts sample() {
  return {{"instruction", "COPY . /app", true}, {"parent", std::string(64, 'a'), false}, {"file server.js", std::string(64, 'b'), false},
          {"arg VERSION", "1.2", true}};
}

std::vector<std::string> described(const Parts& before, const Parts& after) {
  std::vector<std::string> lines;
  for (const Change& change : compare_parts(before, after).list) lines.push_back(describe(change));
  return lines;
}

}  // namespace

TEST_CASE("the weak key knows the declared parts only, the strong key all") {
  Parts other = sample();
  other[2].value = std::string(64, 'c');
  CHECK(weak_key(sample()) == weak_key(other));
  CHECK(strong_key(sample()) != strong_key(other));
  other[3].value = "1.3";
  CHECK(weak_key(sample()) != weak_key(other));
  CHECK(strong_key(sample()).size() == 64);
}

TEST_CASE("names and values cannot run into each other in a key") {
  const Parts one = {{"ab", "c", true}}, two = {{"a", "bc", true}};
  CHECK(weak_key(one) != weak_key(two));
  CHECK(strong_key({{"a", "b", true}, {"c", "d", true}}) != strong_key({{"c", "d", true}, {"a", "b", true}}));
}

TEST_CASE("parts survive their encoding whatever they hold") {
  Parts parts = sample();
  parts.push_back({"file a:7\nb", std::string("\0\xff:12:", 6), false});
  parts.push_back({"", "", true});
  CHECK(decode_parts(encode_parts(parts)).value() == parts);
  CHECK(decode_parts(encode_parts({})).value().empty());
}

TEST_CASE("damaged encodings are errors, at every byte") {
  const std::string whole = encode_parts(sample());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto cut = decode_parts(std::string_view(whole).substr(0, size));
    if (cut) CHECK(cut->size() < sample().size());
    else CHECK(cut.error().code() == Errc::corrupt);
  }
  CHECK(!decode_parts("mica parts 1\nd99999999999999999999:x1:y"));
  CHECK(!decode_parts("mica parts 1\nz1:x1:y"));
}

TEST_CASE("changes are told in the words of a Dockerfile") {
  Parts after = sample();
  after[1].value = std::string(64, 'e');
  after[2].value = std::string(64, 'd');
  after[3].value = "1.3";
  after.push_back({"file lib/new.js", std::string(64, 'f'), false});
  CHECK(described(sample(), after) == std::vector<std::string>{"the root filesystem below changed: aaaaaaaaaaaa to eeeeeeeeeeee",
                                                               "server.js changed: bbbbbbbbbbbb to dddddddddddd", "ARG VERSION changed: \"1.2\" to \"1.3\"",
                                                               "lib/new.js is new"});
  CHECK(described(after, sample()).back() == "lib/new.js was removed");
  CHECK(described(sample(), sample()).empty());
}

TEST_CASE("parts of the same name are compared in their order") {
  const Parts two = {{"source", "*.html", true}, {"source", "*.css", true}};
  CHECK(described(two, two).empty());
  CHECK(described(two, {{"source", "*.html", true}, {"source", "*.js", true}}) == std::vector<std::string>{describe({"source", "*.css", "*.js"})});
  CHECK(compare_parts(two, {{"source", "*.html", true}}).total == 1);
  CHECK(compare_parts({{"source", "*.html", true}}, two).total == 1);
}

TEST_CASE("of many changes a few are listed and all are counted") {
  Parts before, after;
  for (int i = 0; i < 50; ++i) {
    before.push_back({"file " + std::to_string(i), "a", false});
    after.push_back({"file " + std::to_string(i), "b", false});
  }
  const Changes changes = compare_parts(before, after, 7);
  CHECK(changes.list.size() == 7);
  CHECK(changes.total == 50);
}
