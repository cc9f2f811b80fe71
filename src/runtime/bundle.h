/// From a ProcessSpec to the config.json of an OCI bundle (OCI Runtime Spec v1.0.2, config.md and config-linux.md).
#pragma once
#include <string>

#include "base/error.h"
#include "json/json.h"
#include "runtime/spec.h"

namespace mica::runtime {

/// What the machine and the moment add to a spec.
struct BundleFacts {
  bool rootless = false;          ///< we are root of a user namespace: the host's /sys for the host's network, no sysctls of group ids
  bool cgroups = true;            ///< control groups can be made
  bool cgroup_v2 = false;         ///< a private cgroup namespace, as Docker does there
  bool x32 = false;               ///< see kernel_has_x32()
  std::string cgroup_path;        ///< "/mica/ID"; empty: the runtime's choice
  std::string init_program;       ///< host path of an init, for ProcessSpec::init
};

/// Defaults are Docker's: mounts, masked and read-only paths, capabilities, devices, sysctls, system call filter.
/// Reads the seccomp file and the devices that the spec names. Errors: invalid_argument, not_found.
Result<json::Value> bundle_config(const ProcessSpec& spec, const BundleFacts& facts);

}  // namespace mica::runtime
