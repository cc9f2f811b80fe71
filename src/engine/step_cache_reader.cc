#include "engine/step_cache_reader.h"

#include <chrono>

#include "base/format.h"
#include "base/log.h"
#include "base/text.h"
#include "engine/step_cache_root.h"
#include "snapshot/layer_tar.h"
#include "stream/compression.h"

namespace mica::engine {
namespace {

constexpr int kLayersAtOnce = 6;
constexpr std::size_t kMaxTextBytes = 256 << 20;
constexpr std::chrono::milliseconds kLookForStop{50};

Result<std::string> zstd(std::string_view text) {
  stream::MemorySink sink;
  auto encoder = TRY(stream::compress(sink, stream::Compression::zstd, 1));
  TRY(encoder->write({reinterpret_cast<const unsigned char*>(text.data()), text.size()}));
  TRY(encoder->finish());
  return sink.take();
}

}  // namespace

/// One step's result. Unpacked while it comes, as if nothing were below it, since what is below is on its way too; that is right for nearly all
/// layers (their tars hold the folders above each entry). One whose outcome depends on what is below is unpacked again once that is there.
class StepCacheReader::Layer : public build::RemoteResult, public std::enable_shared_from_this<Layer> {
 public:
  Layer(StepCacheReader& reader, const CachedStep& step) : reader_(reader), engine_(reader.engine_), step_(step) {}

  void fetch() override {
    {
      const std::lock_guard lock(mutex_);
      if (std::exchange(begun_, true)) return;
    }
    reader_.group_.run([self = shared_from_this()](task::Cancel stop) -> Result<> {
      self->receive(stop);
      return {};
    });
  }

  Result<build::Record> take(const snapshot::Chain& below, task::Cancel cancel) override {
    auto record = bring(below, cancel);
    // A full disk is no fault of the cache: nothing would be won by running the step.
    if (!record && record.error().code() != Errc::cancelled && record.error().code() != Errc::resource_exhausted) reader_.lose(step_, record.error());
    return record;
  }

 private:
  /// The task of fetch(). Its own group may be stopped, and then it may never run: take() looks at its token too.
  void receive(const task::Cancel& stop) {
    auto received = [&]() -> Result<std::optional<snapshot::UnpackedLayer>> {
      const auto here = TRY(engine_.layers().find(step_.diff_id, {}));
      if (here && engine_.workspace().lease(engine_.database(), {here->id})) return std::optional<snapshot::UnpackedLayer>();
      auto place = [&] {
        const task::Blocking blocking(engine_.pool());
        return reader_.fetching_.take(stop);
      }();
      const auto hold = TRY(std::move(place));
      auto unpacked = TRY(unpack(snapshot::TreeView(std::vector<snapshot::TreeView::Layer>{}), stop));
      if (step_.layer_data.empty()) reader_.tell_fetched(step_.layer);
      return std::optional(std::move(unpacked));
    }();
    {
      const std::lock_guard lock(mutex_);
      if (received) unpacked_ = std::move(*received);
      else error_ = std::move(received).error();
      done_ = true;
    }
    ended_.notify_all();
  }

  Result<snapshot::UnpackedLayer> unpack(const snapshot::TreeView& lower, const task::Cancel& cancel) {
    std::unique_ptr<stream::Source> bytes;
    if (!step_.layer_data.empty()) bytes = std::make_unique<stream::MemorySource>(step_.layer_data);
    else bytes = TRY(reader_.place_->open(step_.layer, cancel));
    stream::PeekSource peeked(*bytes);
    const auto compression = stream::detect(TRY(peeked.peek(6)));
    std::unique_ptr<stream::Source> plain;
    if (compression != stream::Compression::none) plain = TRY(stream::decompress(peeked, compression));
    auto unpacked = TRY(snapshot::unpack_layer_tar(plain ? *plain : static_cast<stream::Source&>(peeked), engine_.layers(), lower, engine_.pool(), cancel));
    if (unpacked.diff_id != step_.diff_id)
      return failf(Errc::corrupt, "the layer is another one\n  expected: {}\n  actual:   {}", step_.diff_id.digest.str(), unpacked.diff_id.digest.str());
    return unpacked;
  }

  Result<> wait(const task::Cancel& cancel) {
    const task::Blocking blocking(engine_.pool());
    std::unique_lock lock(mutex_);
    while (!ended_.wait_for(lock, kLookForStop, [this] { return done_; })) {
      TRY(cancel.check());
      TRY(reader_.group_.cancel().check());
    }
    return {};
  }

  Result<snapshot::LayerInfo> layer_on(const snapshot::Chain& below, const task::Cancel& cancel) {
    const auto here = [&]() -> Result<std::optional<snapshot::LayerInfo>> {
      auto found = TRY(engine_.layers().find(step_.diff_id, below));
      if (found && !engine_.workspace().lease(engine_.database(), {found->id})) found.reset();
      return found;
    };
    if (auto found = TRY(here())) return std::move(*found);
    fetch();
    TRY(wait(cancel));
    auto unpacked = std::exchange(unpacked_, std::nullopt);
    if (error_ && error_->code() != Errc::corrupt && error_->code() != Errc::unsupported) return fail(*error_);
    if (!unpacked || unpacked->tied) {
      if (auto found = TRY(here())) return std::move(*found);      // that of another step, since we looked
      const auto lower = TRY(engine_.layers().view(below));
      unpacked = TRY(unpack(lower, cancel));
    }
    auto made = TRY(snapshot::commit_unpacked(std::move(*unpacked), engine_.layers(), below));
    TRY(engine_.workspace().lease(engine_.database(), {made.id}));
    if (made.content_id != step_.content_id)
      return failf(Errc::corrupt, "the layer has not the content that its step promises\n  expected: {}\n  actual:   {}", step_.content_id, made.content_id);
    if (step_.layer_created.ns > 0) TRY(engine_.layers().set_created(made.id, step_.layer_created.ns));
    return made;
  }

