#include "container/network_ground.h"

#include "sys/userns.h"

namespace mica::container {

namespace {
constexpr const char* kMachineFolder = "/run/mica/network";
}

Result<std::string> network_folder(const std::string& state_root) {
  if (!sys::is_rootless() && sys::make_directories(kMachineFolder, 0700)) return std::string(kMachineFolder);
  std::string own = state_root + "/network";
  TRY(sys::make_directories(own, 0700));
  return own;
}

Result<sys::FileLock> lock_ground(const std::string& folder, const task::Cancel& cancel) {
  return sys::FileLock::acquire(folder + "/lock", sys::LockMode::exclusive, cancel.fd());
}

Result<Ground> open_ground(const std::string& state_root, const std::string& folder, bool make, const task::Cancel& cancel) {
  (void)state_root;
  (void)make;
  (void)cancel;
  return Ground{.folder = folder, .shared = false, .name_space = {}};
}

}  // namespace mica::container
