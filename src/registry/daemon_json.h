/// What dockerd's daemon.json says about registries: `insecure-registries` and `registry-mirrors`.
#pragma once
#include <string>
#include <vector>

#include "base/error.h"

namespace mica::registry {

struct DaemonJson {
  struct Insecure {
    std::string place;                   ///< "host", "host:port" or a network: "10.0.0.0/8"
    std::string file;
  };
  struct Mirror {
    std::string url;                     ///< of the hub; http or https, without a slash at the end
    std::string file;
  };
  std::vector<Insecure> insecure;
  std::vector<Mirror> mirrors;

  /// The content of all files that are there. Errors: invalid_argument (does not parse; a mirror's URL with credentials, query or
  /// another scheme).
  static Result<DaemonJson> read(const std::vector<std::string>& files);
};

/// Whether a host ("name", "[::1]:5000") is such a place. A name is looked up only when the place is a network; one that is unknown is in
/// none.
bool is_in(const std::string& place, std::string_view host);

}  // namespace mica::registry
