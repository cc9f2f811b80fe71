#include "engine/build_outputs.h"

#include <unistd.h>

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "engine/add_image.h"
#include "engine/oci_layout_writer.h"
#include "engine/push_image.h"
#include "engine/save_images.h"
#include "engine/write_tree.h"
#include "snapshot/layer_tar.h"

namespace mica::engine {
namespace {

using Kind = BuildOutput::Kind;

Result<std::vector<oci::Reference>> names_of(const BuildImage& request, const BuildOutput& output) {
  std::vector<std::string> texts = request.tags;
  if (!output.name.empty())
    for (const auto name : split(output.name, ',')) texts.emplace_back(name);
  std::vector<oci::Reference> names;
  for (const auto& text : texts) {
    auto name = TRY_DOING(oci::Reference::parse(text), format("invalid tag {}", quoted(text)));
    if (!name.digest.empty()) return failf(Errc::invalid_argument, "invalid tag {}: a name for an image must not have a digest", quoted(text));
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
  }
  return names;
}

oci::Annotations annotations_of(const BuildImage& request, const BuildOutput& output) {
  oci::Annotations annotations = output.annotations;
  for (const auto& text : request.annotations) {
    const auto pair = split_once(text, '=');
    annotations.emplace_back(pair->first, pair->second);
  }
  std::sort(annotations.begin(), annotations.end());
  return annotations;
}

Result<stream::Compression> compression_of(const BuildOutput& output) {
  if (output.compression.empty() || output.compression == "gzip") return stream::Compression::gzip;
  if (output.compression == "zstd") return stream::Compression::zstd;
  if (output.compression == "uncompressed") return stream::Compression::none;
  return failf(Errc::unsupported, "compression {} is not supported: use gzip, zstd or uncompressed", quoted(output.compression));
}

std::string folder_name(const oci::Platform& platform) { return replace_all(platform.str(), "/", "_"); }

class Outputs {
 public:
  Outputs(Engine& engine, const BuildImage& request, const std::vector<Built>& built, std::optional<Timestamp> epoch, build::Progress& progress,
          BuildResult& result, task::Cancel cancel)
      : engine_(engine), request_(request), built_(built), epoch_(epoch), progress_(progress), result_(result), cancel_(cancel) {}

  Result<> write(const BuildOutput& output) {
    const bool kept = output.kind == Kind::image || (output.kind == Kind::docker && output.destination.empty());
    if (output.kind == Kind::cache_only) return {};
    build::Stage stage(progress_, kept ? "exporting to image" : output.kind == Kind::local ? "exporting to client directory"
                                    : output.kind == Kind::tar ? "exporting to client tarball" : "exporting to archive");
    auto written = kept ? to_store(output, stage) : output.kind == Kind::docker ? to_docker_archive(output) : output.kind == Kind::oci ? to_layout(output)
                                                  : output.kind == Kind::local ? to_folder(output) : to_tar(output);
    if (written) stage.done();
    else stage.failed(written.error().text());
    return written;
  }

 private:
  Result<> to_store(const BuildOutput& output, build::Stage& stage) {
    const auto names = TRY(names_of(request_, output));
    if (built_.size() > 1) return push_index(output, names, stage);
    const auto& image = built_[0].image;
    result_.image_id = TRY(add_image(engine_, image.chain, image.config, image.config_bytes, names));
    stage.progress("writing image " + result_.image_id.digest.str(), 0, 0, true);
    for (const auto& name : names) {
      stage.progress("naming to " + name.str(), 0, 0, true);
      result_.names.push_back(name.str());
    }
    if (!output.push) return {};
    const auto row = TRY(engine_.images().find(result_.image_id));
    if (!row) return fail(Errc::not_found, "the image was removed before it could be pushed");
    const auto form = TRY(form_of(output));
    for (const auto& name : names) {
      const auto pushed = TRY(push_one(engine_, *row, name, form, annotations_of(request_, output), shown_in(stage), cancel_));
      stage.progress(format("pushing {} with digest {}", name.str(), pushed.digest.str()), 0, 0, true);
      result_.manifest_digest = pushed.digest;
      result_.manifest_size = pushed.size;
    }
    return {};
  }

