// Reading Docker's archives: manifest.json lists images, a config and plain layers each. The archive is made into a layout first, since a
// layer's compressed digest is known only when it has been compressed.
#include <fcntl.h>

#include "base/format.h"
#include "base/text.h"
#include "engine/archive_places.h"
#include "engine/layout_places.h"
#include "stream/compression.h"

namespace mica::engine {
namespace {

constexpr int kLayersAtOnce = 4;

struct Listed {
  std::string config;
  std::vector<std::string> layers, names;
};

Result<std::vector<Listed>> read_list(const ArchiveFiles& files, const ImagePlace& place) {
  if (!files.has("manifest.json"))
    return fail(Error(Errc::corrupt, format("{} is no Docker archive: it has no manifest.json", place.str()))
                    .with_hint(files.has("index.json") ? "it has an index.json: oci-archive: reads it" : ""));
  const std::string text = TRY(files.read("manifest.json"));
  const auto list = TRY_DOING(json::parse(text), format("reading manifest.json of {}", place.str()));
  if (!list.is_array()) return failf(Errc::corrupt, "manifest.json of {} is not a list", place.str());
  std::vector<Listed> out;
  for (const auto& item : list.as_array()) out.push_back({.config = item.string_or("Config"), .layers = item.strings("Layers"), .names = item.strings("RepoTags")});
  return out;
}

Result<Listed> choose(const std::vector<Listed>& list, const ImagePlace& place) {
  std::vector<std::string> have;
  const auto wanted = oci::Reference::parse(place.name);
  for (const auto& one : list) {
    have.insert(have.end(), one.names.begin(), one.names.end());
    for (const auto& name : one.names)
      if (const auto reference = oci::Reference::parse(name); wanted && reference && *reference == *wanted) return one;
  }
  if (place.name.empty() && list.size() == 1) return list[0];
  Error error = place.name.empty() ? Error(Errc::invalid_argument, format("{} holds {} images: name one", place.str(), list.size()))
                                   : Error(Errc::not_found, format("{}: no such image in there", place.str()));
  if (!have.empty()) return fail(std::move(error).with_hint(format("there is {}", join(have, ", "))));
  return fail(std::move(error));
}

std::string_view layer_type(stream::Compression compression) { return compression == stream::Compression::zstd ? oci::kOciLayerZstd : oci::kOciLayerGzip; }

/// Puts a layer into the layout; its DiffID is compared with the config's.
class LayerMaker {
 public:
  LayerMaker(const ArchiveFiles& files, const LayoutFolder& layout, task::Cancel cancel) : files_(files), layout_(layout), cancel_(std::move(cancel)) {}

  Result<oci::Descriptor> run(const std::string& path, const oci::DiffId& expected) {
    auto file = TRY(files_.open(path));
    stream::FdSource bytes(std::move(file));
    stream::PeekSource peeked(bytes);
    const std::string_view magic = TRY(peeked.peek(6));
    const auto compression = stream::detect(magic);
    const std::string partial = format("{}/.{}.partial", layout_.path(), random_hex(8));
    auto out = TRY(sys::open(partial, O_CREAT | O_EXCL | O_WRONLY));
    stream::FdSink sink(std::move(out));
    stream::HashingSink stored(&sink);
    const bool keep = compression == stream::Compression::gzip || compression == stream::Compression::zstd;
    const oci::DiffId actual = keep ? TRY(copy_compressed(peeked, compression, stored)) : TRY(compress(peeked, compression, stored));
    if (actual != expected)
      return failf(Errc::corrupt, "layer {} is another than the image config says\n  expected: {}\n  actual:   {}", quoted(path), expected.digest.str(), actual.digest.str());
    const auto digest = oci::Digest::from_hex(stored.finish_hex());
    TRY(sys::rename(partial, layout_.path() + "/blobs/sha256/" + digest.hex()));
    return oci::Descriptor{.media_type = std::string(layer_type(compression)), .digest = digest, .size = static_cast<std::int64_t>(stored.size())};
  }

 private:
  /// Passes everything it reads on to a sink.
  class Tee : public stream::Source {
   public:
    Tee(stream::Source& from, stream::Sink& to) : from_(from), to_(to) {}
    Result<std::size_t> read(std::span<unsigned char> into) override {
      const std::size_t count = TRY(from_.read(into));
      TRY(to_.write(into.first(count)));
      return count;
    }

