/// The two kinds of BuildNetwork.
#pragma once
#include "runtime/network.h"

namespace mica::runtime {

/// Needs root. See make_build_network() for the rest.
Result<std::unique_ptr<BuildNetwork>> make_bridge_network(const std::string& state_folder, const std::string& temporary, const task::Cancel& cancel);
/// For root of a user namespace that is not the machine's.
Result<std::unique_ptr<BuildNetwork>> make_pasta_network(const std::string& temporary, const task::Cancel& cancel, const NetworkOptions& options);

}  // namespace mica::runtime
