/// EXPOSE: port specifications to "80/tcp".
#pragma once
#include <string>
#include <vector>

#include "base/error.h"

namespace mica::build {

struct ExposedPorts {
  std::vector<std::string> ports;  ///< a range gives all of its ports, in order
  bool has_host_part = false;      ///< an address or a host port stood before: dropped
  bool mixed_case_protocol = false;
};
/// One word of EXPOSE, expanded: [[ip:]host:]port[-port][/tcp|udp|sctp]. Errors: invalid_argument, in BuildKit's words.
Result<ExposedPorts> parse_exposed(const std::string& word);

}  // namespace mica::build
