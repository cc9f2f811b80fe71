#include "engine/lock_images.h"

#include <algorithm>
#include <set>

#include "base/format.h"
#include "base/text.h"
#include "engine/asked_bases.h"
#include "engine/lock_questions.h"
#include "sys/fd.h"

namespace mica::engine {
namespace {

constexpr int kQuestionsAtOnce = 4;

std::vector<std::string> keys(const std::map<std::string, std::optional<LockedImage>>& asked) {
  std::vector<std::string> out;
  for (const auto& [key, image] : asked) out.push_back(key);
  return out;
}

Result<std::map<std::string, std::optional<LockedImage>>> ask(CopySession& session, const LockRequest& request, AskedBases& bases, std::vector<std::string>& remarks,
                                                            task::Cancel cancel) {
  const LockQuestions questions{.file = request.dockerfile, .build_args = request.build_args, .platforms = request.platforms};
  TRY(ask_for_bases(questions, bases, session.pool, remarks, std::move(cancel)));
  return bases.take();
}

}  // namespace

Result<std::set<std::string>> keys_of_names(const std::vector<std::string>& names, const std::vector<std::string>& known, const std::string& dockerfile) {
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

Result<Locked> lock_images(CopySession& session, const LockRequest& request, task::Cancel cancel) {
  Locked out{.path = lock_path_for(request.dockerfile)};
  const LockFile before = TRY(LockFile::read(out.path)).value_or(LockFile());
  std::map<std::string, LockedImage> known = before.images;
  if (request.update && request.names.empty()) known.clear();
  if (request.update && !request.names.empty()) {
    AskedBases look(nullptr, before.images);
    std::vector<std::string> same;
    const auto asked = TRY(ask(session, request, look, same, cancel));
    const auto moving = TRY(keys_of_names(request.names, keys(asked), request.dockerfile));
    std::erase_if(known, [&](const auto& entry) { return moving.contains(entry.first); });
  }
  AskedBases bases(&session, known);
  const auto asked = TRY(ask(session, request, bases, out.remarks, cancel));

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
  AskedBases bases(nullptr, lock.images);
  const auto asked = TRY(ask(session, request, bases, out.remarks, cancel));
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
    if (const auto config = read_remote_image_config(found, platform, stop)) one.created = config->created;
    else if (config.error().code() != Errc::not_found && config.error().code() != Errc::unsupported) return fail(Error(config.error()));
    return {};
  }));
  return out;
}

}  // namespace mica::engine
