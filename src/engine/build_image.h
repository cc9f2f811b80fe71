/// `build`: a Dockerfile and a context become an image (or a folder, or an archive).
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "build/context.h"
#include "build/events.h"
#include "build/report.h"
#include "build/session.h"
#include "engine/engine.h"
#include "oci/image.h"
#include "oci/reference.h"
#include "runtime/spec.h"
#include "stream/compression.h"

namespace mica::engine {

/// One -o. `image` keeps the result in the store (with the tags); `docker` without destination does the same.
struct BuildOutput {
  enum class Kind { image, docker, oci, local, tar, cache_only };
  Kind kind = Kind::image;
  std::string destination;               ///< path; "-": standard output; empty where none is needed
  std::string name;                      ///< name=... of the output, a comma list, in addition to the tags
  bool as_folder = false;                ///< oci,tar=false: an OCI layout folder
  bool delete_stale = false;             ///< local,mode=delete
  bool push = false;                     ///< image: to the registries of its names, too
  std::string compression;               ///< oci: gzip (default), zstd, uncompressed; docker: uncompressed
  int compression_level = -1;
  std::vector<std::pair<std::string, std::string>> annotations;   ///< annotation.K=V
};
/// Docker's forms: "type=local,dest=out", "out" (local), "-" (tar to standard output). Errors: invalid_argument (unknown type or
/// attribute, with suggestion), unsupported (types that mica does not have, by name).
Result<BuildOutput> parse_output(std::string_view text);

/// One --cache-from or --cache-to.
struct CacheStore {
  enum class Kind { registry, local };
  Kind kind = Kind::registry;
  oci::Reference reference;              ///< registry
  std::string path;                      ///< local: folder (an OCI layout)
  // Of --cache-to:
  bool max = true;                       ///< mode=max: every step, not only those of the result
  bool ignore_error = false;             ///< a cache that cannot be written is a warning
  stream::Compression compression = stream::Compression::zstd;
  int level = -1;                        ///< -1: a fast one
  bool force_compression = false;        ///< also for layers that the cache has in another compression
  std::string name() const { return kind == Kind::registry ? reference.familiar() : path; }
};
/// Docker's forms: "type=registry,ref=NAME", "NAME" (registry), "type=local,src=PATH" (from) or "dest=PATH" (to). Errors: invalid_argument (unknown type
/// or attribute, with suggestion), unsupported (types and values that mica does not have, by name).
Result<CacheStore> parse_cache(std::string_view text, bool to);

/// "id=X[,src=FILE|env=NAME]", "id=X" alone: variable X, else file X. Reads the value. Errors: not_found, invalid_argument.
Result<build::SecretSource> parse_secret(std::string_view text);
/// "default", "ID=SOCKET", "ID=KEY[,KEY]". Errors: invalid_argument (no agent, no such key).
Result<build::SshSource> parse_ssh(std::string_view text);

enum class BuildAction { build, check, dry_run, targets };

struct BuildImage {
  build::ContextRequest context;
  std::vector<std::string> tags;
  std::string target;
  std::vector<std::string> build_args;              ///< "K=V", or "K" for our own value
  std::vector<std::string> build_contexts;          ///< "NAME=VALUE"
  std::vector<std::string> labels, annotations;     ///< "K=V"
  std::vector<build::SecretSource> secrets;
  std::vector<build::SshSource> ssh;
  std::vector<std::string> platforms;               ///< empty: the host's
  std::vector<std::string> add_hosts;
  std::vector<std::string> allow;                   ///< entitlements
  std::string network = "default";
  std::string cgroup_parent;
  std::int64_t shm_bytes = 64 << 20;
  std::vector<runtime::Rlimit> rlimits;
  bool no_cache = false, pull = false;
  bool no_lock = false;                             ///< mica.lock beside the Dockerfile does not count
  bool locked = false;                              ///< only with a mica.lock that has exactly what the Dockerfile needs
  std::vector<std::string> no_cache_filter;
  std::vector<BuildOutput> outputs;                 ///< empty: image
  std::vector<CacheStore> cache_from, cache_to;
  std::string ca;                                   ///< "host": show the host's CA bundle to RUN steps; else a bundle's path
  std::string timestamp;                            ///< seconds; empty: SOURCE_DATE_EPOCH of build args, then of the environment
  bool explain = false, replay_logs = false, debug_shell = false;
  BuildAction action = BuildAction::build;
};

struct BuildResult {
  oci::ImageId image_id;                            ///< empty for outputs that make no image and for check, dry_run, targets
  oci::Digest manifest_digest;                      ///< of the OCI manifest with uncompressed layers, or of an oci output
  std::int64_t manifest_size = 0;
  oci::ImageConfig config;
  std::vector<std::string> names;                   ///< full references
  std::vector<dockerfile::Diagnostic> warnings;
  std::vector<std::string> remarks;                 ///< what went wrong without stopping the build: caches that could not be used
  dockerfile::File file;                            ///< for showing warnings
  build::BuildReport report;
  std::vector<std::string> targets;                 ///< action targets: stage names in file order, the default one last
};

/// Runs the build and everything that was asked for with its result. Failed builds leave a report (and records of the steps that worked).
/// Errors: all of contexts, planning, steps and outputs; cancelled.
Result<BuildResult> build_image(Engine& engine, const BuildImage& request, build::EventSink* events, task::Cancel cancel);

}  // namespace mica::engine
