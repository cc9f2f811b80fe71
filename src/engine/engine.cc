#include "engine/engine.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/format.h"
#include "base/log.h"
#include "base/text.h"
#include "build/records.h"
#include "container/container_table.h"
#include "container/network_table.h"
#include "container/volume_table.h"
#include "engine/layout.h"
#include "engine/trend_table.h"
#include "store/kept_indexes.h"
#include "store/layer_blobs.h"

namespace mica::engine {
namespace {

/// Version 1 of the store's format: the tables of all modules.
const std::string& version_1() {
  static const std::string sql = std::string(store::kSchemaSql) + std::string(store::kLeaseSchemaSql) + std::string(store::kLayerBlobSchemaSql) + std::string(snapshot::kSchemaSql) +
                                 std::string(build::kSchemaSql);
  return sql;
}

/// Version 5: containers, networks, volumes.
const std::string& container_tables() {
  static const std::string sql = std::string(container::kContainerSchemaSql) + std::string(container::kNetworkSchemaSql) + std::string(container::kVolumeSchemaSql);
  return sql;
}

db::Schema schema() {
  static const std::string_view migrations[] = {version_1(), kTrendSchemaSql, store::kPlatformsSchemaSql, store::kKeptIndexSchemaSql, container_tables()};
  return {migrations};
}

Result<Options> settled(Options options) {
  if (options.root.empty()) options.root = default_root();
  if (options.root.starts_with('/')) {
    options.root = clean_path(options.root);
    return options;
  }
  // Paths in the store go to other programs and into mounts, which do not share our working folder.
  char* here = ::get_current_dir_name();
  if (!here) return fail_errno("finding the working folder");
  options.root = join_path(here, options.root);
  std::free(here);
  return options;
}

/// Nobody else may reach files of images: among them are set-user-id programs, and secrets of those who build.
constexpr int kFolderMode = 0700;

Result<> make_folders(const std::string& root) {
  TRY(sys::make_directories(root, kFolderMode));
  for (const std::string_view name : {kBlobsFolder, kLayersFolder, kIngestFolder, kLocksFolder})
    TRY(sys::make_directories(root + "/" + std::string(name), kFolderMode));
  return {};
}

/// Only that there is no store counts, not that we may not look.
bool is_missing(const std::string& path) { return ::access(path.c_str(), F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR); }

Error for_writing(Error error, const std::string& root) {
  if (error.code() != Errc::permission_denied || !error.hint().empty()) return error;
  return Error(std::move(error).with_hint(
      format("{} can only be read: images, inspect, history and save work there; name another state folder with --root or MICA_ROOT", root)));
}

/// Others' folders are looked at only when there are any. What cannot be swept is no reason not to work.
void sweep_the_dead(const std::string& root, const std::string& own, Guarded<db::Database>& database) {
  const auto folder = sys::open(root + "/" + std::string(kIngestFolder), O_RDONLY | O_DIRECTORY);
  const auto names = folder ? sys::list_names(*folder) : Result<std::vector<std::string>>(fail(folder.error()));
  if (names && (names->empty() || (names->size() == 1 && names->front() == own))) return;
  const auto swept = store::Workspace::sweep_dead(root, database);
  if (!swept) log::debug("sweeping what dead processes left: {}", swept.error().text());
  else if (*swept > 0) log::debug("swept bytes={}", *swept);
}

}  // namespace

void Engine::attach(db::Database database, const std::string& temporary) {
  database_ = std::make_unique<Guarded<db::Database>>(std::move(database));
  blobs_ = std::make_unique<store::BlobStore>(root(), temporary);
  images_ = std::make_unique<store::ImageTable>(*database_);
  layers_ = std::make_unique<snapshot::LayerStore>(root(), temporary, *database_);
  pool_ = std::make_unique<task::Pool>(0);
}

Result<std::unique_ptr<Engine>> Engine::open_for_reading(const Options& options) {
  std::unique_ptr<Engine> engine(new Engine);
  engine->options_ = TRY(settled(options));
  const std::string path = engine->folder(kDatabaseFile);
  auto database = db::Database::open(is_missing(path) ? ":memory:" : path, schema());
  if (!database && database.error().code() == Errc::permission_denied) database = db::Database::open_read_only(path, schema());
  if (!database) return fail(std::move(database).error().doing("opening the store"));
  engine->attach(std::move(*database), "");
  return engine;
}

Result<std::unique_ptr<Engine>> Engine::open(const Options& options) {
  std::unique_ptr<Engine> engine(new Engine);
  engine->options_ = TRY(settled(options));
  if (auto opened = engine->open_for_writing(); !opened) return fail(for_writing(std::move(opened).error().doing("opening the store"), engine->root()));
  return engine;
}

Result<> Engine::open_for_writing() {
  const std::string path = folder(kDatabaseFile);
  const bool is_new = is_missing(path);
  TRY(make_folders(root()));
  auto database = TRY(db::Database::open(path, schema()));
  auto workspace = TRY(store::Workspace::create(root()));
  if (is_new) {
    // From here on files are synced with the folder they are in; this is for the folders themselves.
    const auto top = TRY(sys::open(root(), O_RDONLY | O_DIRECTORY));
    TRY(sys::sync(top));
  }
  workspace_ = std::make_unique<store::Workspace>(std::move(workspace));
  attach(std::move(database), workspace_->path());
  sweep_the_dead(root(), workspace_->token(), *database_);
  return {};
}

Engine::~Engine() {
  if (!workspace_ || !database_) return;
  if (auto done = workspace_->release(*database_); !done) log::debug("releasing leases: {}", done.error().text());
}

http::Client& Engine::http() {
  const std::lock_guard guard(first_use_);
  if (!http_) http_ = std::make_unique<http::Client>();
  return *http_;
}

registry::Client& Engine::registry() {
  http::Client& client = http();
  const std::lock_guard guard(first_use_);
  if (!registry_)
    registry_ = std::make_unique<registry::Client>(client, registry::Hosts(), registry::Credentials(), registry::ClientOptions{.remark = registry_remark_});
  return *registry_;
}

Result<snapshot::Snapshotter*> Engine::snapshotter() {
  const std::lock_guard guard(first_use_);
  if (!snapshotter_) snapshotter_ = TRY(snapshot::make_snapshotter(options_.snapshotter, *layers_, root(), *pool_));
  return snapshotter_.get();
}

Result<runtime::OciRuntime*> Engine::runtime() {
  const std::lock_guard guard(first_use_);
  if (!runtime_) runtime_ = TRY(runtime::find_runtime(options_.runtime, folder(kRuntimeFile)));
  return runtime_.get();
}

}  // namespace mica::engine
