// Which of an image's layers are those of its base.
#include <algorithm>
#include <map>

#include "base/format.h"
#include "base/text.h"
#include "build/report.h"
#include "engine/analyze_sources.h"
#include "engine/images.h"

namespace mica::engine {
namespace {

using Known = analyze::Base::Known;

constexpr std::string_view kBaseName = "org.opencontainers.image.base.name", kBaseDigest = "org.opencontainers.image.base.digest";
constexpr std::string_view kBuildComment = "buildkit.dockerfile.v0";

std::string annotation(const oci::Annotations& annotations, std::string_view key) {
  for (const auto& [name, value] : annotations)
    if (name == key) return value;
  return {};
}

/// An image of the store by its DiffIDs.
struct Stored {
  store::ImageRow row;
  std::vector<std::string> diff_ids;
};

class BaseFinder {
 public:
  BaseFinder(Engine& engine, LayeredImage& image) : engine_(engine), image_(image) {}

  Result<> by_option(const std::string& base) {
    auto& found = image_.image.base;
    found.how = Known::option;
    if (base == "none") return {};
    if (const auto count = parse_int(base)) {
      if (*count < 0 || static_cast<std::size_t>(*count) > image_.image.layers.size())
        return failf(Errc::invalid_argument, "--base {}: the image has {} layers", base, image_.image.layers.size());
      found.layers = static_cast<std::size_t>(*count);
      return {};
    }
    const auto row = TRY_DOING(engine_.images().resolve(base), "finding --base");
    const auto stored = TRY(diff_ids_of(row));
    if (!is_prefix(stored.diff_ids))
      return fail(Error(Errc::invalid_argument, format("--base {}: its layers are not the lowest ones of {}", base, image_.image.name))
                      .with_hint("the image was built on another version; --base N gives the number of layers"));
    take(stored, Known::option);
    found.name = base;
    return {};
  }

  Result<> find() {
    if (TRY(by_build())) return {};
    TRY(read_store());
    if (by_annotation() || by_store()) return {};
    by_history();
    return {};
  }

 private:
  /// Layers that no step of the build made.
  Result<bool> by_build() {
    if (image_.image.id.empty()) return false;
    const auto id = TRY(oci::Digest::parse(image_.image.id));
    const auto row = TRY(engine_.images().find({id}));
    if (!row) return false;
    const auto report = TRY(build::Reports(engine_.database()).of_image(id.hex()));
    if (!report) return false;
    std::vector<std::string> bases;
    std::size_t count = row->layers.size();
    for (const auto& step : report->steps) {
      if (step.record.empty() && step.text.starts_with("FROM ")) bases.push_back(step.text.substr(5));
      if (step.record.empty()) continue;
      const auto made = std::ranges::find(row->layers, step.layer);
      count = std::min(count, static_cast<std::size_t>(made - row->layers.begin()));
    }
    image_.image.base = {.how = Known::build, .layers = count};
    if (bases.size() == 1) image_.image.base.name = bases[0];
    if (count == 0) return true;
    TRY(read_store());
    for (const Stored& stored : stored_)
      if (stored.diff_ids.size() == count && is_prefix(stored.diff_ids)) {
        take(stored, Known::build);
        break;
      }
    if (bases.size() == 1) image_.image.base.name = bases[0];
    return true;
  }

  bool by_annotation() {
    const std::string digest = annotation(image_.annotations, kBaseDigest), name = annotation(image_.annotations, kBaseName);
    if (digest.empty() && name.empty()) return false;
    for (const Stored& stored : stored_) {
      const bool is_named = std::ranges::any_of(names_of(stored), [&](const auto& one) { return one.str() == name || one.familiar() == name; });
      if ((stored.row.manifest.str() != digest || digest.empty()) && !is_named) continue;
      if (!is_prefix(stored.diff_ids)) continue;
      take(stored, Known::annotation);
      if (!name.empty()) image_.image.base.name = name;
      return true;
    }
    return false;
  }

