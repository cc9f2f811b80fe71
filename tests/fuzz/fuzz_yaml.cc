// Whatever parses keeps to its limits, has a place for each value, and comes back as JSON, which is YAML too.
#include <cstdint>

#include "json/yaml.h"

namespace {
using namespace mica;

/// How many values a tree has; each has its place.
std::size_t count(const json::Value& value, const json::Place& place) {
  MICA_ASSERT(place.line > 0 && place.column > 0, "a value stands somewhere");
  std::size_t values = 1;
  if (value.is_array()) {
    MICA_ASSERT(place.children.size() == value.as_array().size(), "items and their places are in step");
    for (std::size_t i = 0; i < place.children.size(); ++i) values += count(value.as_array()[i], place.children[i]);
  } else if (value.is_object()) {
    MICA_ASSERT(place.children.size() == value.as_object().size(), "members and their places are in step");
    for (std::size_t i = 0; i < place.children.size(); ++i) values += count(value.as_object()[i].second, place.children[i]);
  } else {
    MICA_ASSERT(place.children.empty(), "a scalar has no parts");
  }
  return values;
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const json::YamlLimits limits{.bytes = 1 << 18, .depth = 50, .values = 20'000, .aliases = 1'000};
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto documents = json::parse_yaml_documents(text, limits);
  const auto one = json::parse_yaml(text, limits);
  if (one && documents) MICA_ASSERT(documents->size() <= 1, "one document is one");
  if (!documents) return 0;
  std::size_t values = 0;
  for (const auto& document : *documents) {
    values += count(document.value, document.place);
    const std::string json = json::write(document.value);
    const auto again = json::parse_yaml(json, {.bytes = 64 << 20});
    MICA_ASSERT(again.has_value(), "JSON is YAML");
    MICA_ASSERT(json::write(*again) == json, "the value survives");
  }
  MICA_ASSERT(values <= limits.values, "no more values than allowed");
  return 0;
}
