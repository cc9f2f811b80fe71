#include "engine/registry_places.h"

#include "base/guarded.h"
#include "engine/checked_blob.h"

namespace mica::engine {
namespace {

class RegistrySource : public ImageSource {
 public:
  RegistrySource(CopySession& session, const oci::Reference& reference, registry::Repository repository)
      : pool_(session.pool), reference_(reference), repository_(std::move(repository)) {}

  Result<oci::Digest> resolve(task::Cancel cancel) override {
    if (!reference_.digest.empty()) return reference_.digest;
    const auto found = TRY(repository_.resolve(reference_, cancel));
    *resolved_.lock() = found.digest;
    return found.digest;
  }
  Result<registry::Document> top(task::Cancel cancel) override {
    oci::Reference what = reference_;
    if (const oci::Digest known = *resolved_.lock(); !known.empty()) what.digest = known;
    return repository_.document(what, cancel);
  }
  Result<registry::Document> document(const oci::Descriptor& what, task::Cancel cancel) override {
    return repository_.document({.registry = reference_.registry, .path = reference_.path, .digest = what.digest}, cancel);
  }
  Result<std::unique_ptr<registry::Replayable>> blob(const oci::Descriptor& blob, task::Cancel cancel) override {
    return relayed_blob(repository_, blob, pool_, cancel);
  }
  bool distrust(const oci::Digest& digest) override { return repository_.distrust(digest); }
  Result<std::vector<oci::Descriptor>> referrers(const oci::Digest& subject, task::Cancel cancel) override {
    const auto found = TRY(repository_.referrers(subject, "", cancel));
    std::vector<oci::Descriptor> out;
    for (const auto& one : found) out.push_back(one.descriptor);
    return out;
  }
  Result<std::vector<std::string>> tags(task::Cancel cancel) override { return repository_.tags(cancel); }
  Result<registry::Document> tagged(const std::string& tag, task::Cancel cancel) override {
    return repository_.document({.registry = reference_.registry, .path = reference_.path, .tag = tag}, cancel);
  }
  const oci::Reference* repository() const override { return &reference_; }

 private:
  task::Pool& pool_;
  const oci::Reference reference_;
  const registry::Repository repository_;
  Guarded<oci::Digest> resolved_;
};

class RegistryTarget : public ImageTarget {
 public:
  RegistryTarget(const oci::Reference& reference, registry::Repository repository) : reference_(reference), repository_(std::move(repository)) {}

  std::string store() const override { return reference_.registry; }
  std::string repository() const override { return reference_.path; }
  Result<std::optional<oci::Digest>> current(const std::string& tag, task::Cancel cancel) override { return find(tag.empty() ? reference_ : tagged(tag), cancel); }
  Result<bool> has_document(const oci::Digest& digest, task::Cancel cancel) override {
    const auto found = TRY(find(by_digest(digest), cancel));
    return found.has_value();
  }
  Result<bool> mount(const oci::Digest& digest, const std::string& from, task::Cancel cancel) override { return repository_.mount(digest, from, cancel); }
  Result<registry::Uploaded> put_blob(const oci::Descriptor& blob, registry::Replayable& body, task::Cancel cancel,
                                      const std::function<void(std::int64_t)>& progress) override {
    return repository_.upload(blob.digest, body, {}, cancel, progress);
  }
  Result<> put_document(const registry::Document& document, Role role, const std::string& tag, task::Cancel cancel) override {
    const oci::Reference what = role == Role::named ? reference_ : role == Role::beside && !tag.empty() ? tagged(tag) : by_digest(document.digest);
    TRY(repository_.put_document(what, document.media_type, document.bytes, cancel));
    return {};
  }

 private:
  oci::Reference by_digest(const oci::Digest& digest) const { return {.registry = reference_.registry, .path = reference_.path, .digest = digest}; }
  oci::Reference tagged(const std::string& tag) const { return {.registry = reference_.registry, .path = reference_.path, .tag = tag}; }

  Result<std::optional<oci::Digest>> find(const oci::Reference& what, task::Cancel cancel) const {
    auto found = repository_.resolve(what, cancel);
    if (found) return std::optional(found->digest);
    // Registries refuse to look into repositories that do not exist yet, or hold things that we cannot read: writing will tell.
    const Errc code = found.error().code();
    if (code == Errc::not_found || code == Errc::permission_denied || code == Errc::unsupported || code == Errc::corrupt) return std::optional<oci::Digest>();
    return fail(std::move(found.error()));
  }

  const oci::Reference reference_;
  const registry::Repository repository_;
};

}  // namespace

Result<std::unique_ptr<ImageSource>> registry_source(CopySession& session, const ImagePlace& place) {
  auto repository = TRY(session.registry.open(place.reference, registry::Access::pull));
  return std::make_unique<RegistrySource>(session, place.reference, std::move(repository));
}

Result<std::unique_ptr<ImageTarget>> registry_target(CopySession& session, const ImagePlace& place) {
  auto repository = TRY(session.registry.open(place.reference, registry::Access::push));
  return std::make_unique<RegistryTarget>(place.reference, std::move(repository));
}

}  // namespace mica::engine
