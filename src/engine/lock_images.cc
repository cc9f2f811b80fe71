#include "engine/lock_images.h"

#include <algorithm>
#include <cstdlib>
#include <set>

#include "base/format.h"
#include "base/guarded.h"
#include "base/text.h"
#include "build/planner.h"
#include "dockerfile/parser.h"
#include "engine/document_parts.h"
#include "engine/remote_documents.h"
#include "sys/fd.h"

namespace mica::engine {
namespace {

constexpr int kQuestionsAtOnce = 4;

/// Creation time and triggers, of the image for `platform` where the document is an index.
Result<oci::ImageConfig> read_config(const RemoteDocument& found, const oci::Platform& platform, task::Cancel cancel) {
  registry::Document manifest = found.document;
  if (is_index(manifest.media_type)) {
    const auto index = TRY(oci::Index::parse(manifest.bytes));
    const auto entry = TRY(choose_entry(index, platform));
    manifest = TRY(found.repository.document({.registry = found.reference.registry, .path = found.reference.path, .digest = entry.digest}, cancel));
  }
  const auto value = TRY(read_remote_config(found.repository, manifest, cancel));
  if (value.is_null()) return fail(Errc::unsupported, "this is an artifact, not an image");
  return oci::ImageConfig::parse(json::write(value));
}

Result<LockedImage> resolve_at_registry(CopySession& session, const std::string& name, const oci::Platform& platform, task::Cancel cancel) {
  const auto candidates = TRY(session.registry.hosts().candidates(name));
  std::optional<Error> first;
  for (const auto& candidate : candidates) {
    auto found = read_remote_document(session, candidate, false, cancel);
    if (!found) {
      if (found.error().code() == Errc::cancelled) return fail(std::move(found).error());
      if (!first) first = std::move(found).error();
      continue;
    }
    auto config = TRY_DOING(read_config(*found, platform, cancel), candidate.familiar());
    return LockedImage{.reference = candidate, .digest = found->document.digest, .media_type = found->document.media_type, .created = config.created,
                       .resolved = Timestamp::from_seconds(now().seconds()), .on_build = std::move(config.on_build)};
  }
  return fail(std::move(*first));
}

/// Stands in for the images while a Dockerfile is planned, to see what it asks for. Layers are never asked for.
class AskedBases : public build::BaseImages {
 public:
  enum class Mode { look, resolve };
  AskedBases(CopySession& session, Mode mode, std::map<std::string, LockedImage> known) : session_(session), mode_(mode), known_(std::move(known)) {}

  Result<build::BaseImage> resolve(const std::string& name, const oci::Platform& platform, task::Cancel cancel) override {
    const auto reference = TRY(oci::Reference::parse(name));
    build::BaseImage image{.name = reference.str(), .id = {oci::Digest::of(reference.str())}};
    image.config.platform = platform;
    if (!reference.digest.empty()) return image;
    const std::string key = LockFile::key(reference);
    std::optional<LockedImage> locked = find(key);
    if (!locked && mode_ == Mode::resolve) locked = TRY(resolve_at_registry(session_, name, platform, cancel));
    auto asked = asked_.lock();
    const auto [place, is_new] = asked->emplace(key, locked);   // whoever was first counts: the tag may be moving at this moment
    if (place->second) image.config.on_build = place->second->on_build;
    return image;
  }
  Result<snapshot::Chain> layers(const build::BaseImage& image, task::Cancel) override { return failf(Errc::internal, "{} is planned only", image.name); }

  /// Every name that was asked for; without a value: it is not known.
  std::map<std::string, std::optional<LockedImage>> take() { return std::move(*asked_.lock()); }

 private:
  std::optional<LockedImage> find(const std::string& key) {
    auto asked = asked_.lock();
    if (const auto found = asked->find(key); found != asked->end()) return found->second;
    if (const auto found = known_.find(key); found != known_.end()) return found->second;
    return std::nullopt;
  }