  /// Several platforms: each image goes by its digest, then an index under the names. The store keeps the images; this machine's gets the names.
  Result<> push_index(const BuildOutput& output, const std::vector<oci::Reference>& names, build::Stage& stage) {
    const auto form = TRY(form_of(output));
    std::vector<store::ImageRow> rows;
    for (const Built& built : built_) {
      const bool ours = oci::matches(oci::Platform::host(), built.platform);
      const auto id = TRY(add_image(engine_, built.image.chain, built.image.config, built.image.config_bytes, ours ? names : std::vector<oci::Reference>()));
      auto row = TRY(engine_.images().find(id));
      if (!row) return fail(Errc::not_found, "an image was removed before it could be pushed");
      rows.push_back(std::move(*row));
    }
    result_.image_id = rows[0].id;
    for (const auto& name : names) {
      const auto repository = TRY(engine_.registry().open(name, registry::Access::push));
      oci::Index index{.media_type = std::string(oci::kOciIndex)};
      for (std::size_t i = 0; i < rows.size(); ++i) {
        auto pushed = TRY_DOING(push_manifest(engine_, repository, rows[i], "", form, annotations_of(request_, output), shown_in(stage), cancel_),
                                format("pushing {} for {}", name.familiar(), built_[i].platform.str()));
        pushed.descriptor.platform = built_[i].platform;
        index.manifests.push_back(std::move(pushed.descriptor));
      }
      const std::string bytes = index.write();
      result_.manifest_digest = TRY(repository.put_document(name, oci::kOciIndex, bytes, cancel_));
      result_.manifest_size = static_cast<std::int64_t>(bytes.size());
      stage.progress(format("pushing {} with digest {}", name.str(), result_.manifest_digest.str()), 0, 0, true);
      result_.names.push_back(name.str());
    }
    return {};
  }

  static Result<LayerForm> form_of(const BuildOutput& output) {
    const auto compression = TRY(compression_of(output));
    return LayerForm{.compression = compression, .level = output.compression_level};
  }
  static TransferEvents shown_in(build::Stage& stage) {
    return [&stage](const TransferEvent& event) {
      if (event.total > 0) stage.progress("pushing layer " + event.id, event.done, event.total, false);
      else if (event.status == "Pushed") stage.progress("pushing layer " + event.id, 0, 0, true);
    };
  }

  Result<> to_docker_archive(const BuildOutput& output) {
    auto names = TRY(names_of(request_, output));
    const auto& image = built_[0].image;
    const ArchivedImage archived{.id = image.id, .config = image.config_bytes, .layers = image.chain, .names = std::move(names),
                                 .annotations = annotations_of(request_, output)};
    for (const auto& name : archived.names) result_.names.push_back(name.str());
    result_.image_id = image.id;
    return write_output_file(output.destination, [&](stream::Sink& sink) { return write_image_archive(engine_, {archived}, sink, cancel_); });
  }

  Result<> to_layout(const BuildOutput& output) {
    const std::string folder = output.as_folder ? output.destination : engine_.workspace().path() + "/layout";
    auto layout = TRY(OciLayoutWriter::create(engine_, folder));
    const auto names = TRY(names_of(request_, output));
    oci::Index index{.media_type = std::string(oci::kOciIndex)};
    for (const Built& built : built_) {
      auto descriptor = TRY(put_image(layout, built, output));
      if (built_.size() > 1) descriptor.platform = built.platform;
      index.manifests.push_back(std::move(descriptor));
    }
    if (built_.size() > 1) {
      const std::string bytes = index.write();
      index.manifests = {TRY(layout.put(oci::kOciIndex, bytes))};
    }
    oci::Descriptor entry = index.manifests[0];
    result_.manifest_digest = entry.digest;
    result_.manifest_size = entry.size;
    index.manifests.clear();
    for (const auto& name : names) {
      entry.annotations = {{"io.containerd.image.name", name.str()}, {"org.opencontainers.image.ref.name", name.tag}};
      index.manifests.push_back(entry);
      result_.names.push_back(name.str());
    }
    if (names.empty()) index.manifests.push_back(entry);
    TRY(layout.finish(index));
    if (output.as_folder) return {};
    TRY(write_output_file(output.destination, [&](stream::Sink& sink) { return write_folder_tar(folder, sink, cancel_); }));
    return sys::remove_tree(folder);
  }

