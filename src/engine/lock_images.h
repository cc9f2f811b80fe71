/// `lock` and `outdated`: the base images of a Dockerfile at their registries, and the lock file beside it. No store is needed.
#pragma once
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/copy_session.h"
#include "engine/lock_file.h"

namespace mica::engine {

struct LockRequest {
  std::string dockerfile = "Dockerfile"; ///< or a compose file (*.yml, *.yaml)
  std::vector<std::string> build_args;   ///< "K=V", or "K" for our own value: where FROM names an argument
  std::vector<std::string> platforms;    ///< that the build is for, where FROM depends on them; empty: the host's
  bool update = false;                   ///< also what is locked already is asked for
  std::vector<std::string> names;        ///< with `update`: only these
};
struct LockChange {
  enum class Kind { added, moved, removed } kind = Kind::added;
  std::string name;
  std::optional<LockedImage> before, after;
};
struct Locked {
  std::string path;
  std::size_t images = 0;                ///< that the Dockerfile needs
  std::vector<LockChange> changes;       ///< of images, added and moved by name, then removed
  bool written = false;                  ///< false: the file was left alone
  std::vector<std::string> remarks;      ///< what of a compose file was left out
};
/// Resolves what the Dockerfile needs and the lock does not have (with `update`, what it has, too), drops what no Dockerfile needs, and replaces the file when
/// that changes it. An image whose tag did not move keeps its entry, with the time it was resolved.
/// Errors: those of planning (the Dockerfile's faults, images that are not found, each at its line), invalid_argument (a name that is no base),
/// those of read_compose_bases, of the lock file and of registry::Repository.
Result<Locked> lock_images(CopySession& session, const LockRequest& request, task::Cancel cancel);

/// The keys of --update NAME..., which must be among `known`. Errors: invalid_argument (with the nearest one).
Result<std::set<std::string>> keys_of_names(const std::vector<std::string>& names, const std::vector<std::string>& known, const std::string& dockerfile);

struct LockCheck {
  std::string path;
  bool exists = false;                   ///< there is a lock that knows the Dockerfile
  std::vector<std::string> missing;      ///< images of the Dockerfile that are not pinned
  std::vector<std::string> stale;        ///< pinned for this Dockerfile, which does not need them
  std::vector<std::string> remarks;
};
/// Compares lock and Dockerfile; no registry is asked. Errors: as lock_images.
Result<LockCheck> check_lock(CopySession& session, const LockRequest& request, task::Cancel cancel);

struct OutdatedImage {
  std::string name;
  LockedImage locked;
  enum class State { current, moved, gone } state = State::current;
  oci::Digest digest;                    ///< that the tag has now; empty when it is gone
  std::optional<Timestamp> created;      ///< of the image it has now; looked up when it moved
};
/// What became of each locked tag, by name. `dockerfile` empty: mica.lock in the working directory, all of it; else the one beside the Dockerfile, what that needs (or
/// a lock file itself). Errors: not_found (no lock, or it does not know the Dockerfile); those of registry::Repository.
Result<std::vector<OutdatedImage>> find_outdated(CopySession& session, const std::string& dockerfile, const oci::Platform& platform, task::Cancel cancel);

}  // namespace mica::engine
