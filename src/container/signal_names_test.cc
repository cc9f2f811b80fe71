#include "container/signal_names.h"

#include <doctest/doctest.h>

using namespace mica;
using namespace mica::container;

TEST_CASE("signals by name, by number, and real-time ones") {
  struct { const char* text; int number; } cases[] = {{"SIGTERM", 15}, {"term", 15}, {"9", 9}, {"Kill", 9}, {"RTMIN", 34}, {"SIGRTMIN+3", 37}, {"RTMAX-1", 63}, {"64", 64}};
  for (const auto& c : cases) {
    CAPTURE(c.text);
    CHECK(parse_signal(c.text).value() == c.number);
  }
  for (const char* text : {"", "SIG", "0", "65", "-1", "RTMIN-1", "RTMIN+31", "RTMAX+1", "TERMX"}) {
    CAPTURE(text);
    CHECK(parse_signal(text).error().message() == std::string("invalid signal: ") + text);
  }
  CHECK(signal_name(15) == "SIGTERM");
  CHECK(signal_name(40) == "40");
}
