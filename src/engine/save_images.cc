#include "engine/save_images.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "engine/docker_archive_writer.h"
#include "engine/images.h"
#include "engine/layer_bytes.h"

namespace mica::engine {
namespace {

class CountingSink : public stream::Sink {
 public:
  Result<> write(std::span<const unsigned char> bytes) override {
    size_ += bytes.size();
    return {};
  }
  std::uint64_t size() const { return size_; }

 private:
  std::uint64_t size_ = 0;
};

void add_name(std::vector<oci::Reference>& names, const oci::Reference& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

Result<std::vector<ArchivedImage>> choose(Engine& engine, const std::vector<std::string>& wanted) {
  std::vector<ArchivedImage> chosen;
  const auto all = TRY(engine.images().names());
  auto add = [&](const store::ImageRow& image) -> ArchivedImage& {
    for (auto& one : chosen)
      if (one.id == image.id) return one;
    return chosen.emplace_back(ArchivedImage{.id = image.id, .layers = image.layers});
  };
  for (const auto& name : wanted) {
    const auto bare = oci::Reference::parse(name, false);
    bool any = false;
    if (bare && bare->tag.empty() && bare->digest.empty()) {
      for (const auto& row : all) {
        if (row.reference.repository() != bare->repository()) continue;
        const auto image = TRY(engine.images().find(row.id));
        if (!image) continue;
        add_name(add(*image).names, row.reference);
        any = true;
      }
    }
    if (any) continue;
    const auto image = TRY(engine.images().resolve(name));
    ArchivedImage& one = add(image);
    if (const auto reference = oci::Reference::parse(name); reference && reference->digest.empty())
      for (const auto& row : all)
        if (row.id == image.id && row.reference == *reference) add_name(one.names, row.reference);
  }
  for (auto& one : chosen) one.config = TRY(engine.blobs().read(one.id.digest));
  return chosen;
}

/// Two passes: a tar entry's size stands before its bytes.
Result<oci::DiffId> save_layer(Engine& engine, const snapshot::LayerId& id, DockerArchiveWriter& archive, task::Cancel cancel) {
  const auto diff_id = TRY(engine.layers().diff_id(id, cancel));
  if (archive.find(diff_id)) return diff_id;
  CountingSink count;
  TRY(write_layer_bytes(engine, id, count, cancel));
  TRY(archive.add_layer(diff_id, count.size(), [&](stream::Sink& to) { return write_layer_bytes(engine, id, to, cancel); }));
  return diff_id;
}

}  // namespace

Result<> write_image_archive(Engine& engine, const std::vector<ArchivedImage>& images, stream::Sink& to, task::Cancel cancel) {
  DockerArchiveWriter archive(to);
  TRY(archive.begin());
  for (const auto& image : images) {
    DockerArchiveWriter::Image one{.config = image.config, .names = image.names, .annotations = image.annotations};
    for (const auto& id : image.layers) {
      auto diff_id = TRY(save_layer(engine, id, archive, cancel));
      one.layers.push_back(std::move(diff_id));
    }
    TRY(archive.add_image(one));
  }
  return archive.finish();
}

Result<> write_output_file(const std::string& path, const std::function<Result<>(stream::Sink&)>& write) {
  if (path == "-") {
    const int copy = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    if (copy < 0) return fail_errno("writing standard output");
    stream::FdSink sink{sys::Fd(copy)};
    return write(sink);
  }
  // A device or pipe is written to; renaming over it would replace it.
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    auto file = TRY(sys::open(path, O_WRONLY));
    stream::FdSink sink(std::move(file));
    return write(sink);
  }
  const std::string temporary = format("{}.{}.partial", path, random_hex(4));
  auto file = TRY(sys::open(temporary, O_CREAT | O_EXCL | O_WRONLY, 0644));
  auto copy = TRY(file.duplicate());
  stream::FdSink sink(std::move(copy));
  auto written = write(sink);
  if (written) written = sys::sync(file);
  if (written) written = sys::rename(temporary, path);
  if (!written) (void)sys::remove_file(temporary);
  return written;
}

Result<> save_images(Engine& engine, const SaveImages& request, stream::Sink& to, task::Cancel cancel) {
  const auto images = TRY(choose(engine, request.names));
  std::vector<std::string> layers;
  for (const auto& one : images) layers.insert(layers.end(), one.layers.begin(), one.layers.end());
  // Nothing goes away from a store that cannot be written.
  if (!layers.empty() && engine.has_workspace()) TRY(engine.workspace().lease(engine.database(), layers));
  return write_image_archive(engine, images, to, cancel);
}

Result<> save_images_to_file(Engine& engine, const SaveImages& request, const std::string& path, task::Cancel cancel) {
  return write_output_file(path, [&](stream::Sink& sink) { return save_images(engine, request, sink, cancel); });
}

}  // namespace mica::engine
