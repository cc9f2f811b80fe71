/// Published ports as Docker shows them.
#pragma once
#include <string>
#include <vector>

#include "container/definition.h"
#include "json/json.h"

namespace mica::container {

/// The PORTS column: "0.0.0.0:8080->80/tcp, [::]:8080->80/tcp, 443/tcp"; runs of ports as ranges. `open` have addresses and ports of the machine.
std::string ports_column(const std::vector<PortBinding>& open, const std::vector<std::string>& exposed);
/// NetworkSettings.Ports: {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}], "443/tcp": null}
json::Value ports_json(const std::vector<PortBinding>& open, const std::vector<std::string>& exposed);

}  // namespace mica::container
