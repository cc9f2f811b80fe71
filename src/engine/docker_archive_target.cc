// Writing Docker's archives, as `save` does: layers arrive compressed, are kept plain in a folder, and go into the tar when all are there.
#include <fcntl.h>

#include "base/format.h"
#include "base/guarded.h"
#include "base/text.h"
#include "engine/archive_places.h"
#include "engine/docker_archive_writer.h"
#include "engine/save_images.h"
#include "stream/compression.h"

namespace mica::engine {
namespace {

class DockerArchiveTarget : public ImageTarget {
 public:
  DockerArchiveTarget(sys::TempDir temporary, const ImagePlace& place) : temporary_(std::move(temporary)), place_(place) {}

  std::string store() const override { return temporary_.path(); }
  bool takes_one_platform() const override { return true; }
  Result<std::optional<oci::Digest>> current(const std::string&, task::Cancel) override { return std::optional<oci::Digest>(); }
  Result<bool> has_document(const oci::Digest&, task::Cancel) override { return false; }

  Result<registry::Uploaded> put_blob(const oci::Descriptor& blob, registry::Replayable& body, task::Cancel cancel,
                                      const std::function<void(std::int64_t)>& progress) override {
    const auto bytes = TRY(body.from(0));
    stream::PeekSource peeked(*bytes);
    const std::string_view magic = TRY(peeked.peek(6));
    const auto compression = stream::detect(magic);
    std::unique_ptr<stream::Source> plain;
    if (compression != stream::Compression::none) plain = TRY(stream::decompress(peeked, compression));
    auto file = TRY(sys::open(path_of(blob.digest), O_CREAT | O_TRUNC | O_WRONLY));
    stream::FdSink sink(std::move(file));
    stream::HashingSink hash(&sink);
    std::vector<unsigned char> buffer(stream::kBufferBytes);
    for (stream::Source& from = plain ? *plain : peeked;;) {
      TRY(cancel.check());
      const std::size_t count = TRY(from.read(buffer));
      if (count == 0) break;
      TRY(hash.write(std::span<const unsigned char>(buffer).first(count)));
      if (progress) progress(std::min(static_cast<std::int64_t>(hash.size()), blob.size));
    }
    // To the end, so that all of it has been verified.
    stream::NullSink rest;
    TRY(stream::copy(peeked, rest));
    const std::uint64_t size = hash.size();
    (*plain_.lock())[blob.digest] = {oci::DiffId{oci::Digest::from_hex(hash.finish_hex())}, size};
    return registry::Uploaded{.how = registry::Uploaded::How::sent, .digest = blob.digest, .size = blob.size};
  }

  Result<> put_document(const registry::Document& document, Role role, const std::string&, task::Cancel) override {
    if (role == Role::named) manifest_ = TRY_DOING(oci::Manifest::parse(document.bytes), format("writing {}: only images fit in there", place_.str()));
    return {};
  }

  Result<> finish(task::Cancel cancel) override {
    DockerArchiveWriter::Image image;
    image.config = TRY(sys::read_file(path_of(manifest_.config.digest)));
    const auto config = TRY_DOING(oci::ImageConfig::parse(image.config), format("writing {}: only images fit in there", place_.str()));
    if (!place_.name.empty()) {
      auto name = TRY(oci::Reference::parse(place_.name));
      image.names.push_back(std::move(name));
    }
    return write_output_file(place_.path, [&](stream::Sink& to) -> Result<> {
      DockerArchiveWriter archive(to);
      TRY(archive.begin());
      for (const auto& layer : manifest_.layers) {
        const auto known = plain_.lock()->find(layer.digest);
        if (known == plain_.lock()->end())
          return failf(Errc::unsupported, "layer {} of type {} is not distributed: an archive without it would be none", layer.digest.str(), quoted(layer.media_type));
        TRY(add_layer(archive, layer.digest, known->second, cancel));
        image.layers.push_back(known->second.diff_id);
      }
      if (image.layers != config.diff_ids) return fail(Errc::corrupt, "the layers are others than the image config says");
      TRY(archive.add_image(image));
      return archive.finish();
    });
  }

 private:
  struct Plain {
    oci::DiffId diff_id;
    std::uint64_t size = 0;
  };
  std::string path_of(const oci::Digest& digest) const { return temporary_.path() + "/" + digest.hex(); }

  Result<> add_layer(DockerArchiveWriter& archive, const oci::Digest& digest, const Plain& plain, task::Cancel cancel) const {
    if (archive.find(plain.diff_id)) return {};
    return archive.add_layer(plain.diff_id, plain.size, [&](stream::Sink& to) -> Result<> {
      TRY(cancel.check());
      auto file = TRY(sys::open(path_of(digest), O_RDONLY));
      stream::FdSource source(std::move(file));
      TRY(stream::copy(source, to));
      return {};
    });
  }

  sys::TempDir temporary_;
  const ImagePlace place_;
  Guarded<std::map<oci::Digest, Plain>> plain_;
  oci::Manifest manifest_;
};

}  // namespace

Result<std::unique_ptr<ImageTarget>> docker_archive_target(const ImagePlace& place) {
  auto temporary = TRY(folder_beside(place.path));
  return std::make_unique<DockerArchiveTarget>(std::move(temporary), place);
}

}  // namespace mica::engine
