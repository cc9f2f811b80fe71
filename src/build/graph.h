/// The plan of a build: an immutable graph of steps with everything expanded. Pure data, made by planner.h, run by solver.h.
#pragma once
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "build/base_images.h"
#include "dockerfile/tree.h"
#include "oci/image.h"

namespace mica::build {

using VertexId = int;                           ///< index into Graph::vertices
inline constexpr VertexId kNoVertex = -1;

/// Where files come from: the main context (context 0), a named context, or a root filesystem that a vertex gives.
struct Origin {
  enum class Kind { context, vertex };
  Kind kind = Kind::context;
  int context = 0;                              ///< index into Graph::contexts
  VertexId vertex = kNoVertex;                  ///< kNoVertex with Kind::vertex: the empty tree
  bool operator==(const Origin&) const = default;
};

/// FROM an image: the layers of a base.
struct BaseOp {
  BaseImage image;
};

/// WORKDIR: makes the missing folders of `path`, owned by `user`.
struct WorkdirOp {
  std::string path;                             ///< absolute, clean
  std::string user;                             ///< USER in force, verbatim; empty: root
};

struct InlineFile {                             ///< a heredoc of COPY or ADD, expanded
  std::string name, content;
};
/// COPY and ADD.
struct CopyOp {
  bool add = false;
  Origin from;
  std::vector<std::string> sources;             ///< expanded, as written otherwise
  std::vector<InlineFile> files;
  std::string destination;                      ///< absolute (joined to WORKDIR); a trailing '/' or "/." is kept as '/'
  std::string chown, chmod, checksum;           ///< expanded; empty: not given
  std::vector<std::string> excludes;
  bool link = false, parents = false, keep_git_dir = false;
  std::optional<bool> unpack;
};

struct RunMount {
  dockerfile::MountSpec spec;                   ///< values expanded and checked; target absolute (joined to WORKDIR)
  Origin from;                                  ///< bind; cache with a seed when `seeded`
  bool seeded = false;
  std::string cache_key;                        ///< cache: namespace and id: one folder for equal keys
};
struct RunOp {
  std::vector<std::string> argv;
  std::vector<std::string> env;                 ///< ENV and ARG, "K=V", the last set last; without proxies, HOME and secrets
  std::string cwd = "/", user;
  std::optional<InlineFile> script;             ///< heredoc that starts with #!: mounted at /dev/pipes/NAME
  std::vector<RunMount> mounts;
  std::string network = "default";              ///< default, none, host
  bool insecure = false;
  std::string hostname = "buildkitsandbox";
};

using Op = std::variant<BaseOp, WorkdirOp, CopyOp, RunOp>;

struct Vertex {
  VertexId id = kNoVertex;
  VertexId parent = kNoVertex;                  ///< whose root filesystem it changes; kNoVertex: the empty tree
  std::vector<VertexId> inputs;                 ///< further vertices it reads from (COPY --from, mounts); parent not included
  Op op;
  int stage = 0;                                ///< index into Graph::stages
  std::string title;                            ///< "[build 2/5] RUN make", as Docker numbers and shortens it
  std::string text;                             ///< "RUN make": what history and records show
  dockerfile::Range where;                      ///< in the Dockerfile; line 0: not from it
  bool no_cache = false;                        ///< --no-cache, --no-cache-filter
};

struct PlannedHistory {
  std::string created_by;
  std::string comment;                          ///< "buildkit.dockerfile.v0"
  bool empty_layer = false;
};
struct StagePlan {
  std::string name;                             ///< as in the Dockerfile; empty: none
  std::string base_name;
  oci::Platform platform;
  VertexId base = kNoVertex, last = kNoVertex;  ///< the root filesystem of the image that it all began from, and after the stage
  oci::ImageConfig config;                      ///< complete but for `created`, DiffIDs and the history of this build
  std::vector<PlannedHistory> history;          ///< entries added to that image's, of parent stages too; those without empty_layer stand for the layers in order
};

struct NamedContext {
  std::string name;                             ///< empty: the main one
  std::string value;
};

struct Graph {
  dockerfile::File file;
  std::vector<Vertex> vertices;                 ///< parents and inputs come before those that need them; only what the target needs
  std::vector<StagePlan> stages;                ///< those that the target needs, in file order
  int target = 0;
  std::vector<NamedContext> contexts;           ///< index 0 is the main context
  std::vector<dockerfile::Diagnostic> warnings; ///< of parsing and planning (UndefinedVar, ...), in line order
  std::optional<std::string> source_date_epoch; ///< build argument, or default of a global ARG; as written
};

}  // namespace mica::build
