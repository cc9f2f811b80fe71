#include "engine/step_cache_format.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/format.h"
#include "base/text.h"
#include "json/json.h"
#include "registry/errors.h"
#include "stream/compression.h"

namespace mica::engine {
namespace {

constexpr std::int64_t kVersion = 2;
constexpr std::size_t kMaxConfigBytes = 256 << 20;     // decompressed
constexpr int kConfigLevel = 3;
constexpr std::size_t kMaxInstructionBytes = 200;

json::Value to_json(const CachedText& text) {
  json::Value value = json::Value::object();
  if (!text.text.empty()) {
    value.set("text", text.text);
  } else {
    value.set("digest", text.blob.digest.str());
    value.set("size", text.blob.size);
  }
  return value;
}

json::Value to_json(const CachedStep& step) {
  json::Value value = json::Value::object();
  value.set("strong", step.strong);
  value.set("weak", step.weak);
  if (!step.tree_key.empty()) value.set("treeKey", step.tree_key);
  value.set("instruction", step.instruction);
  value.set("durationNs", step.duration_ns);
  value.set("createdNs", step.created.ns);
  value.set("usedNs", step.used.ns);
  json::Value layer = json::Value::object();
  layer.set("diffId", step.diff_id.digest.str());
  layer.set("contentId", step.content_id);
  layer.set("createdNs", step.layer_created.ns);
  layer.set("mediaType", step.layer.media_type);
  layer.set("digest", step.layer.digest.str());
  layer.set("size", step.layer.size);
  if (!step.layer_data.empty()) layer.set("data", base64(step.layer_data));
  value.set("layer", std::move(layer));
  value.set("parts", to_json(step.parts));
  if (!step.log.empty()) value.set("log", to_json(step.log));
  return value;
}

Result<oci::Descriptor> descriptor_of(const json::Value& value, std::string_view media_type) {
  oci::Descriptor blob{.media_type = std::string(media_type), .size = value.int_or("size", -1)};
  blob.digest = TRY(oci::Digest::parse(value.string_or("digest")));
  if (blob.size < 0) return failf(Errc::corrupt, "the blob {} has no size", blob.digest.str());
  return blob;
}

Result<CachedText> text_of(const json::Value& step, std::string_view name, std::string_view media_type) {
  CachedText text;
  const json::Value* value = step.find(name);
  if (!value) return text;
  text.text = value->string_or("text");
  if (text.text.empty()) text.blob = TRY(descriptor_of(*value, media_type));
  return text;
}

bool is_key(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == text.npos;
}

Result<CachedStep> step_of(const json::Value& value) {
  CachedStep step{.strong = value.string_or("strong"), .weak = value.string_or("weak"), .tree_key = value.string_or("treeKey"), .instruction = registry::printable(value.string_or("instruction"), kMaxInstructionBytes)};
  step.duration_ns = value.int_or("durationNs");
  step.created = {value.int_or("createdNs")};
  step.used = {value.int_or("usedNs")};
  const json::Value* layer = value.find("layer");
  if (!is_key(step.strong) || !is_key(step.weak) || !layer) return fail(Errc::corrupt, "a step lacks its keys or its layer");
  if (!step.tree_key.empty() && !is_key(step.tree_key)) return fail(Errc::corrupt, "a step's key over trees is none");
  step.diff_id = {TRY(oci::Digest::parse(layer->string_or("diffId")))};
  step.content_id = layer->string_or("contentId");
  if (!step.content_id.empty() && !is_key(step.content_id)) return fail(Errc::corrupt, "a layer's content id is none");
  step.layer_created = {layer->int_or("createdNs")};
  step.layer = TRY(descriptor_of(*layer, layer->string_or("mediaType")));
  if (layer->find("data")) {
    step.layer_data = TRY_DOING(from_base64(layer->string_or("data")), "reading a layer in the list");
    if (step.layer.digest != oci::Digest::of(step.layer_data)) return fail(Errc::corrupt, "a layer in the list is damaged");
  }
  step.parts = TRY(text_of(value, "parts", kKeyPartsType));
  step.log = TRY(text_of(value, "log", kStepLogType));
  if (step.parts.empty()) return fail(Errc::corrupt, "a step has no key parts");
  return step;
}

}  // namespace

std::vector<const oci::Descriptor*> blobs_of(const CachedStep& step) {
  std::vector<const oci::Descriptor*> blobs;
  if (step.layer_data.empty()) blobs.push_back(&step.layer);
  for (const auto* text : {&step.parts, &step.log})
    if (!text->blob.digest.empty()) blobs.push_back(&text->blob);
  return blobs;
}

Result<std::string> write_step_cache_config(const CachedSteps& steps) {
  json::Value records = json::Value::array();
  for (const auto& step : steps) records.push(to_json(step));
  json::Value config = json::Value::object();
  config.set("version", kVersion);
  config.set("records", std::move(records));
  const std::string text = json::write(config);
  stream::MemorySink sink;
  auto encoder = TRY(stream::compress(sink, stream::Compression::zstd, kConfigLevel));
  TRY(encoder->write({reinterpret_cast<const unsigned char*>(text.data()), text.size()}));
  TRY(encoder->finish());
  return sink.take();
}

Result<CachedSteps> read_step_cache_config(std::string_view bytes) {
  stream::MemorySource compressed{std::string(bytes)};
  auto source = TRY(stream::decompress(compressed, stream::Compression::zstd));
  const std::string text = TRY(stream::read_all(*source, kMaxConfigBytes));
  const auto config = TRY(json::parse(text, {.bytes = kMaxConfigBytes}));
  const json::Value* records = config.find("records");
  if (config.int_or("version") != kVersion || !records || !records->is_array()) return fail(Errc::corrupt, "its list of steps is none");
  CachedSteps steps;
  steps.reserve(records->as_array().size());
  for (const auto& record : records->as_array()) {
    auto step = TRY(step_of(record));
    steps.push_back(std::move(step));
  }
  return steps;
}

std::string write_step_cache_manifest(const oci::Descriptor& config, const CachedSteps& steps) {
  oci::Manifest manifest{.media_type = std::string(oci::kOciManifest), .config = config};
  std::set<oci::Digest> listed;
  for (const auto& step : steps)
    for (const auto* blob : blobs_of(step))
      if (listed.insert(blob->digest).second) manifest.layers.push_back(*blob);
  return manifest.write();
}

Result<oci::Descriptor> step_cache_config_of(std::string_view bytes) {
  const auto value = TRY(json::parse(bytes));
  if (value.find("manifests")) return fail(Errc::conflict, "there is an index, not a step cache of mica");
  const auto manifest = TRY(oci::Manifest::parse(bytes));
  const std::string& type = manifest.config.media_type;
  if (type == kStepCacheType) return manifest.config;
  if (type.starts_with(kStepCacheTypes)) return failf(Errc::unsupported, "its version is another one: {}, this mica knows {}", type, kStepCacheType);
  return failf(Errc::conflict, "there is something else, not a step cache of mica ({})", type.empty() ? "without a type" : type);
}

CachedSteps merge_cached_steps(const CachedSteps& known, CachedSteps mine, Timestamp now) {
  std::set<std::string> here;
  std::set<oci::Digest> layers;
  for (const auto& step : mine) {
    here.insert(step.strong);
    layers.insert(step.layer.digest);
  }
  std::vector<const CachedStep*> others;
  for (const auto& step : known)
    if (!here.contains(step.strong) && step.used.ns >= now.ns - kMaxUnusedDays * 86'400'000'000'000) others.push_back(&step);
  std::stable_sort(others.begin(), others.end(), [](const CachedStep* a, const CachedStep* b) { return a->used.ns > b->used.ns; });
  std::int64_t bytes = 0;
  for (const CachedStep* step : others) {
    if (mine.size() >= kMaxCachedSteps) break;
    if (layers.insert(step->layer.digest).second) bytes += step->layer.size;
    if (bytes > kMaxCachedLayerBytes) break;
    mine.push_back(*step);
  }
  std::sort(mine.begin(), mine.end(), [](const CachedStep& a, const CachedStep& b) { return a.strong < b.strong; });
  return mine;
}

}  // namespace mica::engine
