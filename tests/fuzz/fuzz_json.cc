// Whatever parses is written and read back to the same value; the written bytes are stable.
#include <cstdint>

#include "json/json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mica;
  const json::Limits limits{.bytes = 1 << 20, .depth = 100, .values = 100'000};
  const auto value = json::parse({reinterpret_cast<const char*>(data), size}, limits);
  if (!value) return 0;
  const std::string text = json::write(*value);
  const auto again = json::parse(text, {.bytes = 16 << 20, .depth = 100, .values = 100'000});
  MICA_ASSERT(again.has_value(), "what was written can be read");
  // Not the values: the double 1.0 is written as 1 and comes back as an integer.
  MICA_ASSERT(json::write(*again) == text, "the written form is stable");
  const auto pretty = json::parse(json::write_pretty(*value), {.bytes = 1 << 30, .depth = 100, .values = 100'000});
  MICA_ASSERT(pretty.has_value() && json::write(*pretty) == text, "the indented form says the same");
  const auto html = json::parse(json::write_for_html(*value), {.bytes = 1 << 30, .depth = 100, .values = 100'000});
  MICA_ASSERT(html.has_value() && json::write(*html) == text, "the form for HTML says the same");
  return 0;
}