  bool by_store() {
    std::vector<oci::Reference> own;
    for (const auto& [id, names] : names_)
      if (id.digest.str() == image_.image.id) own = names;
    if (const auto asked = oci::Reference::parse(image_.image.name)) own.push_back(*asked);
    const Stored* best = nullptr;
    for (const Stored& stored : stored_) {
      const auto names = names_of(stored);
      if (names.empty() || stored.row.id.digest.str() == image_.image.id || !is_prefix(stored.diff_ids)) continue;
      const bool is_sibling = std::ranges::any_of(names, [&](const auto& a) { return std::ranges::any_of(own, [&](const auto& b) { return a.registry == b.registry && a.path == b.path; }); });
      if (is_sibling || stored.diff_ids.size() == image_.image.layers.size()) continue;
      if (!best || stored.diff_ids.size() > best->diff_ids.size()) best = &stored;
    }
    if (!best || best->diff_ids.empty()) return false;
    take(*best, Known::store);
    return true;
  }

  /// What imports and other builders leave has no comment of a Dockerfile build. A base that was built so itself counts as own.
  void by_history() {
    std::size_t layers = 0;
    for (const auto& step : image_.config.history) {
      if (step.comment == kBuildComment) {
        if (layers > 0 && layers <= image_.image.layers.size()) image_.image.base = {.how = Known::history, .layers = layers};
        return;
      }
      layers += !step.empty_layer;
    }
  }

  Result<> read_store() {
    if (is_read_) return {};
    is_read_ = true;
    const auto layers = TRY(engine_.layers().list());
    for (const auto& layer : layers)
      if (layer.diff_id) diff_ids_[layer.id] = layer.diff_id->digest.str();
    const auto rows = TRY(engine_.images().list());
    for (const auto& row : rows) {
      auto stored = TRY(diff_ids_of(row));
      stored_.push_back(std::move(stored));
    }
    const auto names = TRY(engine_.images().names());
    for (const auto& name : names) names_[name.id].push_back(name.reference);
    return {};
  }
  Result<Stored> diff_ids_of(const store::ImageRow& row) {
    Stored stored{.row = row};
    if (!is_read_) {
      const auto config = TRY(read_config(engine_, row.id));
      for (const auto& id : config.diff_ids) stored.diff_ids.push_back(id.digest.str());
      return stored;
    }
    for (const auto& layer : row.layers) {
      const auto found = diff_ids_.find(layer);
      stored.diff_ids.push_back(found == diff_ids_.end() ? "" : found->second);
    }
    return stored;
  }
  std::vector<oci::Reference> names_of(const Stored& stored) const {
    const auto found = names_.find(stored.row.id);
    return found == names_.end() ? std::vector<oci::Reference>() : found->second;
  }
  bool is_prefix(const std::vector<std::string>& diff_ids) const {
    const auto& layers = image_.image.layers;
    if (diff_ids.size() > layers.size()) return false;
    return std::ranges::equal(diff_ids, std::span(layers).first(diff_ids.size()), {}, {}, &analyze::Layer::diff_id);
  }
  void take(const Stored& stored, Known how) {
    image_.image.base = {.how = how, .layers = stored.diff_ids.size(), .digest = stored.row.manifest.str()};
    const auto names = names_of(stored);
    if (!names.empty()) image_.image.base.name = names[0].familiar();
  }

  Engine& engine_;
  LayeredImage& image_;
  bool is_read_ = false;
  std::map<std::string, std::string> diff_ids_;                   // by layer id
  std::vector<Stored> stored_;
  std::map<oci::ImageId, std::vector<oci::Reference>> names_;
};

}  // namespace

Result<> find_base(Engine& engine, const ReadImage& request, LayeredImage& image) {
  BaseFinder finder(engine, image);
  return request.base.empty() ? finder.find() : finder.by_option(request.base);
}

}  // namespace mica::engine
