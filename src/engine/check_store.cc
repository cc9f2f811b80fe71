#include "engine/check_store.h"

#include <fcntl.h>

#include <algorithm>
#include <set>

#include "base/format.h"
#include "build/records.h"
#include "engine/collect_garbage.h"
#include "engine/images.h"
#include "engine/layout.h"

namespace mica::engine {
namespace {

class Checker {
 public:
  Checker(Engine& engine, const CheckStore& request, const std::function<void(std::string)>& progress, task::Cancel cancel)
      : engine_(engine), request_(request), progress_(progress), cancel_(cancel) {}

  Result<CheckReport> run() {
    TRY(database());
    TRY(blobs());
    TRY(layers());
    TRY(images());
    TRY(records());
    if (request_.repair && !report_.findings.empty()) TRY(collect_garbage(engine_, 2000));
    return std::move(report_);
  }

 private:
  Finding& found(std::string what, std::string repair) {
    return report_.findings.emplace_back(Finding{std::move(what), std::move(repair), false});
  }
  /// Moves a path of the store to quarantine/.
  Result<> quarantine(const std::string& path) {
    TRY(sys::make_directories(dir(engine_.folder("quarantine/" + path))));
    TRY(sys::remove_tree(engine_.folder("quarantine/" + path)));
    return sys::rename(engine_.folder(path), engine_.folder("quarantine/" + path));
  }
  static std::string dir(const std::string& path) { return path.substr(0, path.rfind('/')); }

  Result<> database() {
    progress_("checking the database");
    auto database = engine_.database().lock();
    const auto messages = TRY(database->integrity_check());
    for (const auto& message : messages) found("database: " + message, "");
    return {};
  }

  Result<> blobs() {
    const auto list = TRY(engine_.blobs().list());
    progress_(format("checking {} blobs", list.size()));
    for (const auto& digest : list) {
      TRY(cancel_.check());
      ++report_.blobs;
      const auto actual = request_.quick ? Result<std::string>(digest.hex()) : digest_of(digest);
      if (actual && *actual == digest.hex()) continue;
      bad_blobs_.insert(digest);
      const std::string path = std::string(kBlobsFolder) + "/sha256/" + digest.hex();
      Finding& finding = found(format("blob {}: {}", digest.str(), actual ? "content has digest sha256:" + *actual : actual.error().text()),
                               "move it to quarantine/" + path);
      if (request_.repair) finding.repaired = quarantine(path).has_value();
    }
    return {};
  }
  Result<std::string> digest_of(const oci::Digest& digest) {
    auto file = TRY(engine_.blobs().open(digest));
    stream::FdSource source(std::move(file));
    stream::HashingSink sink(nullptr);
    TRY(stream::copy(source, sink));
    return sink.finish_hex();
  }

  Result<> layers() {
    const auto list = TRY(engine_.layers().list());
    progress_(format("checking {} layers", list.size()));
    for (const auto& layer : list) {
      TRY(cancel_.check());
      ++report_.layers;
      const auto problem = TRY(layer_problem(layer.id));
      if (problem.empty()) {
        good_layers_.insert(layer.id);
        continue;
      }
      const std::string path = std::string(kLayersFolder) + "/" + layer.id;
      Finding& finding = found(format("layer {}: {}", layer.id, problem), "move it to quarantine/" + path);
      if (request_.repair) finding.repaired = !sys::exists(engine_.folder(path)) || quarantine(path).has_value();
    }
    return {};
  }
  /// Empty: the layer is whole.
  Result<std::string> layer_problem(const std::string& id) {
    const std::string folder = engine_.layers().directory(id);
    const auto root = sys::open(folder, O_RDONLY | O_DIRECTORY);
    if (!root) return "its folder is missing";
    const auto listing = engine_.layers().listing(id);
    if (!listing) return listing.error().text();
    if (const auto whole = listing->verify(); !whole) return whole.error().text();
    if (request_.quick) return "";
    auto actual = snapshot::scan_layer(*root, engine_.pool(), cancel_);
    if (!actual && actual.error().code() == Errc::cancelled) return fail(actual.error());
    if (!actual) return actual.error().text();
    return difference(*listing, *actual);
  }
  static std::string difference(const snapshot::Listing& listed, const snapshot::Listing& actual) {
    for (std::size_t i = 0, k = 0; i < listed.size() || k < actual.size();) {
      if (k == actual.size() || (i < listed.size() && listed[i].path < actual[k].path)) return format("{} is missing", listed[i].path);
      if (i == listed.size() || actual[k].path < listed[i].path) return format("{} is not in its listing", actual[k].path);
      if (listed[i].identity() != actual[k].identity()) return format("{} differs from its listing", listed[i].path);
      ++i, ++k;
    }
    return "";
  }

