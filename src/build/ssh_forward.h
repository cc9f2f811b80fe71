/// RUN --mount=type=ssh: a socket in the step that leads to an ssh agent here.
#pragma once
#include <memory>
#include <string>

#include "base/error.h"
#include "build/session.h"
#include "task/task.h"

namespace mica::build {

/// A listening unix socket whose connections are passed on to the agent, because the agent's own socket lets in its owner only.
/// Ends, with an agent that was started for keys, when this dies.
class SshForward {
 public:
  virtual ~SshForward() = default;
  virtual const std::string& socket_path() const = 0;
};
/// `folder`: new, for the socket. Errors: not_found (ssh-agent missing, unreadable key), permission_denied, unavailable.
Result<std::unique_ptr<SshForward>> forward_ssh(const SshSource& source, const std::string& folder, std::uint32_t mode, std::uint32_t uid, std::uint32_t gid);

}  // namespace mica::build
