/// The use cases of mica: one file per verb, request struct in, result out. `Engine` opens the state folder once and owns the
/// database, stores, thread pool and this process's workspace.
#pragma once
#include <memory>
#include <mutex>
#include <string>

#include "base/error.h"
#include "base/guarded.h"
#include "db/db.h"
#include "http/client.h"
#include "registry/client.h"
#include "runtime/oci_runtime.h"
#include "snapshot/layer_store.h"
#include "snapshot/snapshotter.h"
#include "store/blob_store.h"
#include "store/image_table.h"
#include "store/workspace.h"
#include "task/task.h"

namespace mica::engine {

struct Options {
  std::string root;                                  ///< state folder; empty: default_root()
  std::string runtime;                               ///< --runtime; empty: chosen
  snapshot::Kind snapshotter = snapshot::Kind::automatic;
};

class Engine {
 public:
  /// For commands that only look: no workspace, works on read-only media. A missing store reads as an empty one.
  /// Errors: permission_denied (may not even be read), unsupported, corrupt.
  static Result<std::unique_ptr<Engine>> open_for_reading(const Options& options);
  /// Creates the state folder when missing; makes a workspace; sweeps what dead processes left (cheaply).
  /// Errors: permission_denied (read-only store), unsupported (newer format), corrupt.
  static Result<std::unique_ptr<Engine>> open(const Options& options);
  ~Engine();                                         ///< drops this process's leases

  const Options& options() const { return options_; }
  const std::string& root() const { return options_.root; }
  std::string folder(std::string_view name) const { return options_.root + "/" + std::string(name); }
  Guarded<db::Database>& database() { return *database_; }
  store::BlobStore& blobs() { return *blobs_; }
  store::ImageTable& images() { return *images_; }
  snapshot::LayerStore& layers() { return *layers_; }
  store::Workspace& workspace() { return *workspace_; }   ///< only after open()
  bool has_workspace() const { return workspace_ != nullptr; }
  task::Pool& pool() { return *pool_; }
  // Made at first use; any thread may ask.
  http::Client& http();
  registry::Client& registry();
  /// Where registry clients say what the user should read (repetitions, warnings). Before the first use of registry().
  void on_registry_remark(std::function<void(std::string)> remark) { registry_remark_ = std::move(remark); }
  Result<snapshot::Snapshotter*> snapshotter();
  Result<runtime::OciRuntime*> runtime();

 private:
  Engine() = default;
  Result<> open_for_writing();
  void attach(db::Database database, const std::string& temporary);
  Options options_;
  std::unique_ptr<Guarded<db::Database>> database_;
  std::unique_ptr<store::Workspace> workspace_;
  std::unique_ptr<store::BlobStore> blobs_;
  std::unique_ptr<store::ImageTable> images_;
  std::unique_ptr<snapshot::LayerStore> layers_;
  std::unique_ptr<task::Pool> pool_;
  std::mutex first_use_;                             ///< of what follows
  std::unique_ptr<http::Client> http_;
  std::function<void(std::string)> registry_remark_;
  std::unique_ptr<registry::Client> registry_;
  std::unique_ptr<snapshot::Snapshotter> snapshotter_;
  std::unique_ptr<runtime::OciRuntime> runtime_;
};

}  // namespace mica::engine