   private:
    stream::Source& from_;
    stream::Sink& to_;
  };

  Result<> pump(stream::Source& from, stream::Sink& to) {
    std::vector<unsigned char> buffer(stream::kBufferBytes);
    for (;;) {
      TRY(cancel_.check());
      const std::size_t count = TRY(from.read(buffer));
      if (count == 0) return {};
      TRY(to.write(std::span<const unsigned char>(buffer).first(count)));
    }
  }

  Result<oci::DiffId> copy_compressed(stream::Source& from, stream::Compression compression, stream::Sink& to) {
    Tee tee(from, to);
    const auto plain = TRY(stream::decompress(tee, compression));
    stream::HashingSink hash(nullptr);
    TRY(pump(*plain, hash));
    TRY(pump(from, to));   // what the decoder left
    return oci::DiffId{oci::Digest::from_hex(hash.finish_hex())};
  }

  Result<oci::DiffId> compress(stream::Source& from, stream::Compression compression, stream::Sink& to) {
    std::unique_ptr<stream::Source> plain;
    if (compression != stream::Compression::none) plain = TRY(stream::decompress(from, compression));
    const auto encoder = TRY(stream::compress(to, stream::Compression::gzip));
    stream::HashingSink hash(encoder.get());
    TRY(pump(plain ? *plain : from, hash));
    TRY(encoder->finish());
    return oci::DiffId{oci::Digest::from_hex(hash.finish_hex())};
  }

  const ArchiveFiles& files_;
  const LayoutFolder& layout_;
  task::Cancel cancel_;
};

/// The manifest's digest.
Result<oci::Digest> make_layout(CopySession& session, const ArchiveFiles& files, const Listed& image, const LayoutFolder& layout, task::Cancel cancel) {
  const std::string bytes = TRY(files.read(image.config));
  const auto config = TRY_DOING(oci::ImageConfig::parse(bytes), format("reading {}", quoted(image.config)));
  if (config.diff_ids.size() != image.layers.size())
    return failf(Errc::corrupt, "the archive lists {} layers, the image config {}", image.layers.size(), config.diff_ids.size());
  oci::Manifest manifest{.media_type = std::string(oci::kOciManifest)};
  manifest.config = {.media_type = std::string(oci::kOciConfig), .digest = oci::Digest::of(bytes), .size = static_cast<std::int64_t>(bytes.size())};
  TRY(layout.put(manifest.config.digest, bytes));
  manifest.layers.resize(image.layers.size());
  TRY(run_each(session.pool, cancel, image.layers.size(), kLayersAtOnce, [&](std::size_t i, task::Cancel stop) -> Result<> {
    manifest.layers[i] = TRY(LayerMaker(files, layout, stop).run(image.layers[i], config.diff_ids[i]));
    return {};
  }));
  registry::Document document{.media_type = manifest.media_type, .bytes = manifest.write()};
  document.digest = oci::Digest::of(document.bytes);
  TRY(layout.put(document.digest, document.bytes));
  TRY(layout.enter(document, "", cancel));
  return document.digest;
}

}  // namespace

Result<std::unique_ptr<ImageSource>> docker_archive_source(CopySession& session, const ImagePlace& place, task::Cancel cancel) {
  auto temporary = TRY(sys::TempDir::create(temporary_folder(), "mica-copy"));
  const auto read = [&]() -> Result<std::string> {
    const auto files = TRY(open_archive(place, temporary.path() + "/files", cancel));
    const auto list = TRY(read_list(files, place));
    const auto image = TRY(choose(list, place));
    const auto layout = TRY(LayoutFolder::open(temporary.path() + "/layout"));
    TRY(make_layout(session, files, image, layout, cancel));
    return layout.path();
  };
  const std::string layout = TRY_DOING(read(), format("reading {}", place.str()));
  (void)sys::remove_tree(temporary.path() + "/files");
  auto files = TRY(ArchiveFiles::folder(layout));
  return layout_source({.kind = ImagePlace::Kind::layout, .path = layout}, std::move(files), std::move(temporary));
}

}  // namespace mica::engine
