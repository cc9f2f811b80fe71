#include "registry/daemon_json.h"

#include <arpa/inet.h>
#include <netdb.h>

#include <array>
#include <cstring>
#include <memory>
#include <optional>

#include "base/format.h"
#include "base/text.h"
#include "json/json.h"
#include "registry/host_names.h"
#include "sys/fd.h"

namespace mica::registry {
namespace {

constexpr std::size_t kMaxFile = 4 << 20;

/// IPv4 addresses are kept in their mapped IPv6 form, so that one comparison does for both.
using Address = std::array<unsigned char, 16>;

Address mapped(const in_addr& four) {
  Address address{};
  address[10] = address[11] = 0xff;
  std::memcpy(&address[12], &four, 4);
  return address;
}

std::optional<Address> parse_address(const std::string& text) {
  in_addr four{};
  if (::inet_pton(AF_INET, text.c_str(), &four) == 1) return mapped(four);
  Address six{};
  if (::inet_pton(AF_INET6, text.c_str(), six.data()) == 1) return six;
  return std::nullopt;
}

struct Network {
  Address address;
  int bits;
  bool has(const Address& other) const {
    for (int bit = 0; bit < bits; ++bit)
      if (((address[bit / 8] ^ other[bit / 8]) >> (7 - bit % 8)) & 1) return false;
    return true;
  }
};

std::optional<Network> parse_network(std::string_view text) {
  const auto parts = split_once(text, '/');
  if (!parts) return std::nullopt;
  const auto address = parse_address(std::string(parts->first));
  const auto bits = parse_int(parts->second);
  const bool six = parts->first.find(':') != parts->first.npos;
  if (!address || !bits || *bits < 0 || *bits > (six ? 128 : 32)) return std::nullopt;
  return Network{*address, static_cast<int>(*bits) + (six ? 0 : 96)};
}

std::vector<Address> addresses_of(const std::string& name) {
  if (const auto address = parse_address(name)) return {*address};
  addrinfo hints{.ai_socktype = SOCK_STREAM}, *first = nullptr;
  if (::getaddrinfo(name.c_str(), nullptr, &hints, &first) != 0) return {};
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(first, ::freeaddrinfo);
  std::vector<Address> found;
  for (const addrinfo* at = first; at; at = at->ai_next) {
    if (at->ai_family == AF_INET) found.push_back(mapped(reinterpret_cast<const sockaddr_in*>(at->ai_addr)->sin_addr));
    if (at->ai_family != AF_INET6) continue;
    std::memcpy(found.emplace_back().data(), &reinterpret_cast<const sockaddr_in6*>(at->ai_addr)->sin6_addr, 16);
  }
  return found;
}

Result<> check_mirror(const std::string& url) {
  const auto wrong = [&](std::string_view why) { return failf(Errc::invalid_argument, "\"registry-mirrors\": {}", why); };
  const std::string lower = to_lower(url);
  if (!lower.starts_with("http://") && !lower.starts_with("https://")) return wrong(format("{} must begin with http:// or https://", quoted(url)));
  const std::string_view rest = std::string_view(url).substr(url.find("://") + 3);
  if (rest.substr(0, rest.find('/')).find('@') != rest.npos) return wrong("a mirror must not have credentials in its URL");
  if (rest.find_first_of("?#") != rest.npos) return wrong(format("{} must not have a query or fragment", quoted(url)));
  if (registry_host(url).empty()) return wrong(format("{} has no host", quoted(url)));
  return {};
}

Result<std::vector<std::string>> list(const json::Value& content, std::string_view name) {
  const json::Value* value = content.find(name);
  std::vector<std::string> items = content.strings(name);
  if (value && !value->is_null() && (!value->is_array() || items.size() != value->as_array().size()))
    return failf(Errc::invalid_argument, "\"{}\" must be a list of strings", name);
  return items;
}

Result<> add(const std::string& file, std::string_view text, DaemonJson& all) {
  if (trim(text).empty()) return {};
  const auto content = TRY(json::parse(text));
  auto places = TRY(list(content, "insecure-registries"));
  for (std::string& place : places) {
    if (const auto scheme = place.find("://"); scheme != place.npos) place.erase(0, scheme + 3);
    all.insecure.push_back({.place = std::move(place), .file = file});
  }
  const auto mirrors = TRY(list(content, "registry-mirrors"));
  for (const std::string& url : mirrors) {
    TRY(check_mirror(url));
    all.mirrors.push_back({.url = std::string(trim_right(url, "/")), .file = file});
  }
  return {};
}

}  // namespace

Result<DaemonJson> DaemonJson::read(const std::vector<std::string>& files) {
  DaemonJson all;
  for (const std::string& file : files) {
    auto text = sys::read_file(file, kMaxFile);
    if (!text && (text.error().code() == Errc::not_found || text.error().os_number() == ENOTDIR)) continue;
    if (!text) return fail(std::move(text.error()).doing("reading dockerd's configuration"));
    auto added = add(file, *text, all);
    if (!added) return fail(std::move(added.error()).doing(format("reading dockerd's configuration from {}", file)).with_code(Errc::invalid_argument));
  }
  return all;
}

bool is_in(const std::string& place, std::string_view host) {
  const auto network = parse_network(place);
  if (!network) return same_registry(place, host);
  for (const Address& address : addresses_of(std::string(without_port(host))))
    if (network->has(address)) return true;
  return false;
}

}  // namespace mica::registry
