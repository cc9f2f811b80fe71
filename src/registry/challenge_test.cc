#include "registry/challenge.h"

#include <doctest/doctest.h>

using namespace mica::registry;

TEST_CASE("challenges are read in every form that servers send") {
  struct Row {
    std::string_view value;
    std::vector<Challenge> expected;
  };
  for (const Row& row : {
           Row{"", {}},
           Row{"Basic", {{"basic", {}}}},
           Row{"Basic realm=\"a, b\"", {{"basic", {{"realm", "a, b"}}}}},
           Row{"bEaReR Realm=\"https://t/token?a=1,2\" ,service = \"s\",scope=\"repository:a/b:pull,push\"",
               {{"bearer", {{"realm", "https://t/token?a=1,2"}, {"service", "s"}, {"scope", "repository:a/b:pull,push"}}}}},
           Row{"Negotiate, Basic realm=x, Bearer realm=https://t/x,error=invalid_token",
               {{"negotiate", {}}, {"basic", {{"realm", "x"}}}, {"bearer", {{"realm", "https://t/x"}, {"error", "invalid_token"}}}}},
           Row{R"(Basic realm="say \"hi\" \\ there")", {{"basic", {{"realm", R"(say "hi" \ there)"}}}}},
           Row{"Basic realm=\"never closed", {{"basic", {{"realm", "never closed"}}}}},
           Row{",, ,Basic ,", {{"basic", {}}}},
           Row{"realm=\"of nothing\", Basic", {{"basic", {}}}},
           Row{"Basic realm=", {{"basic", {{"realm", ""}}}}},
           Row{"\x01\x02 Basic", {{"basic", {}}}},
       }) {
    CAPTURE(row.value);
    const auto got = parse_challenges(row.value);
    CHECK(got == row.expected);
  }
}

TEST_CASE("Bearer with a realm goes before Basic, and what is unknown is passed over") {
  struct Row {
    std::string_view value, scheme;
  };
  for (const Row& row : {Row{"Basic realm=x, Bearer realm=\"y\"", "bearer"}, Row{"Bearer, Basic", "basic"}, Row{"Negotiate abc==, Basic realm=x", "basic"},
                         Row{"Digest realm=x", ""}, Row{"NTLM TlRM/Q==, Bearer realm=\"y\"", "bearer"}}) {
    CAPTURE(row.value);
    const auto all = parse_challenges(row.value);
    const Challenge* chosen = preferred(all);
    CHECK((chosen ? chosen->scheme : "") == row.scheme);
  }
}
