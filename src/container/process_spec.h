/// From a container's definition to what an OCI runtime runs.
#pragma once
#include <string>
#include <vector>

#include "container/definition.h"
#include "json/json.h"
#include "runtime/spec.h"

namespace mica::container {

/// What is known at the start only.
struct StartFacts {
  std::string id;                                       ///< 64 hex digits
  std::string rootfs;                                   ///< mounted
  std::string passwd, group;                            ///< texts of the files in it
  std::vector<runtime::BindMount> mounts;               ///< volumes and others, then /etc/hosts and its like
  std::string network_namespace;                        ///< path; "" with host networking, or none
  std::string ipc_namespace, pid_namespace;             ///< paths, of another container's; "" else
};
/// Errors: invalid_argument (a relative working folder, a user or group that is in no file: Docker's words), unsupported.
Result<runtime::ProcessSpec> process_spec(const Definition& definition, const StartFacts& facts);

/// `exec`: the process object of the runtime specification, for `runc exec --process`. `spec` is what the container was started with.
struct ExecFacts {
  std::vector<std::string> command, env;
  std::string user, workdir, passwd, group;
  bool tty = false, privileged = false;
};
Result<json::Value> exec_process(const Definition& definition, const ExecFacts& facts);

/// Limits in the units of control groups; what is not limited is absent.
runtime::Resources resources_of(const Limits& limits);

}  // namespace mica::container
