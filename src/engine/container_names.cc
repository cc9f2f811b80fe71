#include "engine/container_names.h"

#include <algorithm>
#include <random>

#include "base/format.h"

namespace mica::engine {
namespace {

constexpr std::string_view kFirst[] = {"amber", "bold", "brisk", "calm", "clever", "crisp", "dapper", "eager", "early", "fair", "fleet", "gentle", "glad", "golden", "happy", "keen", "kind", "lively",
                                       "lucid", "mellow", "merry", "neat", "nimble", "patient", "plucky", "proud", "quick", "quiet", "ready", "rustic", "serene", "silver", "steady", "sunny",
                                       "swift", "tidy", "trusty", "vivid", "warm", "wise", "witty", "zesty"};
constexpr std::string_view kSecond[] = {"anvil", "arbor", "basin", "beacon", "birch", "brook", "canyon", "cedar", "cliff", "comet", "coral", "crane", "delta", "ember", "falcon", "fern", "fjord", "garnet",
                                        "glacier", "granite", "harbour", "heron", "island", "juniper", "lagoon", "lantern", "linden", "maple", "meadow", "meteor", "orchard", "otter", "pebble",
                                        "pine", "quartz", "raven", "reef", "river", "schist", "spruce", "summit", "thistle", "tide", "valley", "willow"};

bool is_alphanumeric(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

}  // namespace

std::string random_container_name(int tries) {
  std::random_device random;
  std::string name = format("{}_{}", kFirst[random() % std::size(kFirst)], kSecond[random() % std::size(kSecond)]);
  if (tries > 1) name += std::to_string(random() % 1000);
  return name;
}

Result<> check_container_name(const std::string& name) {
  const std::string_view text = name.starts_with("/") ? std::string_view(name).substr(1) : name;
  const bool good = text.size() >= 2 && is_alphanumeric(text[0]) &&
                    std::all_of(text.begin(), text.end(), [](char c) { return is_alphanumeric(c) || c == '_' || c == '.' || c == '-'; });
  if (!good) return failf(Errc::invalid_argument, "Invalid container name ({}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed", name);
  return {};
}

container::Event container_event(const container::Row& row, std::string action, container::Pairs more) {
  container::Pairs attributes = row.labels;
  attributes.insert(attributes.end(), more.begin(), more.end());
  attributes.emplace_back("image", row.image);
  attributes.emplace_back("name", row.name);
  return {.type = "container", .action = std::move(action), .id = row.id, .attributes = std::move(attributes), .time = {}};
}

}  // namespace mica::engine
