#include "dockerfile/expand.h"

#include <doctest/doctest.h>

#include <map>

using namespace mica;
using namespace mica::dockerfile;

namespace {

const std::map<std::string, std::string, std::less<>> kEnv = {{"a", "foo"},
                                                              {"b", ""},
                                                              {"s", "/usr/local/lib"},
                                                              {"w", "x  y"},
                                                              {"star", "a*b?c\\d"},
                                                              {"lines", "one\ntwo\n"},
                                                              {"dollar", "a$b"},
                                                              {"caf\u00e9", "noir"},
                                                              {"name", "stage-1"},
                                                              {"group", "$0$1${2}$$x"},
                                                              {"bytes", "\xff\xfe!"},
                                                              {"\u0663", "arabic three"}};

std::optional<std::string> lookup(std::string_view name) {
  const auto found = kEnv.find(name);
  if (found == kEnv.end()) return std::nullopt;
  return found->second;
}

std::string expanded(std::string_view text, const ExpandOptions& options = {}) {
  const auto result = expand(text, lookup, options);
  return result ? result->text : "error: " + result.error().message();
}

struct Row {
  std::string_view text, result;
};

}  // namespace

TEST_CASE("words expand as docker's frontend expands them") {
  const Row rows[] = {
      {"", ""},
      {"plain", "plain"},
      {"$a", "foo"},
      {"${a}", "foo"},
      {"$a$a", "foofoo"},
      {"$a-b", "foo-b"},
      {"$ab", ""},
      {"$b", ""},
      {"x${u}y", "xy"},
      // names
      {"$caf\u00e9", "noir"},
      {"$a\u2013", "foo\u2013"},
      {"$1x", "x"},
      {"$12", ""},
      {"$\u0663", "arabic three"},
      {"$$", ""},
      {"$$a", "a"},
      {"$*$@$#$?$-$!$0", ""},
      {"$", "$"},
      {"$ a", "$ a"},
      {"a$", "a$"},
      {"$(a)", "$(a)"},
      {"$.", "$."},
      // defaults
      {"${u:-x}", "x"},
      {"${b:-x}", "x"},
      {"${a:-x}", "foo"},
      {"${u-x}", "x"},
      {"${b-x}", ""},
      {"${a-x}", "foo"},
      {"${u:-}", ""},
      {"${u:+x}", ""},
      {"${b:+x}", ""},
      {"${a:+x}", "x"},
      {"${u+x}", ""},
      {"${b+x}", "x"},
      {"${a+x}", "x"},
      {"${u:-${v:-$a}}", "foo"},
      {"${u:-a b}", "a b"},
      {"${u:-'$a'}", "$a"},
      {"${u:-\"$a}\"}", "foo}"},
      {"${u:-\\}}", "}"},
      {"${u:-a:b}", "a:b"},
      {"${a:?x}", "foo"},
      {"${b?x}", ""},
      // quotes and escapes
      {"'$a'", "$a"},
      {"'a\\b'", "a\\b"},
      {"\"$a\"", "foo"},
      {"\"'$a'\"", "'foo'"},
      {"\"a\\\"b\"", "a\"b"},
      {"\"\\$a\"", "$a"},
      {"\"\\a\\\\\"", "\\a\\"},
      {"\\$a", "$a"},
      {"\\a", "a"},
      {"\\\\", "\\"},
      {"a\\", "a"},
      {"\\'", "'"},
      {"a\"b c\"d", "ab cd"},
      {"''", ""},
      {"\"\"", ""},
      // prefixes and suffixes
      {"${s#/*/}", "local/lib"},
      {"${s##/*/}", "lib"},
      {"${s%/*}", "/usr/local"},
      {"${s%%/*}", ""},
      {"${s#x}", "/usr/local/lib"},
      {"${s#}", "/usr/local/lib"},
      {"${s##*}", ""},
      {"${a#?}", "oo"},
      {"${a%?}", "fo"},
      {"${a%%o*}", "f"},
      {"${a%o*}", "fo"},
      {"${u#x}", ""},
      {"${star#a\\*}", "b?c\\d"},
      {"${star%\\\\d}", "a*b?c"},
      {"${star#*\\?}", "c\\d"},
      {"${a#$a}", ""},
      {"${s%${u:-/lib}}", "/usr/local"},
      {"${lines#*n}", "e\ntwo\n"},
      {"${lines##*}", "\ntwo\n"},
      {"${bytes#?}", "\xfe!"},
      {"${bytes%!}", "\xff\xfe"},
      // replacement
      {"${a/o/0}", "f0o"},
      {"${a//o/0}", "f00"},
      {"${a//o/}", "f"},
      {"${a/x/y}", "foo"},
      {"${a////:}", "/:f/:o/:o/:"},
      {"${s//\\//:}", ":usr:local:lib"},
      {"${a/o*/x}", "fx"},
      {"${a//?/x}", "xxx"},
      {"${a//o/\\/}", "f\\/\\/"},
      {"${a/$u/x}", "xfoo"},
      {"${a//$u/-}", "-f-o-o-"},
      {"${name//[0-9]/x}", "stage-1"},
      {"${a/f/$s}", "/usr/local/liboo"},
      {"${a//oo/$group}", "foo$x"},
      {"${a/oo/$group}", "f$0$1${2}$$x"},
      {"${u/a/b}", ""},
      {"${lines//e*/x}", "onx\ntwo\n"},
      {"${a//*/x}", "x"},
      // odds and ends
      {"a < b", "a < b"},
      {"<<  a", "<<  a"},
      {"\xef\xbb\xbf$a", "foo"},
      {"\xff$a",
       "\xff"
       "foo"},
      {"{$a}", "{foo}"},
      {"}", "}"},
      {"${#}", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(expanded(row.text) == row.result);
  }
}

TEST_CASE("what cannot be expanded is refused in docker's words") {
  const Row rows[] = {
      {"${", "missing '}'"},
      {"${a", "missing '}'"},
      {"${a:", "missing '}'"},
      {"${a:-x", "missing '}'"},
      {"${a:-'x}", "missing '}'"},
      {"${a/x}", "missing '/' in ${}"},
      {"${a/x/y", "missing '}'"},
      {"${}", "syntax error: bad substitution"},
      {"${{a}}", "syntax error: bad substitution"},
      {"${:a}", "syntax error: bad substitution"},
      {"${a:#x}", "unsupported modifier (:#) in substitution"},
      {"${a:0:1}", "unsupported modifier (:0) in substitution"},
      {"${#a}", "unsupported modifier (a) in substitution"},
      {"${a^^}", "unsupported modifier (^) in substitution"},
      {"${a=x}", "unsupported modifier (=) in substitution"},
      {"${1a}", "unsupported modifier (a) in substitution"},
      {"${ a}", "unsupported modifier ( ) in substitution"},
      {"${u:?gone}", "u: gone"},
      {"${b:?}", "b: is not allowed to be empty"},
      {"${u?}", "u: is not allowed to be unset"},
      {"${u:?$a!}", "u: foo!"},
      {"${a#\\x}", "invalid pattern (\\x) in substitution: invalid escape '\\x'"},
      {"'x", "looking for matching single-quote"},
      {"\"x", "looking for matching double-quote"},
      {"\"x\\\"", "looking for matching double-quote"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto result = expand(row.text, lookup);
    REQUIRE(!result.has_value());
    CHECK(result.error().code() == Errc::invalid_argument);
    CHECK_MESSAGE(result.error().message().ends_with(row.result), result.error().message());
    CHECK(result.error().message().starts_with("failed to process \""));
  }
}

TEST_CASE("an error tells where the variable stands") {
  const auto result = expand("ab ${a} ${u:?gone}", lookup);
  REQUIRE(!result.has_value());
  CHECK(result.error().message() == "failed to process \"ab ${a} ${u:?gone}\": u: gone");
  REQUIRE(result.error().position().has_value());
  CHECK(result.error().position()->column == 9);
  CHECK(expand("x'", lookup).error().position()->column == 2);
}

TEST_CASE("the escape directive's character escapes") {
  CHECK(expanded("`$a\\x", {.escape = '`'}) == "$a\\x");
  CHECK(expanded("\"`\"\\\"", {.escape = '`'}) == "\"\\");
}

TEST_CASE("bodies of here-documents keep their quotes and lose their backslashes") {
  const Row rows[] = {
      {"\"$a\" '$a'", "\"foo\" 'foo'"}, {"\\$a \\\\ \\x\\\ny", "$a \\ x\ny"}, {"it's ${u:-\"q\"}", "it's \"q\""}, {"a\\", "a"}};
  for (const Row& row : rows) CHECK(expanded(row.text, {.keep_quotes = true}) == row.result);
}

TEST_CASE("names that were not set are reported, those with a default apart") {
  const auto result = expand("$u ${u} ${v:-$w1} ${x+1} ${y#z} $a ${z?}", [](std::string_view name) -> std::optional<std::string> {
    if (name == "a" || name == "z") return "";
    return std::nullopt;
  });
  REQUIRE(result.has_value());
  CHECK(result->unset == std::vector<std::string>{"u", "w1", "y"});
  CHECK(result->defaulted == std::vector<std::string>{"v", "x"});
}

TEST_CASE("words split at blanks that are neither quoted nor escaped, also at those that variables bring") {
  struct Words {
    std::string_view text;
    std::vector<std::string> words;
  };
  const Words rows[] = {{"80 443/tcp", {"80", "443/tcp"}},
                        {"$w", {"x", "y"}},
                        {"\"$w\"", {"x  y"}},
                        {"a$w", {"ax", "y"}},
                        {"a\\ b c", {"a b", "c"}},
                        {"  a\t b ", {"a", "b"}},
                        {"", {}},
                        {"$u", {}},
                        {"''", {}},
                        {"'' a", {"a"}},
                        {"a'b c'd", {"ab cd"}},
                        {"a\u00a0b", {"a", "b"}},
                        {"x << y", {"x", "<< y"}}};
  for (const Words& row : rows) {
    CAPTURE(row.text);
    const auto result = expand_words(row.text, lookup);
    REQUIRE(result.has_value());
    CHECK(*result == row.words);
  }
  CHECK(!expand_words("${u:?}", lookup).has_value());
}

TEST_CASE("nesting and size are bounded") {
  std::string deep, close;
  for (int i = 0; i < kMaxExpansionDepth; ++i) deep += "${u:-", close += "}";
  CHECK(expanded(deep + "x" + close) == "x");
  CHECK(expand("${u:-" + deep + "x" + close + "}", lookup).error().code() == Errc::resource_exhausted);
  const auto big = [](std::string_view) { return std::optional<std::string>(std::string(kMaxExpansionBytes / 4, 'x')); };
  CHECK(expand("$a$a$a$a", big)->text.size() == kMaxExpansionBytes);
  CHECK(expand("$a$a$a$a$a", big).error().code() == Errc::resource_exhausted);
}

TEST_CASE("a pattern that would take forever is given up") {
  const auto many = [](std::string_view) { return std::optional<std::string>(std::string(1 << 20, 'a')); };
  const std::string pattern = std::string(1 << 10, 'a') + "b";
  CHECK(expand("${a//" + pattern + "/x}", many).error().code() == Errc::resource_exhausted);
}
