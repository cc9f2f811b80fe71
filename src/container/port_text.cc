#include "container/port_text.h"

#include <algorithm>
#include <map>

#include "base/format.h"
#include "base/text.h"

namespace mica::container {

namespace {

struct Shown {
  int port = 0;
  std::string address;                                   ///< "": only exposed
  int host_port = 0;
  std::string protocol;
  auto operator<=>(const Shown&) const = default;
};

std::vector<Shown> all_of(const std::vector<PortBinding>& open, const std::vector<std::string>& exposed) {
  std::vector<Shown> out;
  for (const auto& one : open) out.push_back({one.container_port, one.host_ip, one.host_port, one.protocol});
  for (const auto& text : exposed) {
    const auto parts = split_once(text, '/');
    const Shown shown{static_cast<int>(parse_int(parts ? parts->first : text).value_or(0)), "", 0, std::string(parts ? parts->second : "tcp")};
    if (std::ranges::none_of(out, [&](const Shown& other) { return other.port == shown.port && other.protocol == shown.protocol; })) out.push_back(shown);
  }
  std::ranges::sort(out);
  return out;
}

std::string bracketed(const std::string& address) { return address.find(':') == address.npos ? address : "[" + address + "]"; }

struct Run {
  std::string address, protocol;
  int first = 0, last = 0;
  std::string text() const {
    const std::string ports = first == last ? std::to_string(first) : format("{}-{}", first, last);
    return address.empty() ? format("{}/{}", ports, protocol) : format("{}:{}->{}/{}", bracketed(address), ports, ports, protocol);
  }
};

}  // namespace

std::string ports_column(const std::vector<PortBinding>& open, const std::vector<std::string>& exposed) {
  std::vector<Run> runs;                                 // the last one of each address and protocol, in order of appearance
  std::vector<std::string> done, mapped;
  for (const auto& one : all_of(open, exposed)) {
    if (!one.address.empty() && one.host_port != one.port) {
      mapped.push_back(format("{}:{}->{}/{}", bracketed(one.address), one.host_port, one.port, one.protocol));
      continue;
    }
    const auto run = std::ranges::find_if(runs, [&](const Run& other) { return other.address == one.address && other.protocol == one.protocol; });
    if (run == runs.end()) {
      runs.push_back({one.address, one.protocol, one.port, one.port});
    } else if (one.port == run->last + 1) {
      run->last = one.port;
    } else {
      done.push_back(run->text());
      run->first = run->last = one.port;
    }
  }
  for (const auto& run : runs) done.push_back(run.text());
  done.insert(done.end(), mapped.begin(), mapped.end());
  return join(done, ", ");
}

json::Value ports_json(const std::vector<PortBinding>& open, const std::vector<std::string>& exposed) {
  std::map<std::string, json::Value> ports;
  for (const auto& one : all_of(open, exposed)) {
    auto& value = ports[format("{}/{}", one.port, one.protocol)];
    if (one.address.empty()) continue;
    if (!value.is_array()) value = json::Array();
    value.as_array().emplace_back(json::Object{{"HostIp", one.address}, {"HostPort", std::to_string(one.host_port)}});
  }
  json::Object out;
  for (auto& [name, value] : ports) out.emplace_back(name, std::move(value));
  return out;
}

}  // namespace mica::container