  Result<> images() {
    const auto list = TRY(engine_.images().list());
    progress_(format("checking {} images", list.size()));
    std::set<oci::ImageId> good;
    for (const auto& image : list) {
      ++report_.images;
      const std::string problem = image_problem(image);
      if (problem.empty()) {
        good.insert(image.id);
        continue;
      }
      const auto names = TRY(engine_.images().names_of(image.id));
      std::string shown = image.id.digest.short_hex();
      for (const auto& name : names) shown += " " + name.familiar();
      Finding& finding = found(format("image {}: {}", shown, problem), "remove the image and its names");
      if (request_.repair) finding.repaired = engine_.images().remove(image.id).has_value();
    }
    const auto names = TRY(engine_.images().names());
    for (const auto& name : names) {
      ++report_.names;
      const auto image = TRY(engine_.images().find(name.id));
      if (image || good.count(name.id)) continue;
      if (std::any_of(list.begin(), list.end(), [&](const auto& i) { return i.id == name.id; })) continue;
      Finding& finding = found(format("name {}: its image {} is missing", name.reference.familiar(), name.id.digest.short_hex()), "remove the name");
      if (request_.repair) finding.repaired = engine_.images().remove_name(name.reference).has_value();
    }
    return {};
  }
  std::string image_problem(const store::ImageRow& image) {
    const auto config = read_config(engine_, image.id);
    if (!config) return config.error().text();
    if (config->diff_ids.size() != image.layers.size()) return format("its config lists {} layers, the store {}", config->diff_ids.size(), image.layers.size());
    for (std::size_t i = 0; i < image.layers.size(); ++i) {
      if (!good_layers_.count(image.layers[i])) return format("its layer {} is missing or broken", image.layers[i]);
      const auto info = engine_.layers().info(image.layers[i]);
      if (info && info->diff_id && *info->diff_id != config->diff_ids[i]) return format("its layer {} is another one than its config says", image.layers[i]);
    }
    return "";
  }

  Result<> records() {
    build::Records table(engine_.database());
    const auto list = TRY(table.list());
    progress_(format("checking {} build records", list.size()));
    for (const auto& record : list) {
      ++report_.records;
      std::string problem;
      if (!good_layers_.count(record.layer)) problem = format("its layer {} is missing or broken", record.layer);
      for (const oci::Digest& blob : {record.parts, record.log})
        if (problem.empty() && !blob.empty() && (bad_blobs_.count(blob) || !engine_.blobs().has(blob))) problem = format("its blob {} is missing or broken", blob.str());
      if (problem.empty()) continue;
      Finding& finding = found(format("build record {} ({}): {}", record.strong.substr(0, 12), record.instruction, problem), "remove the record: the step runs again");
      if (request_.repair) finding.repaired = table.remove({record.id}, "fsck").has_value();
    }
    return {};
  }

  Engine& engine_;
  const CheckStore& request_;
  const std::function<void(std::string)>& progress_;
  task::Cancel cancel_;
  CheckReport report_;
  std::set<std::string> good_layers_;
  std::set<oci::Digest> bad_blobs_;
};

}  // namespace

Result<CheckReport> check_store(Engine& engine, const CheckStore& request, const std::function<void(std::string)>& progress, task::Cancel cancel) {
  return Checker(engine, request, progress, cancel).run();
}

}  // namespace mica::engine