  Result<oci::Digest> keep(const CachedText& text, const task::Cancel& cancel) {
    if (text.empty()) return oci::Digest();
    if (!text.blob.digest.empty() && engine_.blobs().has(text.blob.digest)) return text.blob.digest;
    auto compressed = text.text.empty() ? reader_.place_->read(text.blob, kMaxTextBytes, cancel) : zstd(text.text);
    const std::string bytes = TRY(std::move(compressed));
    return engine_.blobs().put(bytes, store::Sync::later);
  }

  Result<build::Record> bring(const snapshot::Chain& below, const task::Cancel& cancel) {
    build::Record record = record_of(step_);
    const auto layer = TRY(layer_on(below, cancel));
    record.layer = layer.id;
    record.bytes = layer.bytes;
    record.parts = TRY(keep(step_.parts, cancel));
    record.log = TRY(keep(step_.log, cancel));
    return record;
  }

 public:
  static build::Record record_of(const CachedStep& step) {
    build::Record record{.weak = step.weak, .strong = step.strong, .instruction = step.instruction};
    record.duration_ns = step.duration_ns;
    record.created = step.created;
    return record;
  }

 private:
  StepCacheReader& reader_;
  Engine& engine_;
  const CachedStep& step_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool begun_ = false, done_ = false;
  // Once done_; then of take() only, which the solver calls once:
  std::optional<snapshot::UnpackedLayer> unpacked_;
  std::optional<Error> error_;
};

StepCacheReader::StepCacheReader(Engine& engine, CacheStore store, build::Progress& progress, task::Cancel cancel)
    : engine_(engine), store_(std::move(store)), progress_(progress), fetching_(kLayersAtOnce), group_(engine.pool(), cancel) {}

void StepCacheReader::prepare() {
  group_.run([this](task::Cancel stop) { return load(stop); });
}

Result<CachedSteps> StepCacheReader::read_steps(const task::Cancel& cancel) {
  place_ = TRY(open_cache_place(engine_, store_, false));
  auto root = TRY(read_step_cache(*place_, cancel));
  return std::move(root.steps);
}

Result<> StepCacheReader::load(const task::Cancel& cancel) {
  std::unique_lock lock(loading_, std::try_to_lock);
  if (!lock) {
    const task::Blocking blocking(engine_.pool());
    lock.lock();
  }
  if (loaded_) return {};
  build::Stage stage(progress_, "importing cache manifest from " + store_.name());
  auto steps = read_steps(cancel);
  if (!steps) {
    if (steps.error().code() == Errc::cancelled) return fail(std::move(steps).error());
    failure_ = steps.error().text();
    progress_.send(build::StepOutput{stage.number(), 2, format("warning: the cache is not used: {}\n", failure_), false});
  } else {
    steps_ = std::move(*steps);
    if (steps_.empty()) stage.progress("there is no cache yet", 0, 0, true);
  }
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    by_strong_.emplace(steps_[i].strong, i);
    if (!steps_[i].tree_key.empty()) by_trees_.emplace(steps_[i].tree_key, i);
  }
  loaded_ = true;
  stage.done();
  return {};
}

Result<std::optional<build::Offer>> StepCacheReader::offer(const std::map<std::string, std::size_t>& by, const std::string& key, const task::Cancel& cancel) {
  TRY(load(cancel));
  const auto found = by.find(key);
  if (found == by.end()) return std::optional<build::Offer>();
  const CachedStep& step = steps_[found->second];
  if (lost_.lock()->contains(step.strong)) return std::optional<build::Offer>();
  return std::optional(build::Offer{.record = Layer::record_of(step), .content_id = step.content_id, .from = "the cache " + store_.name(),
                                    .result = std::make_shared<Layer>(*this, step)});
}

Result<std::optional<build::Offer>> StepCacheReader::find(const std::string& strong, task::Cancel cancel) { return offer(by_strong_, strong, cancel); }

Result<std::optional<build::Offer>> StepCacheReader::find_by_trees(const std::string& tree_key, task::Cancel cancel) { return offer(by_trees_, tree_key, cancel); }

void StepCacheReader::tell_fetched(const oci::Descriptor& layer) {
  auto stage = fetched_.lock();
  if (!*stage) stage->emplace(progress_, "fetching layers from " + store_.name());
  (*stage)->progress("layer " + layer.digest.short_hex(), layer.size, layer.size, true);
}

void StepCacheReader::finish() {
  auto stage = fetched_.lock();
  if (*stage) (*stage)->done();
  stage->reset();
}

void StepCacheReader::lose(const CachedStep& step, const Error& error) {
  lost_.lock()->insert_or_assign(step.strong, Lost{.instruction = step.instruction, .reason = error.text(), .layer = step.layer.digest});
}

std::string StepCacheReader::failure() const { return failure_; }

std::vector<StepCacheReader::Lost> StepCacheReader::lost() const {
  std::vector<Lost> all;
  auto lost = lost_.lock();
  for (const auto& [strong, one] : *lost) all.push_back(one);
  return all;
}

std::vector<oci::Digest> StepCacheReader::lost_layers() const {
  std::vector<oci::Digest> layers;
  for (const auto& one : lost()) layers.push_back(one.layer);
  return layers;
}

}  // namespace mica::engine
