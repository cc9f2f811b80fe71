/// What all steps of one build share: the stores, the runtime, contexts, secrets, flags, and the root filesystems made so far.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/guarded.h"
#include "base/secret.h"
#include "build/download.h"
#include "build/graph.h"
#include "build/source_tree.h"
#include "runtime/network.h"
#include "runtime/oci_runtime.h"
#include "snapshot/layer_store.h"
#include "snapshot/snapshotter.h"
#include "task/task.h"

namespace mica::build {

/// A root filesystem between steps.
struct State {
  snapshot::Chain chain;                 ///< bottom first
  snapshot::TreeId tree;                 ///< content identity
};

struct SecretSource {                    ///< --secret id=ID[,src=FILE|env=NAME]
  std::string id;
  Secret value;                          ///< read when the build starts
};
struct SshSource {                       ///< --ssh ID[=SOCKET|KEY[,KEY]]
  std::string id;                        ///< "default" unless named
  std::string socket;                    ///< agent socket; empty: an agent is started for `keys`
  std::vector<std::string> keys;
};

/// Lives as long as the build. Set up by the engine; used from many threads; everything mutable is guarded.
class Session {
 public:
  snapshot::LayerStore* layers = nullptr;
  std::function<Result<snapshot::Snapshotter*>()> snapshotter;      ///< made at first use
  std::function<Result<runtime::OciRuntime*>()> runtime;
  Downloader download;
  task::Pool* pool = nullptr;
  Guarded<db::Database>* database = nullptr;
  BaseImages* bases = nullptr;
  std::string state_folder;                                         ///< the store's root
  std::string temporary;                                            ///< vanishes with the process
  std::string cache_mounts;                                         ///< folder of cache mounts
  std::vector<std::unique_ptr<SourceTree>> contexts;                ///< as Graph::contexts

  std::vector<SecretSource> secrets;
  std::vector<SshSource> ssh;
  std::vector<std::pair<std::string, std::string>> proxy_env;       ///< HTTP_PROXY and its family: environment in no key
  runtime::HostNames extra_hosts;                                   ///< --add-host; "host-gateway" is resolved by the step
  std::int64_t shm_bytes = 64 << 20;
  std::vector<runtime::Rlimit> rlimits;
  std::string cgroup_parent;
  std::string ca_bundle;                                            ///< --ca: host file shown to RUN steps; empty: none
  bool debug_shell = false;                                         ///< --debug: a shell at the failing step
  std::optional<std::int64_t> clamp_ns;                             ///< SOURCE_DATE_EPOCH: file times of new layers are lowered to it

  /// One network namespace a build, made when the first step needs it.
  Result<runtime::BuildNetwork*> network(task::Cancel cancel);

 private:
  Guarded<std::unique_ptr<runtime::BuildNetwork>> network_;
};

/// --chown values and USER names: looked up in the tree's /etc/passwd and /etc/group.
struct Owner {
  std::uint32_t uid = 0, gid = 0;
};

/// Lowers file times of a staged layer's listing (and its files) to `clamp_ns`. For steps, before commit.
Result<snapshot::Listing> clamp_times(const snapshot::StagedLayer& staged, snapshot::Listing listing, std::int64_t clamp_ns);

}  // namespace mica::build