  Result<oci::Descriptor> put_image(OciLayoutWriter& layout, const Built& built, const BuildOutput& output) {
    const auto compression = TRY(compression_of(output));
    oci::Manifest manifest{.media_type = std::string(oci::kOciManifest), .annotations = annotations_of(request_, output)};
    manifest.config = TRY(layout.put(oci::kOciConfig, built.image.config_bytes));
    for (const auto& layer : built.image.chain) {
      auto descriptor = TRY(layout.put_layer(layer, compression, output.compression_level, cancel_));
      manifest.layers.push_back(std::move(descriptor));
    }
    result_.image_id = built.image.id;
    return layout.put(oci::kOciManifest, manifest.write());
  }

  Result<> to_folder(const BuildOutput& output) {
    for (const Built& built : built_) {
      const auto view = TRY(engine_.layers().view(built.image.chain));
      const std::string folder = built_.size() > 1 ? output.destination + "/" + folder_name(built.platform) : output.destination;
      TRY(write_tree(view, folder, output.delete_stale, clamp(), cancel_));
    }
    return {};
  }

  Result<> to_tar(const BuildOutput& output) {
    const auto view = TRY(engine_.layers().view(built_[0].image.chain));
    return write_output_file(output.destination, [&](stream::Sink& sink) -> Result<> {
      TRY(snapshot::write_tree_tar(view, sink, cancel_, clamp()));
      return sink.finish();
    });
  }

  std::optional<std::int64_t> clamp() const { return epoch_ ? std::optional(epoch_->ns) : std::nullopt; }

  Engine& engine_;
  const BuildImage& request_;
  const std::vector<Built>& built_;
  std::optional<Timestamp> epoch_;
  build::Progress& progress_;
  BuildResult& result_;
  task::Cancel cancel_;
};

}  // namespace

Result<> check_outputs(const BuildImage& request, std::size_t platforms) {
  for (const auto& text : request.annotations)
    if (const auto pair = split_once(text, '='); !pair || pair->first.empty())
      return failf(Errc::invalid_argument, "invalid annotation {}: expected key=value", quoted(text));
  int to_stdout = 0;
  for (const BuildOutput& output : request.outputs) {
    const auto names = TRY(names_of(request, output));
    TRY(compression_of(output));
    if (output.destination == "-" && ++to_stdout > 1) return fail(Errc::invalid_argument, "only one output can go to standard output");
    if (output.destination == "-" && ::isatty(STDOUT_FILENO))
      return fail(Errc::invalid_argument, "dest is needed: the output is not written to a terminal (or redirect it)");
    if (output.push && names.empty()) return fail(Errc::invalid_argument, "tag is needed when pushing to registry");
    const bool single = (output.kind == Kind::image && !output.push) || output.kind == Kind::docker || output.kind == Kind::tar;
    if (platforms > 1 && single)
      return fail(Error(Errc::unsupported, "this output holds one platform only").with_hint("use --push, -o type=oci or type=local for several platforms"));
    if (!request.annotations.empty() && ((output.kind == Kind::image && !output.push) || (output.kind == Kind::docker && output.destination.empty())))
      return fail(Error(Errc::unsupported, "annotations belong to manifests, and the store keeps none for images that are built")
                      .with_hint("use -o type=oci, or LABEL and --label"));
  }
  return {};
}

Result<> write_outputs(Engine& engine, const BuildImage& request, const std::vector<Built>& built, std::optional<Timestamp> epoch,
                       build::Progress& progress, BuildResult& result, task::Cancel cancel) {
  Outputs outputs(engine, request, built, epoch, progress, result, cancel);
  for (const BuildOutput& output : request.outputs) TRY(outputs.write(output));
  return {};
}

}  // namespace mica::engine
