/// IPv4 networks, as far as choosing one that is free needs them.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mica::runtime {

struct Subnet {
  std::uint32_t address = 0;      ///< in host order, its lower bits zero
  int bits = 0;
  std::string text() const;                          ///< "10.89.0.0/24"
  std::string host(std::uint32_t number) const;      ///< the n-th address in it
  bool overlaps(const Subnet& other) const;
  bool operator==(const Subnet&) const = default;
};

/// The subnet for our bridge: the one that `bridge` has already, else the first of our candidates that no route leads into (the default
/// route does not count). `routes`: text of /proc/net/route. nullopt when all are taken.
std::optional<Subnet> choose_subnet(std::string_view routes, std::string_view bridge);
/// Address of the router that the default route names; "" without one.
std::string default_gateway(std::string_view routes);

}  // namespace mica::runtime
