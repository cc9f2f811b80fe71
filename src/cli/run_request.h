/// The flags of `run` and `create` as a request.
#pragma once
#include <string>

#include "cli/args.h"
#include "engine/containers.h"

namespace mica::cli {

struct RunRequest {
  engine::CreateContainer create;           ///< without `fetch` and `warn`
  bool detach = false;
  int only_stream = 0;                               ///< 1 or 2 with -a of one of them
  bool attach_input = false, attach_output = true;   ///< what the command itself is attached to (-a, -i, -d)
  bool signal_proxy = true;
  std::string detach_keys = "ctrl-p,ctrl-q";
  std::string id_file;                      ///< --cidfile: must not exist
};
/// Errors: invalid_argument in Docker's words; unsupported, naming the flag.
Result<RunRequest> read_run_request(const Args& args, bool is_run);
/// Those of its flags that `update` has too: changes in `limits` what is given. Errors: as above.
Result<> read_limits(const Args& args, container::Limits& limits);
/// --restart. Errors: invalid_argument.
Result<container::RestartPolicy> read_restart(const std::string& text);

}  // namespace mica::cli
