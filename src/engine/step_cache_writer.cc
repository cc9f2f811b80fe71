#include "engine/step_cache_writer.h"

#include <algorithm>

#include "base/format.h"
#include "base/log.h"
#include "base/text.h"
#include "engine/layer_bytes.h"
#include "store/layer_blobs.h"
#include "stream/compression.h"

namespace mica::engine {
namespace {

constexpr int kLayersAtOnce = 4;
constexpr int kFastZstd = 1, kMaxZstd = 19, kMaxGzip = 9;
constexpr std::size_t kMaxInlineBytes = 16 << 10;      // of key parts and logs
constexpr std::size_t kMaxInlineLayerBytes = 4 << 10;  // compressed
// Layers that may become so small; others are compressed while they are sent:
constexpr std::int64_t kSmallBytes = 64 << 10, kSmallEntries = 200;

std::set<build::VertexId> steps_of_result(const build::Graph& graph) {
  std::set<build::VertexId> steps;
  for (auto id = graph.stages[static_cast<std::size_t>(graph.target)].last; id != build::kNoVertex; id = graph.vertices[static_cast<std::size_t>(id)].parent)
    steps.insert(id);
  return steps;
}

}  // namespace

StepCacheWriter::StepCacheWriter(Engine& engine, const CacheStore& store, const build::Graph& graph, task::Cancel cancel)
    : engine_(engine), store_(store), graph_(graph), result_(steps_of_result(graph)), sending_(kLayersAtOnce), group_(engine.pool(), cancel) {
  form_ = {.compression = store.compression, .level = store.level, .force = store.force_compression};
  if (form_.compression == stream::Compression::zstd) form_.level = form_.level < 0 ? kFastZstd : std::clamp(form_.level, 1, kMaxZstd);
  else form_.level = std::min(form_.level, kMaxGzip);
  group_.run([this](task::Cancel stop) -> Result<> {
    TRY(known(stop));
    return {};
  });
}

Result<StepCacheRoot> StepCacheWriter::read_known(const task::Cancel& cancel) {
  place_ = TRY(open_cache_place(engine_, store_, true));
  return read_step_cache_to_replace(*place_, cancel);
}

Result<const StepCacheRoot*> StepCacheWriter::known(const task::Cancel& cancel) {
  std::unique_lock lock(reading_, std::try_to_lock);
  if (!lock) {
    const task::Blocking blocking(engine_.pool());
    lock.lock();
  }
  if (!known_) known_ = read_known(cancel);
  if (!*known_) return fail(known_->error());
  return &**known_;
}

void StepCacheWriter::distrust(const std::vector<oci::Digest>& layers) { distrusted_.lock()->insert(layers.begin(), layers.end()); }

std::optional<StepCacheWriter::Sent> StepCacheWriter::known_layer(const StepCacheRoot& known, const oci::DiffId& diff_id) {
  auto distrusted = distrusted_.lock();
  for (const auto& step : known.steps) {
    if (step.diff_id != diff_id || distrusted->contains(step.layer.digest)) continue;
    if (!form_.force || step.layer.media_type == layer_media_type(form_.compression)) return Sent{step.layer, step.layer_data};
  }
  return std::nullopt;
}

void StepCacheWriter::add(const build::Vertex& vertex, const snapshot::LayerId& layer) {
  if (!store_.max && !result_.contains(vertex.id)) return;
  if (!begun_.lock()->insert(layer).second) return;
  group_.run([this, layer](task::Cancel stop) { return send(layer, false, stop); });
}

Result<> StepCacheWriter::send(const snapshot::LayerId& layer, bool anew, const task::Cancel& cancel) {
  const StepCacheRoot* known = TRY(this->known(cancel));
  const auto diff_id = TRY(engine_.layers().diff_id(layer, cancel));
  std::optional<Sent> sent;
  if (!anew) sent = known_layer(*known, diff_id);
  if (!sent) {
    const auto info = TRY(engine_.layers().info(layer));
    std::string small;
    if (info.bytes <= kSmallBytes && info.entries <= kSmallEntries) small = TRY(make(layer, cancel));
    if (!small.empty() && small.size() <= kMaxInlineLayerBytes)
      sent = Sent{{.media_type = std::string(layer_media_type(form_.compression)), .digest = oci::Digest::of(small), .size = static_cast<std::int64_t>(small.size())}, std::move(small)};
  }
  if (!sent) {
    auto place = [&] {
      const task::Blocking blocking(engine_.pool());
      return sending_.take(cancel);
    }();
    const auto hold = TRY(std::move(place));
    // Sent to another cache, or by another name: it may be there, and making it again would give the same bytes.
    const auto remembered = TRY(remembered_blob(engine_, diff_id, form_));
    const bool is_there = remembered && TRY(place_->has(remembered->digest, cancel));
    if (is_there) {
      sent = Sent{{.media_type = remembered->media_type, .digest = remembered->digest, .size = remembered->size}, {}};
    } else {
      auto blob = TRY(make_and_send(layer, diff_id, cancel));
      sent = Sent{std::move(blob), {}};
    }
  }
  sent_.lock()->insert_or_assign(layer, std::move(*sent));
  return {};
}

Result<std::string> StepCacheWriter::make(const snapshot::LayerId& layer, const task::Cancel& cancel) {
  stream::MemorySink bytes;
  if (form_.compression == stream::Compression::none) {
    TRY(write_layer_bytes(engine_, layer, bytes, cancel));
    return bytes.take();
  }
  auto encoder = TRY(stream::compress(bytes, form_.compression, form_.level, &engine_.pool()));
  TRY(write_layer_bytes(engine_, layer, *encoder, cancel));
  TRY(encoder->finish());
  return bytes.take();
}

Result<oci::Descriptor> StepCacheWriter::make_and_send(const snapshot::LayerId& layer, const oci::DiffId& diff_id, const task::Cancel& cancel) {
  task::Group making(engine_.pool(), cancel);
  const auto compressed = TRY(CompressedLayer::start(engine_, layer, form_, making));
  auto put = place_->put({}, compressed->body(), making.cancel());
  if (!put) {
    making.cancel().stop();
    auto made = making.wait();
    if (!made && made.error().code() != Errc::cancelled) return fail(std::move(made).error());   // what stopped the other too
    return fail(std::move(put).error());
  }
  TRY(making.wait());
  put->media_type = layer_media_type(form_.compression);
  // The digest is worth remembering; the bytes can be made again.
  TRY(store::LayerBlobs(engine_.database()).put({.diff_id = diff_id, .digest = put->digest, .media_type = put->media_type, .size = put->size}));
  return std::move(*put);
}

Result<CachedText> StepCacheWriter::text_of(const oci::Digest& digest, std::string_view media_type, const task::Cancel& cancel) {
  CachedText text;
  if (digest.empty()) return text;
  const auto size = TRY(engine_.blobs().size(digest));
  if (static_cast<std::size_t>(size) <= kMaxInlineBytes) {
    const std::string bytes = TRY(engine_.blobs().read(digest));
    stream::MemorySource compressed(bytes);
    const auto plain = TRY(stream::decompress(compressed, stream::Compression::zstd));
    auto read = stream::read_all(*plain, kMaxInlineBytes);
    if (read && !read->empty() && is_utf8(*read)) {
      text.text = std::move(*read);
      return text;
    }
  }
  StoredBody body(engine_, digest, size);
  text.blob = TRY(place_->put(digest, body, cancel));
  text.blob.media_type = media_type;
  return text;
}

Result<CachedStep> StepCacheWriter::cached(const build::StepResult& step, const task::Cancel& cancel) {
  const build::Record& record = step.record;
  CachedStep cached{.strong = record.strong, .weak = record.weak, .tree_key = step.tree_key, .instruction = record.instruction, .duration_ns = record.duration_ns,
                    .created = record.created, .used = now()};
  const auto info = TRY(engine_.layers().info(record.layer));
  cached.diff_id = TRY(engine_.layers().diff_id(record.layer, cancel));
  cached.content_id = info.content_id;
  cached.layer_created = {info.created_ns};
  const Sent sent = sent_.lock()->at(record.layer);
  cached.layer = sent.blob;
  cached.layer_data = sent.data;
  cached.parts = TRY(text_of(record.parts, kKeyPartsType, cancel));
  cached.log = TRY(text_of(record.log, kStepLogType, cancel));
  return cached;
}

/// The steps of the build as the cache shall have them. Steps that were found in a cache and never fetched are only kept in use, if they are here.
Result<CachedSteps> StepCacheWriter::steps_of_build(const build::Solved& solved, const StepCacheRoot& known, const task::Cancel& cancel) {
  std::map<std::string_view, const CachedStep*> here;
  for (const auto& step : known.steps) here.emplace(step.strong, &step);
  CachedSteps mine;
  std::set<std::string> listed;
  for (const auto& vertex : graph_.vertices) {
    const auto& step = solved.steps[static_cast<std::size_t>(vertex.id)];
    if (step.record.strong.empty() || (!store_.max && !result_.contains(vertex.id)) || !listed.insert(step.record.strong).second) continue;
    if (!step.record.layer.empty()) {
      auto one = TRY_DOING(cached(step, cancel), format("writing {}", quoted(vertex.text)));
      mine.push_back(std::move(one));
    } else if (const auto found = here.find(step.record.strong); found != here.end()) {
      mine.push_back(*found->second);
      mine.back().used = now();
    }
  }
  return mine;
}

Result<> StepCacheWriter::finish(const build::Solved& solved, build::Stage& stage, task::Cancel cancel) {
  for (const auto& vertex : graph_.vertices)
    if (const auto& record = solved.steps[static_cast<std::size_t>(vertex.id)].record; !record.layer.empty()) add(vertex, record.layer);
  TRY(group_.wait());
  const StepCacheRoot* known = TRY(this->known(cancel));
  auto mine = TRY(steps_of_build(solved, *known, cancel));
  if (mine.empty()) {
    stage.progress("the build has no steps to keep", 0, 0, true);
    return {};
  }
  auto written = write(mine, *known, stage, cancel);
  if (written || !may_lack_blobs(written.error())) return written;

  // The cache may name blobs that are gone: what is left of it is written, and our layers are sent again.
  log::debug("writing the step cache once more: {}", written.error().text());
  StepCacheRoot rest = *known;
  rest.steps = TRY(present(std::move(rest.steps), cancel));
  for (auto& step : mine)
    if (const bool is_there = !step.layer_data.empty() || TRY(place_->has(step.layer.digest, cancel)); !is_there)
      for (const auto& result : solved.steps)
        if (result.record.strong == step.strong && !result.record.layer.empty()) {
          TRY(send(result.record.layer, true, cancel));
          step.layer = sent_.lock()->at(result.record.layer).blob;
        }
  mine = TRY(present(std::move(mine), cancel));
  return write(mine, rest, stage, cancel);
}

/// Those of the steps whose blobs are there.
Result<CachedSteps> StepCacheWriter::present(CachedSteps steps, const task::Cancel& cancel) {
  std::map<oci::Digest, bool> blobs;
  for (const auto& step : steps)
    for (const auto* blob : blobs_of(step)) blobs.emplace(blob->digest, false);
  task::Group looking(engine_.pool(), cancel);
  for (auto& [digest, there] : blobs)
    looking.run([this, &digest, &there](task::Cancel stop) -> Result<> {
      there = TRY(place_->has(digest, stop));
      return {};
    });
  TRY(looking.wait());
  std::erase_if(steps, [&](const CachedStep& step) {
    const auto needed = blobs_of(step);
    return std::any_of(needed.begin(), needed.end(), [&](const oci::Descriptor* blob) { return !blobs.at(blob->digest); });
  });
  return steps;
}

Result<> StepCacheWriter::write(const CachedSteps& mine, const StepCacheRoot& known, build::Stage& stage, const task::Cancel& cancel) {
  const auto added = TRY(add_to_step_cache(*place_, known, mine, cancel));
  stage.progress(added.changed ? format("{} steps, {} of this build", added.total, mine.size()) : "nothing new", 0, 0, true);
  return {};
}

}  // namespace mica::engine