  CopySession& session_;
  const Mode mode_;
  const std::map<std::string, LockedImage> known_;
  Guarded<std::map<std::string, std::optional<LockedImage>>> asked_;
};

Result<dockerfile::File> read_dockerfile(const std::string& path) {
  if (path.ends_with(".yml") || path.ends_with(".yaml"))
    return fail(Error(Errc::unsupported, format("{} is a compose file: only Dockerfiles can be locked", path)).with_hint("lock the Dockerfile of each service with -f"));
  const auto text = TRY_DOING(sys::read_file(path, dockerfile::kMaxFileBytes), format("failed to read dockerfile"));
  return dockerfile::parse_file(path, text);
}

Result<std::map<std::string, std::optional<LockedImage>>> ask(CopySession& session, const LockRequest& request, AskedBases& bases, task::Cancel cancel) {
  const auto file = TRY(read_dockerfile(request.dockerfile));
  build::PlanRequest plan{.all_stages = true, .pool = &session.pool};
  for (const auto& text : request.build_args) {
    if (const auto pair = split_once(text, '=')) plan.build_args.emplace_back(std::string(pair->first), std::string(pair->second));
    else if (const char* value = std::getenv(text.c_str())) plan.build_args.emplace_back(text, value);
  }
  plan.entitlements = {"network.host", "security.insecure"};   // nothing runs here
  std::vector<oci::Platform> platforms;
  for (const auto& text : request.platforms) {
    for (const auto one : split(text, ',')) {
      auto platform = TRY(oci::Platform::parse(one));
      platforms.push_back(std::move(platform));
    }
  }
  if (platforms.empty()) platforms.push_back(oci::Platform::host());
  for (const auto& platform : platforms) {
    plan.platform = platform;
    TRY(build::plan_build(file, plan, bases, cancel));
  }
  return bases.take();
}

/// The keys of --update NAME..., which must be bases of the Dockerfile.
Result<std::set<std::string>> keys_of(const std::vector<std::string>& names, const std::vector<std::string>& known, const std::string& dockerfile) {
  std::set<std::string> out;
  for (const auto& name : names) {
    const auto reference = TRY(oci::Reference::parse(name));
    const std::string key = LockFile::key(reference);
    if (!std::ranges::count(known, key)) {
      Error error(Errc::invalid_argument, format("{} is no base image of {}", name, dockerfile));
      const std::vector<std::string_view> words(known.begin(), known.end());
      if (const auto near = closest(key, words)) return fail(std::move(error).with_hint(format("did you mean {}?", *near)));
      return fail(std::move(error));
    }
    out.insert(key);
  }
  return out;
}

std::vector<std::string> keys(const std::map<std::string, std::optional<LockedImage>>& asked) {
  std::vector<std::string> out;
  for (const auto& [key, image] : asked) out.push_back(key);
  return out;
}

}  // namespace

Result<Locked> lock_images(CopySession& session, const LockRequest& request, task::Cancel cancel) {
  Locked out{.path = lock_path_for(request.dockerfile)};
  const LockFile before = TRY(LockFile::read(out.path)).value_or(LockFile());
  std::map<std::string, LockedImage> known = before.images;
  if (request.update && request.names.empty()) known.clear();
  if (request.update && !request.names.empty()) {
    AskedBases look(session, AskedBases::Mode::look, before.images);
    const auto asked = TRY(ask(session, request, look, cancel));
    const auto moving = TRY(keys_of(request.names, keys(asked), request.dockerfile));
    std::erase_if(known, [&](const auto& entry) { return moving.contains(entry.first); });
  }
  AskedBases bases(session, AskedBases::Mode::resolve, known);
  const auto asked = TRY(ask(session, request, bases, cancel));

  LockFile after = before;
  after.files[base_name(request.dockerfile)] = keys(asked);
  for (const auto& [key, image] : asked) {
    const auto had = before.images.find(key);
    const bool same = had != before.images.end() && had->second.digest == image->digest && had->second.reference == image->reference;
    if (!same) after.images.insert_or_assign(key, *image);
  }
  after.tidy();
  out.images = asked.size();
  for (const auto& [key, image] : after.images) {
    const auto had = before.images.find(key);
    if (had == before.images.end()) out.changes.push_back({.kind = LockChange::Kind::added, .name = key, .after = image});
    else if (had->second != image) out.changes.push_back({.kind = LockChange::Kind::moved, .name = key, .before = had->second, .after = image});
  }
  for (const auto& [key, image] : before.images)
    if (!after.images.contains(key)) out.changes.push_back({.kind = LockChange::Kind::removed, .name = key, .before = image});
  out.written = after != before;
  if (out.written) TRY_DOING(sys::write_file_atomically(out.path, after.text()), format("writing {}", out.path));
  return out;
}

Result<LockCheck> check_lock(CopySession& session, const LockRequest& request, task::Cancel cancel) {
  LockCheck out{.path = lock_path_for(request.dockerfile)};
  const LockFile lock = TRY(LockFile::read(out.path)).value_or(LockFile());
  AskedBases bases(session, AskedBases::Mode::look, lock.images);
  const auto asked = TRY(ask(session, request, bases, cancel));
  const auto known = lock.files.find(base_name(request.dockerfile));
  out.exists = known != lock.files.end();
  for (const auto& [key, image] : asked)
    if (!image || !out.exists || !std::ranges::count(known->second, key)) out.missing.push_back(key);
  if (out.exists)
    for (const auto& key : known->second)
      if (!asked.contains(key)) out.stale.push_back(key);
  return out;
}

Result<std::vector<OutdatedImage>> find_outdated(CopySession& session, const std::string& dockerfile, const oci::Platform& platform, task::Cancel cancel) {
  const bool whole = dockerfile.empty() || base_name(dockerfile) == kLockFileName;
  const std::string path = dockerfile.empty() ? std::string(kLockFileName) : lock_path_for(dockerfile);
  auto lock = TRY(LockFile::read(path));
  if (!lock) return fail(Error(Errc::not_found, format("there is no {}", path)).with_hint("'mica lock' writes it"));
  std::vector<OutdatedImage> out;
  const auto of_file = lock->files.find(base_name(dockerfile));
  if (!whole && of_file == lock->files.end())
    return fail(Error(Errc::not_found, format("{} does not know {}", path, base_name(dockerfile))).with_hint(format("'mica lock -f {}' adds it", dockerfile)));
  for (auto& [key, image] : lock->images)
    if (whole || std::ranges::count(of_file->second, key)) out.push_back({.name = key, .locked = std::move(image)});
  TRY(run_each(session.pool, cancel, out.size(), kQuestionsAtOnce, [&](std::size_t i, task::Cancel stop) -> Result<> {
    OutdatedImage& one = out[i];
    const auto repository = TRY(open_repository(session, one.locked.reference, registry::Access::pull, false));
    const auto now_there = repository.resolve(one.locked.reference, stop);
    if (!now_there && now_there.error().code() == Errc::not_found) {
      one.state = OutdatedImage::State::gone;
      return {};
    }
    if (!now_there) return fail(Error(now_there.error()));
    one.digest = now_there->digest;
    if (one.digest == one.locked.digest) return {};
    one.state = OutdatedImage::State::moved;
    oci::Reference moved = one.locked.reference;
    moved.digest = one.digest;
    const auto found = TRY(read_remote_document(session, moved, false, stop));
    // An image that this platform lost is a news of its own, not a failure.
    if (const auto config = read_config(found, platform, stop)) one.created = config->created;
    else if (config.error().code() != Errc::not_found && config.error().code() != Errc::unsupported) return fail(Error(config.error()));
    return {};
  }));
  return out;
}

}  // namespace mica::engine
