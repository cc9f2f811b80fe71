#include "engine/step_cache.h"

#include <fcntl.h>

#include <set>

#include "base/format.h"
#include "base/log.h"
#include "engine/add_image.h"
#include "engine/archive_files.h"
#include "engine/oci_layout_writer.h"
#include "json/json.h"

namespace mica::engine {
namespace {

constexpr std::string_view kPartsType = "application/vnd.mica.key-parts.v1+zstd";
constexpr std::string_view kLogType = "application/vnd.mica.step-log.v1+zstd";
constexpr std::size_t kMaxConfigBytes = 64 << 20;
constexpr std::size_t kMaxPartsBytes = 256 << 20;

std::string blob_path(const oci::Digest& digest) { return "blobs/sha256/" + digest.hex(); }

/// One record as the cache has it.
struct Cached {
  build::Record record;                 // its layer id means nothing here
  oci::DiffId diff_id;
  oci::Descriptor layer, parts, log;    // log may be empty
};

json::Value to_json(const Cached& cached) {
  const auto& r = cached.record;
  json::Value value = json::Value::object();
  value.set("strong", r.strong);
  value.set("weak", r.weak);
  value.set("instruction", r.instruction);
  value.set("durationNs", r.duration_ns);
  value.set("createdNs", r.created.ns);
  value.set("diffId", cached.diff_id.digest.str());
  value.set("layer", cached.layer.digest.str());
  value.set("layerSize", cached.layer.size);
  value.set("parts", cached.parts.digest.str());
  value.set("partsSize", cached.parts.size);
  if (!cached.log.digest.empty()) {
    value.set("log", cached.log.digest.str());
    value.set("logSize", cached.log.size);
  }
  return value;
}

Result<oci::Descriptor> descriptor_from(const json::Value& value, std::string_view name, std::string_view media_type) {
  auto digest = TRY_DOING(oci::Digest::parse(value.string_or(name)), format("reading the step cache's {}", name));
  return oci::Descriptor{.media_type = std::string(media_type), .digest = std::move(digest), .size = value.int_or(std::string(name) + "Size")};
}

Result<Cached> from_json(const json::Value& value) {
  Cached cached;
  auto& r = cached.record;
  r.strong = value.string_or("strong");
  r.weak = value.string_or("weak");
  r.instruction = value.string_or("instruction");
  r.duration_ns = value.int_or("durationNs");
  r.created = {value.int_or("createdNs")};
  if (r.strong.size() != 64 || r.weak.size() != 64) return fail(Errc::corrupt, "a record of the step cache has no key");
  cached.diff_id = {TRY_DOING(oci::Digest::parse(value.string_or("diffId")), "reading the step cache's diffId")};
  cached.layer = TRY(descriptor_from(value, "layer", oci::kOciLayerZstd));
  cached.parts = TRY(descriptor_from(value, "parts", kPartsType));
  if (value.find("log")) cached.log = TRY(descriptor_from(value, "log", kLogType));
  return cached;
}

/// All records of the cache in a layout; empty when there is none.
Result<std::vector<Cached>> read_cache(const ArchiveFiles& files) {
  std::vector<Cached> all;
  const std::string index_bytes = TRY(files.read("index.json"));
  const auto index = TRY(oci::Index::parse(index_bytes));
  for (const auto& entry : index.manifests) {
    const std::string bytes = TRY(files.read(blob_path(entry.digest)));
    const auto manifest = oci::Manifest::parse(bytes);
    if (!manifest || manifest->config.media_type != kStepCacheType) continue;
    const std::string config = TRY(files.read(blob_path(manifest->config.digest), kMaxConfigBytes));
    if (oci::Digest::of(config) != manifest->config.digest) return fail(Errc::corrupt, "the step cache's list of records is damaged");
    const auto value = TRY(json::parse(config, {.bytes = kMaxConfigBytes}));
    const json::Value* records = value.find("records");
    if (value.int_or("version") != 1 || !records || !records->is_array())
      return failf(Errc::unsupported, "the step cache has version {}, this mica reads version 1", value.int_or("version"));
    for (const auto& record : records->as_array()) {
      auto cached = TRY(from_json(record));
      all.push_back(std::move(cached));
    }
  }
  return all;
}

class LayoutCache : public build::CacheSource {
 public:
  LayoutCache(Engine& engine, ArchiveFiles files, std::vector<Cached> all) : engine_(engine), files_(std::move(files)) {
    for (auto& cached : all) records_.emplace(cached.record.strong, std::move(cached));
  }

  Result<std::optional<build::Record>> find(const std::string& strong, const build::State& parent, task::Cancel cancel) override {
    const auto found = records_.find(strong);
    if (found == records_.end()) return std::optional<build::Record>();
    auto record = bring(found->second, parent, cancel);
    if (!record && record.error().code() != Errc::cancelled) {   // a damaged cache costs time, not the build
      log::debug("step cache: {}", record.error().text());
      return std::optional<build::Record>();
    }
    if (!record) return fail(std::move(record).error());
    return std::optional(std::move(*record));
  }

