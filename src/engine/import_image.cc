#include "engine/import_image.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "base/format.h"
#include "build/session.h"
#include "engine/add_image.h"
#include "engine/collect_garbage.h"
#include "engine/config_changes.h"
#include "engine/download.h"
#include "snapshot/layer_tar.h"

namespace mica::engine {
namespace {

bool is_url(std::string_view text) { return text.starts_with("http://") || text.starts_with("https://"); }

Result<sys::Fd> open_source(Engine& engine, const std::string& source, task::Cancel cancel) {
  if (is_url(source)) {
    const auto download = TRY(downloader(engine)({.url = source, .into_folder = engine.workspace().path()}, cancel));
    return sys::open(download.path, O_RDONLY);
  }
  if (source != "-") return sys::open(source, O_RDONLY);
  const int copy = ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
  if (copy < 0) return fail_errno("reading standard input");
  return sys::Fd(copy);
}

/// The time of the newest entry older than `since`; the epoch when there is none.
Timestamp newest_before(const snapshot::Listing& listing, Timestamp since) {
  std::int64_t newest = 0;
  for (std::size_t i = 0; i < listing.size(); ++i)
    if (const auto time = listing[i].mtime_ns; time < since.ns) newest = std::max(newest, time);
  return Timestamp{newest};
}

/// See ImportImage::made_since. `newest`: the time that was found.
Result<oci::DiffId> add_dated_layer(Engine& engine, snapshot::Chain& chain, stream::Source& tar, Timestamp since, Timestamp& newest, task::Cancel cancel) {
  snapshot::LayerStore& layers = engine.layers();
  const auto nothing = TRY(layers.view({}));
  auto unpacked = TRY(snapshot::unpack_layer_tar(tar, layers, nothing, engine.pool(), cancel));
  newest = newest_before(unpacked.listing, since);
  const auto listing = TRY(build::clamp_times(unpacked.staged, std::move(unpacked.listing), newest.ns));
  const auto layer = TRY(layers.commit(std::move(unpacked.staged), listing, nothing));
  const auto diff_id = TRY(layers.diff_id(layer.id, cancel));
  const auto oldest = TRY(layers.find(diff_id, {}));   // the same base of an earlier day
  chain.push_back(oldest.value_or(layer).id);
  TRY(engine.workspace().lease(engine.database(), chain));
  return diff_id;
}

}  // namespace

Result<oci::ImageId> import_image(Engine& engine, const ImportImage& request, task::Cancel cancel) {
  std::vector<oci::Reference> names;
  if (!request.name.empty()) {
    auto name = TRY(oci::Reference::parse(request.name));
    if (!name.digest.empty()) return fail(Errc::invalid_argument, "cannot import digest reference");
    names.push_back(std::move(name));
  }
  oci::ImageConfig config;
  config.platform = oci::Platform::host();
  if (!request.platform.empty()) config.platform = TRY(oci::Platform::parse(request.platform));
  for (const auto& change : request.changes) TRY(apply_change(config, change));
  const auto epoch = TRY(source_date_epoch());
  config.created = epoch ? *epoch : now();
  auto file = TRY(open_source(engine, request.source, cancel));
  stream::FdSource source(std::move(file));
  const auto hold = TRY(hold_off_collection(engine));
  snapshot::Chain chain;
  const bool dated = request.made_since && !epoch;
  const auto diff_id = TRY_DOING(dated ? add_dated_layer(engine, chain, source, *request.made_since, *config.created, cancel) : add_layer(engine, chain, source, {}, cancel),
                                 format("importing {}", request.source));
  config.diff_ids = {diff_id};
  config.history = {{.created = config.created, .comment = request.message.empty() ? "Imported from " + request.source : request.message}};
  const std::string bytes = config.write();
  return add_image(engine, chain, config, bytes, names);
}

}  // namespace mica::engine
