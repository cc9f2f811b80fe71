#include "build/assemble_image.h"

#include <fcntl.h>

#include "base/format.h"
#include "snapshot/layer_tar.h"

namespace mica::build {
namespace {

bool is_later_than(const snapshot::Listing& listing, std::int64_t clamp_ns) {
  for (std::size_t i = 0; i < listing.size(); ++i)
    if (listing[i].mtime_ns > clamp_ns && listing[i].type != snapshot::Type::whiteout) return true;
  return false;
}

/// A layer like `id` with file times lowered to `clamp_ns`: its canonical tar, lowered, unpacked again.
Result<snapshot::LayerId> clamped_layer(Session& session, const snapshot::LayerId& id, const snapshot::Chain& below, std::int64_t clamp_ns,
                                        task::Cancel cancel) {
  const auto listing = TRY(session.layers->listing(id));
  if (!is_later_than(listing, clamp_ns)) return id;
  const std::string path = session.temporary + "/clamped-" + id + ".tar";
  auto file = TRY(sys::open(path, O_RDWR | O_CREAT | O_TRUNC, 0600));
  auto copy = TRY(file.duplicate());
  stream::FdSink sink(std::move(copy));
  TRY(snapshot::write_layer_tar(listing, session.layers->directory(id), sink, cancel, clamp_ns));
  TRY(sys::remove_file(path));
  if (::lseek(file.get(), 0, SEEK_SET) < 0) return fail_errno("rereading a layer");
  stream::FdSource source(std::move(file));
  const auto applied = TRY(snapshot::apply_layer_tar(source, *session.layers, below, *session.pool, cancel));
  return applied.layer.id;
}

/// Entries without a time take the one of the entry before, or of the first timed one after the first gap. (BuildKit's rule.)
void fill_times(std::vector<oci::History>& history) {
  std::optional<Timestamp> time;
  bool gap = false;
  for (const auto& entry : history) {
    if (entry.created) {
      time = entry.created;
      if (gap) break;
    } else {
      gap = true;
    }
  }
  gap = false;
  for (auto& entry : history) {
    if (!entry.created) {
      gap = true;
      entry.created = time;
    } else if (gap) {
      time = entry.created;
    }
  }
}

/// Bases made by other tools may lack history, or have less than layers.
void complete_history(oci::ImageConfig& config) {
  std::size_t layers = 0;
  for (const auto& entry : config.history) layers += entry.empty_layer ? 0 : 1;
  for (; layers < config.diff_ids.size(); ++layers) config.history.push_back({.comment = "buildkit.exporter.image.v0"});
}

}  // namespace

Result<BuiltImage> assemble_image(const Graph& graph, const Solved& solved, Session& session, std::optional<Timestamp> epoch, task::Cancel cancel) {
  const StagePlan& stage = graph.stages[static_cast<std::size_t>(graph.target)];
  BuiltImage image{.config = stage.config};
  oci::ImageConfig& config = image.config;
  snapshot::Chain chain;
  if (stage.last != kNoVertex) chain = solved.steps[static_cast<std::size_t>(stage.last)].state.chain;
  complete_history(config);
  const std::size_t base_layers = config.diff_ids.size();
  MICA_ASSERT(chain.size() >= base_layers, "the base's layers are at the bottom");
  image.chain.assign(chain.begin(), chain.begin() + static_cast<std::ptrdiff_t>(base_layers));

  std::vector<Timestamp> times;
  for (std::size_t i = base_layers; i < chain.size(); ++i) {
    snapshot::LayerId id = chain[i];
    if (epoch) id = TRY(clamped_layer(session, id, image.chain, epoch->ns, cancel));
    const auto diff_id = TRY(session.layers->diff_id(id, cancel));
    const auto info = TRY(session.layers->info(chain[i]));
    const Timestamp made{info.created_ns};
    times.push_back(epoch ? std::min(made, *epoch) : made);
    config.diff_ids.push_back(diff_id);
    image.chain.push_back(std::move(id));
  }
  std::size_t next = 0;
  for (const PlannedHistory& planned : stage.history) {
    oci::History entry{.created_by = planned.created_by, .comment = planned.comment, .empty_layer = planned.empty_layer};
    if (!planned.empty_layer) {
      MICA_ASSERT(next < times.size(), "each layer has its history entry");
      entry.created = times[next++];
    }
    config.history.push_back(std::move(entry));
  }
  MICA_ASSERT(next == times.size(), "each layer has its history entry");
  fill_times(config.history);
  if (epoch)
    for (std::size_t i = stage.config.history.size(); i < config.history.size(); ++i)
      if (config.history[i].created) config.history[i].created = std::min(*config.history[i].created, *epoch);
  if (!config.history.empty() && config.history.back().created) config.created = config.history.back().created;
  image.config_bytes = config.write();
  image.id = {oci::Digest::of(image.config_bytes)};
  return image;
}

}  // namespace mica::build