 private:
  Result<build::Record> bring(const Cached& cached, const build::State& parent, task::Cancel cancel) {
    build::Record record = cached.record;
    const auto known = TRY(engine_.layers().find(cached.diff_id, parent.chain));
    if (known) {
      record.layer = known->id;
    } else {
      snapshot::Chain chain = parent.chain;
      auto file = TRY(files_.open(blob_path(cached.layer.digest)));
      stream::FdSource source(std::move(file));
      TRY(add_layer(engine_, chain, source, cached.diff_id, cancel));
      record.layer = chain.back();
    }
    const auto info = TRY(engine_.layers().info(record.layer));
    record.bytes = info.bytes;
    record.tree = snapshot::next_tree(parent.tree, info.content_id);
    record.used = now();
    record.parts = TRY(take_blob(cached.parts));
    if (!cached.log.digest.empty()) record.log = TRY(take_blob(cached.log));
    return record;
  }
  Result<oci::Digest> take_blob(const oci::Descriptor& blob) {
    if (engine_.blobs().has(blob.digest)) return blob.digest;
    auto file = TRY(files_.open(blob_path(blob.digest)));
    stream::FdSource source(std::move(file));
    auto ingest = TRY(engine_.blobs().begin());
    TRY(stream::copy(source, *ingest));
    return ingest->commit(blob.digest, store::Sync::later);
  }

  Engine& engine_;
  ArchiveFiles files_;
  std::map<std::string, Cached> records_;
};

class CacheWriter {
 public:
  CacheWriter(Engine& engine, OciLayoutWriter layout, const std::vector<Cached>& known, task::Cancel cancel)
      : engine_(engine), layout_(std::move(layout)), cancel_(cancel) {
    for (const auto& cached : known) {
      layers_.emplace(cached.diff_id, cached.layer);
      records_.emplace(cached.record.strong, cached);
    }
  }

  Result<> add(const build::Record& record) {
    TRY(cancel_.check());
    Cached cached{.record = record};
    cached.diff_id = TRY(engine_.layers().diff_id(record.layer, cancel_));
    if (const auto known = layers_.find(cached.diff_id); known != layers_.end()) {
      cached.layer = known->second;
    } else {
      cached.layer = TRY(layout_.put_layer(record.layer, stream::Compression::zstd, 3, cancel_));
      layers_.emplace(cached.diff_id, cached.layer);
    }
    cached.parts = TRY(put_blob(kPartsType, record.parts));
    if (!record.log.empty()) cached.log = TRY(put_blob(kLogType, record.log));
    records_.insert_or_assign(record.strong, std::move(cached));
    return {};
  }

  Result<> finish() {
    oci::Manifest manifest{.media_type = std::string(oci::kOciManifest)};
    json::Value records = json::Value::array();
    std::set<oci::Digest> listed;
    auto list = [&](const oci::Descriptor& blob) {
      if (!blob.digest.empty() && listed.insert(blob.digest).second) manifest.layers.push_back(blob);
    };
    for (const auto& [strong, cached] : records_) {
      records.push(to_json(cached));
      list(cached.layer);
      list(cached.parts);
      list(cached.log);
    }
    json::Value config = json::Value::object();
    config.set("version", 1);
    config.set("records", std::move(records));
    manifest.config = TRY(layout_.put(kStepCacheType, json::write(config)));
    oci::Index index{.media_type = std::string(oci::kOciIndex)};
    auto entry = TRY(layout_.put(oci::kOciManifest, manifest.write()));
    index.manifests.push_back(std::move(entry));
    return layout_.finish(index);
  }

 private:
  Result<oci::Descriptor> put_blob(std::string_view media_type, const oci::Digest& digest) {
    const std::string bytes = TRY(engine_.blobs().read(digest, kMaxPartsBytes));
    return layout_.put(media_type, bytes);
  }

  Engine& engine_;
  OciLayoutWriter layout_;
  task::Cancel cancel_;
  std::map<oci::DiffId, oci::Descriptor> layers_;
  std::map<std::string, Cached> records_;
};

/// The steps that the target's root filesystem consists of.
std::set<build::VertexId> steps_of_result(const build::Graph& graph) {
  std::set<build::VertexId> steps;
  for (auto id = graph.stages[static_cast<std::size_t>(graph.target)].last; id != build::kNoVertex; id = graph.vertices[static_cast<std::size_t>(id)].parent)
    steps.insert(id);
  return steps;
}

}  // namespace

Result<std::unique_ptr<build::CacheSource>> open_step_cache(Engine& engine, const CacheStore& store) {
  if (!sys::exists(store.path + "/index.json")) return std::unique_ptr<build::CacheSource>();
  auto files = TRY(ArchiveFiles::folder(store.path));
  auto all = TRY_DOING(read_cache(files), format("reading the cache in {}", quoted(store.path)));
  return std::unique_ptr<build::CacheSource>(std::make_unique<LayoutCache>(engine, std::move(files), std::move(all)));
}

Result<> write_step_cache(Engine& engine, const CacheStore& store, const build::Graph& graph, const build::Solved& solved, task::Cancel cancel) {
  std::vector<Cached> known;
  if (sys::exists(store.path + "/index.json")) {
    const auto files = TRY(ArchiveFiles::folder(store.path));
    if (auto read = read_cache(files)) known = std::move(*read);
  }
  auto layout = TRY_DOING(OciLayoutWriter::create(engine, store.path), "writing the cache");
  CacheWriter writer(engine, std::move(layout), known, cancel);
  const auto result = steps_of_result(graph);
  for (const auto& vertex : graph.vertices) {
    const auto& step = solved.steps[static_cast<std::size_t>(vertex.id)];
    if (step.record.strong.empty() || (!store.max && !result.contains(vertex.id))) continue;
    TRY_DOING(writer.add(step.record), format("writing {} to the cache", quoted(vertex.text)));
  }
  return writer.finish();
}

}  // namespace mica::engine
