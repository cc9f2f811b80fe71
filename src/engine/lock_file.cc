#include "engine/lock_file.h"

#include <algorithm>
#include <cerrno>
#include <set>

#include "base/format.h"
#include "base/text.h"
#include "json/json.h"
#include "oci/members.h"
#include "sys/fd.h"

namespace mica::engine {
namespace {

constexpr int kVersion = 1;
constexpr std::size_t kMaxLockBytes = 8 << 20;

Result<LockedImage> read_image(const json::Value& value, const std::string& where) {
  const auto members = TRY(oci::MembersView::of(value, where));
  LockedImage out;
  const auto reference = TRY(members.text("reference"));
  out.reference = TRY_DOING(oci::Reference::parse(reference), members.path("reference"));
  if (!out.reference.digest.empty()) return failf(Errc::corrupt, "{} has a digest of its own", members.path("reference"));
  const auto digest = TRY(members.text("digest"));
  out.digest = TRY_DOING(oci::Digest::parse(digest), members.path("digest"));
  out.media_type = TRY(members.text("mediaType"));
  const auto created = TRY(members.text("created"));
  if (!created.empty()) out.created = TRY_DOING(parse_rfc3339(created), members.path("created"));
  const auto resolved = TRY(members.text("resolved"));
  out.resolved = TRY_DOING(parse_rfc3339(resolved), members.path("resolved"));
  out.on_build = TRY(members.texts("onBuild"));
  return out;
}

Result<LockFile> read_lock(std::string_view text) {
  const auto value = TRY(json::parse(text, {.bytes = kMaxLockBytes}));
  const auto members = TRY(oci::MembersView::of(value, ""));
  const auto version = TRY(members.integer("version"));
  if (version != kVersion) return failf(Errc::unsupported, "version {} is not {}, the one that this mica reads", version, kVersion);
  LockFile out;
  const json::Value* images = members.find("images");
  if (images && !images->is_object()) return fail(members.wrong_type("images", *images, "an object"));
  if (images)
    for (const auto& [name, image] : images->as_object()) {
      auto one = TRY(read_image(image, format("images[{}]", quoted(name))));
      out.images.insert_or_assign(name, std::move(one));
    }
  const json::Value* files = members.find("files");
  if (files && !files->is_object()) return fail(members.wrong_type("files", *files, "an object"));
  if (!files) return out;
  const auto of_files = TRY(oci::MembersView::of(*files, "files"));
  for (const auto& [file, names] : files->as_object()) {
    auto keys = TRY(of_files.texts(file));
    std::ranges::sort(keys);
    out.files.insert_or_assign(file, std::move(keys));
  }
  return out;
}

}  // namespace

Result<LockFile> LockFile::parse(const std::string& path, std::string_view text) {
  auto lock = read_lock(text);
  if (lock) return lock;
  return fail(std::move(lock).error().doing(format("reading {}", path)).with_hint("'mica lock' writes it anew when it is removed"));
}

Result<std::optional<LockFile>> LockFile::read(const std::string& path) {
  auto text = sys::read_file(path, kMaxLockBytes);
  if (!text && (text.error().os_number() == ENOENT || text.error().os_number() == ENOTDIR)) return std::nullopt;
  if (!text) return fail(std::move(text).error().doing(format("reading {}", path)));
  auto lock = TRY(parse(path, *text));
  return std::optional(std::move(lock));
}

std::string LockFile::text() const {
  json::Value value = json::Value::object();
  value.set("version", kVersion);
  json::Value all_files = json::Value::object();
  for (const auto& [file, keys] : files) all_files.set(file, json::from(keys));
  value.set("files", std::move(all_files));
  json::Value all_images = json::Value::object();
  for (const auto& [name, image] : images) {
    json::Value one = json::Value::object();
    one.set("reference", image.reference.str());
    one.set("digest", image.digest.str());
    one.set("mediaType", image.media_type);
    if (image.created) one.set("created", rfc3339(*image.created));
    one.set("resolved", rfc3339(image.resolved));
    if (!image.on_build.empty()) one.set("onBuild", json::from(image.on_build));
    all_images.set(name, std::move(one));
  }
  value.set("images", std::move(all_images));
  return json::write_pretty(value, 2) + "\n";
}

void LockFile::tidy() {
  std::set<std::string> needed;
  for (const auto& [file, keys] : files) needed.insert(keys.begin(), keys.end());
  std::erase_if(images, [&](const auto& entry) { return !needed.contains(entry.first); });
}

std::string lock_path_for(const std::string& dockerfile) { return join_path(dir_name(dockerfile), kLockFileName); }

}  // namespace mica::engine
