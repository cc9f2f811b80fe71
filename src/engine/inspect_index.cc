#include "engine/inspect_index.h"

#include "base/format.h"
#include "engine/document_parts.h"
#include "engine/index_json.h"
#include "engine/remote_documents.h"

namespace mica::engine {
namespace {

constexpr int kReadsAtOnce = 4;
constexpr std::size_t kMaxStatementBytes = 16 << 20;
constexpr std::string_view kAboutType = "vnd.docker.reference.type", kAboutDigest = "vnd.docker.reference.digest";
constexpr std::string_view kPredicateType = "in-toto.io/predicate-type";

std::string annotation(const json::Value& descriptor, std::string_view key) {
  const json::Value* annotations = descriptor.find("annotations");
  return annotations ? annotations->string_or(key) : std::string();
}

/// The image config with its members in Go's order; what Go's type does not know comes last.
json::Value ordered_config(const json::Value& config) {
  constexpr std::string_view kFirst[] = {"created", "author", "architecture", "os", "os.version", "os.features", "variant", "config", "rootfs", "history"};
  constexpr std::string_view kConfig[] = {"User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels", "StopSignal"};
  const auto order = [](const json::Value& from, std::span<const std::string_view> first) {
    json::Value out = json::Value::object();
    for (const auto key : first)
      if (const json::Value* found = from.find(key); found && !found->is_null()) out.set(key, *found);
    for (const auto& [key, value] : from.as_object())
      if (!out.find(key) && !value.is_null()) out.set(key, value);
    return out;
  };
  if (!config.is_object()) return config;
  json::Value out = order(config, kFirst);
  if (json::Value* inner = out.find("config"); inner && inner->is_object()) {
    json::Value sorted = order(*inner, kConfig);
    *inner = std::move(sorted);
  }
  return out;
}

/// What the attestation manifest's layers state, added to `provenance` and `sbom`.
Result<> read_statements(const registry::Repository& repository, const registry::Document& manifest, json::Value& provenance, json::Value& sbom, task::Cancel cancel) {
  const auto parsed = TRY(oci::Manifest::parse(manifest.bytes));
  for (const auto& layer : parsed.layers) {
    std::string type;
    for (const auto& [key, value] : layer.annotations)
      if (key == kPredicateType) type = value;
    const bool slsa = type.starts_with("https://slsa.dev/provenance/"), spdx = type == "https://spdx.dev/Document";
    if (!slsa && !spdx) continue;
    const auto text = TRY(repository.read_small(layer, kMaxStatementBytes, cancel));
    const auto statement = TRY(json::parse(text));
    const json::Value* predicate = statement.find("predicate");
    if (!predicate) continue;
    if (slsa) provenance.set("SLSA", *predicate);
    else if (!sbom.find("SPDX")) sbom.set("SPDX", *predicate);
    else {
      json::Value* more = sbom.find("AdditionalSPDXs");
      (more ? *more : sbom.set("AdditionalSPDXs", json::Value::array())).push(*predicate);
    }
  }
  return {};
}

/// One image of an index, or the only one there is.
struct Image {
  std::string platform;
  json::Value config, provenance = json::Value::object(), sbom = json::Value::object();
};

class Inspection {
 public:
  Inspection(CopySession& session, const RemoteDocument& found, task::Cancel cancel) : session_(session), found_(found), cancel_(cancel) {}

  /// `index` is null for a single image.
  Result<> add_images(const json::Value& index, json::Value& out) {
    std::vector<Image> images;
    if (index.is_null()) {
      images.emplace_back();
      images[0].config = TRY(read_remote_config(found_.repository, found_.document, cancel_));
    } else {
      images = TRY(read_images(index));
    }
    json::Value configs = json::Value::object(), provenances = json::Value::object(), sboms = json::Value::object();
    for (auto& image : images) {
      configs.set(image.platform, ordered_config(image.config));
      if (!image.provenance.as_object().empty()) provenances.set(image.platform, std::move(image.provenance));
      if (!image.sbom.as_object().empty()) sboms.set(image.platform, std::move(image.sbom));
    }
    const auto put = [&](std::string_view name, json::Value& all) {
      const bool only = images.size() == 1 && !all.as_object().empty();
      out.set(name, only ? std::move(all.as_object()[0].second) : std::move(all));
    };
    put("image", configs);
    put("provenance", provenances);
    put("sbom", sboms);
    return {};
  }

 private:
  Result<registry::Document> read(const json::Value& descriptor, task::Cancel cancel) const {
    const auto digest = TRY(oci::Digest::parse(descriptor.string_or("digest")));
    return found_.repository.document({.registry = found_.reference.registry, .path = found_.reference.path, .digest = digest}, cancel);
  }

  Result<std::vector<Image>> read_images(const json::Value& index) {
    const json::Array& entries = index.find("manifests")->as_array();
    std::vector<const json::Value*> kept;
    for (const auto& entry : entries)
      if (annotation(entry, kAboutType).empty() && !is_index(entry.string_or("mediaType"))) kept.push_back(&entry);
    std::vector<Image> images(kept.size());
    TRY(run_each(session_.pool, cancel_, kept.size(), kReadsAtOnce, [&](std::size_t i, task::Cancel stop) -> Result<> {
      const auto manifest = TRY(read(*kept[i], stop));
      images[i].config = TRY(read_remote_config(found_.repository, manifest, stop));
      const json::Value* told = kept[i]->find("platform");
      images[i].platform = platform_text(told ? *told : images[i].config);
      for (const auto& entry : entries) {
        if (annotation(entry, kAboutDigest) != kept[i]->string_or("digest")) continue;
        const auto statements = TRY(read(entry, stop));
        TRY(read_statements(found_.repository, statements, images[i].provenance, images[i].sbom, stop));
      }
      return {};
    }));
    return images;
  }

  CopySession& session_;
  const RemoteDocument& found_;
  task::Cancel cancel_;
};

}  // namespace

Result<InspectedIndex> inspect_index(CopySession& session, const std::string& name, bool with_images, task::Cancel cancel) {
  const auto reference = TRY_DOING(oci::Reference::parse(name), quoted(name));
  auto found = TRY(read_remote_document(session, reference, false, cancel));
  const bool index = is_index(found.document.media_type);
  json::Value parsed;
  json::Value manifest = json::Value::object();
  if (index) manifest.set("schemaVersion", 2);
  manifest.set("mediaType", found.document.media_type);
  manifest.set("digest", found.document.digest.str());
  manifest.set("size", static_cast<std::int64_t>(found.document.bytes.size()));
  if (index) {
    parsed = TRY_DOING(read_index(found.document), reference.str());
    manifest.set("manifests", *parsed.find("manifests"));
    if (const json::Value* annotations = parsed.find("annotations")) manifest.set("annotations", *annotations);
  }
  json::Value value = json::Value::object();
  value.set("name", reference.str());
  value.set("manifest", std::move(manifest));
  if (with_images) TRY_DOING(Inspection(session, found, cancel).add_images(parsed, value), reference.str());
  return InspectedIndex{.reference = reference, .document = std::move(found.document), .value = std::move(value)};
}

}  // namespace mica::engine
