#include "engine/images.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "engine/image_trend.h"

namespace mica::engine {
namespace {

constexpr std::string_view kImageFilters[] = {"dangling", "label", "label!", "before", "since", "reference", "until"};

bool reference_matches(const std::string& pattern, const oci::Reference& name) {
  return glob_matches(pattern, name.familiar()) || glob_matches(pattern, name.familiar_name());
}

/// The oldest (`before`) or newest (`since`) creation time among the named images.
Result<std::optional<Timestamp>> border(Engine& engine, const Filters& filters, std::string_view key) {
  std::optional<Timestamp> time;
  const auto found = filters.find(std::string(key));
  if (found == filters.end()) return time;
  for (const std::string& name : found->second) {
    const auto image = TRY(engine.images().resolve(name));
    if (!time || (key == "before" ? image.created < *time : image.created > *time)) time = image.created;
  }
  return time;
}

}  // namespace

Result<std::vector<ListedImage>> list_images(Engine& engine, const ListImages& request) {
  Filters filters = TRY(parse_filters(request.filters, kImageFilters));
  if (!request.reference.empty()) filters["reference"].push_back(request.reference);
  const auto dangling = TRY(boolean_of(filters, "dangling"));
  const auto before = TRY(border(engine, filters, "before"));
  const auto since = TRY(border(engine, filters, "since"));
  const auto until = TRY(until_of(filters));
  const auto images = TRY(engine.images().list());
  const auto rows = TRY(engine.images().names());
  std::map<oci::ImageId, std::vector<oci::Reference>> names;
  for (const auto& row : rows) names[row.id].push_back(row.reference);

  std::vector<ListedImage> listed;
  for (const auto& image : images) {
    ListedImage one{image, names[image.id]};
    std::sort(one.names.begin(), one.names.end(), [](const auto& a, const auto& b) { return a.familiar() < b.familiar(); });
    if (dangling && *dangling != one.names.empty()) continue;
    if (before && image.created >= *before) continue;
    if (since && image.created <= *since) continue;
    if (until && image.created >= *until) continue;
    if (!labels_match(filters, image.labels)) continue;
    if (const auto wanted = filters.find("reference"); wanted != filters.end()) {
      std::erase_if(one.names, [&](const oci::Reference& name) {
        return std::none_of(wanted->second.begin(), wanted->second.end(), [&](const std::string& p) { return reference_matches(p, name); });
      });
      if (one.names.empty()) continue;
    }
    listed.push_back(std::move(one));
  }
  return listed;
}

Result<> tag_image(Engine& engine, const std::string& source, const std::string& target) {
  const auto image = TRY(engine.images().resolve(source));
  const auto name = TRY_DOING(oci::Reference::parse(target), format("Error parsing reference: {} is not a valid repository/tag", quoted(target)));
  if (!name.digest.empty()) return fail(Errc::invalid_argument, "refusing to create a tag with a digest reference");
  TRY(engine.images().tag(image.id, name));
  remember_names(engine, image, {name});
  return {};
}

Result<oci::ImageConfig> read_config(Engine& engine, const oci::ImageId& id) {
  const std::string bytes = TRY_DOING(engine.blobs().read(id.digest), format("reading the config of image {}", id.digest.short_hex()));
  return oci::ImageConfig::parse(bytes);
}

Result<std::vector<HistoryLine>> image_history(Engine& engine, const std::string& name) {
  const auto image = TRY(engine.images().resolve(name));
  const auto config = TRY(read_config(engine, image.id));
  const auto names = TRY(engine.images().names_of(image.id));
  std::vector<HistoryLine> lines;
  std::size_t layer = 0;
  auto layer_bytes = [&]() -> Result<std::int64_t> {
    if (layer >= image.layers.size()) return 0;
    const auto info = TRY(engine.layers().info(image.layers[layer++]));
    return info.bytes;
  };
  for (const auto& entry : config.history) {
    HistoryLine line{.id = "<missing>", .created = entry.created, .created_by = entry.created_by, .comment = entry.comment};
    if (!entry.empty_layer) line.bytes = TRY(layer_bytes());
    lines.push_back(std::move(line));
  }
  // Layers that the history does not tell about (an image from elsewhere).
  while (layer < image.layers.size()) {
    HistoryLine line{.id = "<missing>", .created = config.created};
    line.bytes = TRY(layer_bytes());
    lines.push_back(std::move(line));
  }
  if (lines.empty()) lines.push_back({.created = config.created});
  lines.back().id = image.id.digest.str();
  for (const auto& reference : names) lines.back().tags.push_back(reference.familiar());
  std::reverse(lines.begin(), lines.end());
  return lines;
}

}  // namespace mica::engine
