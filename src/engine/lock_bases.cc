#include "engine/lock_bases.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "build/context_tree.h"

namespace mica::engine {
namespace {
constexpr std::size_t kMaxLockBytes = 8 << 20;
}  // namespace

Result<std::optional<LockFile>> find_lock(const build::ContextRequest& request, const build::Context& context) {
  const std::string& given = request.dockerfile;
  if (given == "-" || given.starts_with("http://") || given.starts_with("https://") || context.dockerfile_name == "-") return std::nullopt;
  std::optional<LockFile> lock;
  if (!context.root.empty() || given.starts_with('/')) {
    lock = TRY(LockFile::read(lock_path_for(given.empty() ? context.root + "/" + context.dockerfile_name : given)));
  } else if (context.tree) {
    const std::string path = lock_path_for(context.dockerfile_name);
    const auto text = TRY_DOING(build::read_tree_file(*context.tree, path, kMaxLockBytes), format("reading {}", path));
    if (text) lock = TRY(LockFile::parse(path, *text));
  }
  if (lock && !lock->files.contains(base_name(context.dockerfile_name))) lock.reset();
  return lock;
}

Result<> require_whole_lock(const dockerfile::File& file, const std::string& name, const std::optional<LockFile>& lock, const DockerfileQuestions& questions,
                            task::Pool& pool, task::Cancel cancel) {
  AskedBases bases(nullptr, lock ? lock->images : std::map<std::string, LockedImage>());
  TRY(ask_for_bases(file, questions, bases, pool, std::move(cancel)));
  const auto asked = bases.take();
  const std::vector<std::string> listed = lock ? lock->files.at(name) : std::vector<std::string>();
  std::vector<std::string> missing, stale;
  for (const auto& [key, image] : asked)
    if (!image || !std::ranges::count(listed, key)) missing.push_back(key);
  for (const auto& key : listed)
    if (!asked.contains(key)) stale.push_back(key);
  if (missing.empty() && stale.empty()) return {};
  const std::string hint = "'mica lock' brings the lock up to date; without --locked the build takes what it finds";
  if (!lock) return fail(Error(Errc::conflict, format("--locked: no {} pins the images of {}: {}", kLockFileName, name, join(missing, ", "))).with_hint(hint));
  std::string why;
  if (!missing.empty()) why = format("it does not have {}", join(missing, ", "));
  if (!stale.empty()) why += format("{}{} {} not needed any more", why.empty() ? "" : ", and ", join(stale, ", "), stale.size() == 1 ? "is" : "are");
  return fail(Error(Errc::conflict, format("--locked: {} does not fit {}: {}", kLockFileName, name, why)).with_hint(hint));
}

Result<build::BaseImage> LockedBases::resolve(const std::string& name, const oci::Platform& platform, task::Cancel cancel) {
  const auto reference = lock_ ? oci::Reference::parse(name) : fail(Errc::not_found, "");
  if (!reference || !reference->digest.empty() || name.find("://") != name.npos) return images_.resolve(name, platform, cancel);
  const std::string key = LockFile::key(*reference);
  const auto found = lock_->images.find(key);
  if (found == lock_->images.end())
    return fail(Error(Errc::not_found, format("{} is not in {}", key, kLockFileName))
                    .with_hint("'mica lock' adds it, with the --build-arg of this build where that names the image; without the file nothing is pinned"));
  oci::Reference pinned = found->second.reference;
  pinned.digest = found->second.digest;
  return images_.resolve(pinned.str(), platform, std::move(cancel));
}

}  // namespace mica::engine
