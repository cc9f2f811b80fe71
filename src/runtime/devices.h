/// Device nodes given to a container.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"

namespace mica::runtime {

struct Device {
  std::string path;              ///< in the container; the host's is the same unless mapped
  char type = 'c';               ///< 'c' or 'b'
  std::int64_t major = 0, minor = 0;
  std::uint32_t mode = 0, uid = 0, gid = 0;
  std::string access = "rwm";
};

/// "HOST[:CONTAINER[:rwm]]" of --device; a folder gives the devices in it. Errors: invalid_argument, not_found.
Result<std::vector<Device>> parse_device(const std::string& text);
/// Everything below /dev, for --privileged, without what the container has its own of (pts, shm, mqueue, console).
Result<std::vector<Device>> host_devices();

}  // namespace mica::runtime
