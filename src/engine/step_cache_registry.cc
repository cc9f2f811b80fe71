// A step cache in a registry: a tag of a repository.
#include <fcntl.h>

#include "base/format.h"
#include "engine/step_cache_places.h"
#include "registry/growing_blob.h"

namespace mica::engine {
namespace {

/// Up to this size a blob is fetched whole into memory: most layers of small steps.
constexpr std::int64_t kSmallBytes = 1 << 20;

/// A blob on its way here, in a file without a name. Verified when its end has come.
class ArrivingBlob : public stream::Source {
 public:
  ArrivingBlob(const registry::Repository& repository, oci::Descriptor blob, sys::Fd file, task::Pool& pool, const task::Cancel& cancel)
      : blob_(std::move(blob)), bytes_(std::move(file), pool), arriving_(pool, cancel) {
    arriving_.run([this, repository, &pool, promise = bytes_.promise()](task::Cancel stop) -> Result<> {
      auto received = [&]() -> Result<> {
        const task::Blocking blocking(pool);
        TRY(repository.read_blob(blob_, 0, -1, bytes_, stop));
        return bytes_.finish();
      }();
      if (!received) bytes_.fail(std::move(received).error());
      return {};
    });
  }
  Result<std::size_t> read(std::span<unsigned char> into) override {
    if (!reader_) reader_ = TRY(bytes_.from(0));
    const std::size_t got = TRY(reader_->read(into));
    if (got > 0 || into.empty()) return got;
    const auto digest = TRY(bytes_.digest());
    if (digest != blob_.digest)
      return failf(Errc::corrupt, "the bytes received are not those that were asked for\n  expected: {}\n  actual:   {}", blob_.digest.str(), digest.str());
    return 0;
  }

 private:
  const oci::Descriptor blob_;
  registry::GrowingBlob bytes_;
  std::unique_ptr<stream::Source> reader_;
  task::Group arriving_;
};

class RegistryCache : public CachePlace {
 public:
  RegistryCache(Engine& engine, oci::Reference reference, registry::Repository repository)
      : engine_(engine), reference_(std::move(reference)), repository_(std::move(repository)) {}

  std::string name() const override { return reference_.familiar(); }

  Result<std::optional<std::string>> root(task::Cancel cancel) override {
    const task::Blocking blocking(engine_.pool());
    auto document = repository_.document(reference_, cancel);
    if (document) return std::optional(std::move(document->bytes));
    if (document.error().code() == Errc::not_found) return std::optional<std::string>();
    return fail(std::move(document).error());
  }
  Result<> set_root(std::string_view bytes, task::Cancel cancel) override {
    const task::Blocking blocking(engine_.pool());
    TRY(repository_.put_document(reference_, oci::kOciManifest, bytes, cancel));
    return {};
  }
  Result<bool> has(const oci::Digest& blob, task::Cancel cancel) override {
    const task::Blocking blocking(engine_.pool());
    const auto size = TRY(repository_.has_blob(blob, cancel));
    return size.has_value();
  }
  Result<std::string> read(const oci::Descriptor& blob, std::size_t limit, task::Cancel cancel) override {
    const task::Blocking blocking(engine_.pool());
    return repository_.read_small(blob, limit, cancel);
  }
  Result<std::unique_ptr<stream::Source>> open(const oci::Descriptor& blob, task::Cancel cancel) override {
    if (blob.size <= kSmallBytes) {
      std::string bytes = TRY(read(blob, static_cast<std::size_t>(kSmallBytes), cancel));
      return std::unique_ptr<stream::Source>(std::make_unique<stream::MemorySource>(std::move(bytes)));
    }
    auto file = TRY(sys::open(engine_.workspace().path(), O_RDWR | O_TMPFILE, 0600));
    return std::unique_ptr<stream::Source>(std::make_unique<ArrivingBlob>(repository_, blob, std::move(file), engine_.pool(), cancel));
  }
  Result<oci::Descriptor> put(const oci::Digest& known, registry::Replayable& body, task::Cancel cancel) override {
    const task::Blocking blocking(engine_.pool());
    const auto sent = TRY(repository_.upload(known, body, {}, cancel));
    return oci::Descriptor{.digest = sent.digest, .size = sent.size};
  }
  Result<> forget(const std::vector<oci::Digest>&) override { return {}; }   // other tags may name them

 private:
  Engine& engine_;
  const oci::Reference reference_;
  const registry::Repository repository_;
};

}  // namespace

Result<std::unique_ptr<CachePlace>> open_registry_cache(Engine& engine, const CacheStore& store, bool to) {
  auto repository = TRY(engine.registry().open(store.reference, to ? registry::Access::push : registry::Access::pull));
  return std::unique_ptr<CachePlace>(std::make_unique<RegistryCache>(engine, store.reference, std::move(repository)));
}

Result<std::unique_ptr<CachePlace>> open_cache_place(Engine& engine, const CacheStore& store, bool to) {
  return store.kind == CacheStore::Kind::registry ? open_registry_cache(engine, store, to) : open_layout_cache(engine, store, to);
}

}  // namespace mica::engine
