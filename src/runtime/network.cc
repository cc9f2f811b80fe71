#include "runtime/network.h"

#include "runtime/build_networks.h"
#include "sys/userns.h"

namespace mica::runtime {

Result<std::unique_ptr<BuildNetwork>> make_build_network(const std::string& state_folder, const std::string& temporary, task::Cancel cancel,
                                                         const NetworkOptions& options) {
  TRY(cancel.check());
  return sys::is_rootless() ? make_pasta_network(temporary, cancel, options) : make_bridge_network(state_folder, temporary, cancel);
}

}  // namespace mica::runtime
