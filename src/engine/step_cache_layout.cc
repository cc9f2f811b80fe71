// A step cache in a folder: the entry without a name of an OCI image layout. Images in there have names.
#include <fcntl.h>

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "engine/archive_files.h"
#include "engine/oci_layout_writer.h"
#include "engine/step_cache_places.h"

namespace mica::engine {
namespace {

std::string blob_path(const oci::Digest& digest) { return "blobs/sha256/" + digest.hex(); }

bool has_name(const oci::Descriptor& entry) {
  return std::any_of(entry.annotations.begin(), entry.annotations.end(), [](const auto& a) { return a.first == "org.opencontainers.image.ref.name"; });
}

class LayoutCache : public CachePlace {
 public:
  LayoutCache(std::string folder, std::optional<ArchiveFiles> files, std::optional<OciLayoutWriter> writer)
      : folder_(std::move(folder)), files_(std::move(files)), writer_(std::move(writer)) {}

  std::string name() const override { return folder_; }

  Result<std::optional<std::string>> root(task::Cancel) override {
    if (!files_ || !files_->has("index.json")) return std::optional<std::string>();
    const std::string bytes = TRY(files_->read("index.json"));
    const auto index = TRY(oci::Index::parse(bytes));
    for (const auto& entry : index.manifests) {
      if (has_name(entry)) continue;
      std::string root = TRY(read_verified(entry, kMaxRootBytes));
      return std::optional(std::move(root));
    }
    return std::optional<std::string>();
  }
  Result<> set_root(std::string_view bytes, task::Cancel) override {
    auto entry = TRY(writer_->put(oci::kOciManifest, bytes));
    oci::Index index{.media_type = std::string(oci::kOciIndex)};
    index.manifests.push_back(std::move(entry));
    return writer_->finish(index);
  }
  Result<bool> has(const oci::Digest& blob, task::Cancel) override { return files_ && files_->has(blob_path(blob)); }
  Result<std::string> read(const oci::Descriptor& blob, std::size_t limit, task::Cancel) override { return read_verified(blob, limit); }
  Result<std::unique_ptr<stream::Source>> open(const oci::Descriptor& blob, task::Cancel) override {
    auto file = TRY(files_->open(blob_path(blob.digest)));
    return std::unique_ptr<stream::Source>(std::make_unique<stream::FdSource>(std::move(file)));
  }
  Result<oci::Descriptor> put(const oci::Digest& known, registry::Replayable& body, task::Cancel cancel) override {
    if (!known.empty() && files_->has(blob_path(known))) return oci::Descriptor{.digest = known, .size = body.size()};
    const std::string partial = format("{}/blobs/sha256/.{}.partial", folder_, random_hex(8));
    auto written = write(partial, body, cancel);
    if (!written) (void)sys::remove_file(partial);
    return written;
  }
  Result<> forget(const std::vector<oci::Digest>& blobs) override {
    const std::string bytes = TRY(files_->read("index.json"));
    const auto index = TRY(oci::Index::parse(bytes));
    if (index.manifests.size() > 1) return {};   // others may name them
    for (const auto& blob : blobs)
      if (files_->has(blob_path(blob))) TRY(sys::remove_file(folder_ + "/" + blob_path(blob)));
    return {};
  }

 private:
  static constexpr std::size_t kMaxRootBytes = 8 << 20;

  Result<std::string> read_verified(const oci::Descriptor& blob, std::size_t limit) const {
    std::string bytes = TRY(files_->read(blob_path(blob.digest), limit));
    if (const auto actual = oci::Digest::of(bytes); actual != blob.digest)
      return failf(Errc::corrupt, "a blob in {} is damaged\n  expected: {}\n  actual:   {}", quoted(folder_), blob.digest.str(), actual.str());
    return bytes;
  }

  Result<oci::Descriptor> write(const std::string& partial, registry::Replayable& body, const task::Cancel& cancel) const {
    auto file = TRY(sys::open(partial, O_CREAT | O_EXCL | O_WRONLY));
    stream::FdSink sink(std::move(file));
    stream::HashingSink hashing(&sink);
    const auto source = TRY(body.from(0));
    std::vector<unsigned char> buffer(stream::kBufferBytes);
    while (const std::size_t got = TRY(source->read(buffer))) {
      TRY(cancel.check());
      TRY(hashing.write(std::span(buffer).first(got)));
    }
    const auto digest = oci::Digest::from_hex(hashing.finish_hex());
    TRY(sys::rename(partial, folder_ + "/" + blob_path(digest)));
    return oci::Descriptor{.digest = digest, .size = static_cast<std::int64_t>(hashing.size())};
  }

  const std::string folder_;
  const std::optional<ArchiveFiles> files_;     // none: there is no folder yet
  std::optional<OciLayoutWriter> writer_;       // of caches that are written
};

}  // namespace

Result<std::unique_ptr<CachePlace>> open_layout_cache(Engine& engine, const CacheStore& store, bool to) {
  std::optional<OciLayoutWriter> writer;
  if (to) writer = TRY(OciLayoutWriter::create(engine, store.path));
  std::optional<ArchiveFiles> files;
  if (sys::exists(store.path)) files = TRY(ArchiveFiles::folder(store.path));
  return std::unique_ptr<CachePlace>(std::make_unique<LayoutCache>(store.path, std::move(files), std::move(writer)));
}

}  // namespace mica::engine
