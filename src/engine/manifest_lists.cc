#include "engine/manifest_lists.h"

#include <algorithm>
#include <cerrno>

#include "base/format.h"
#include "base/text.h"
#include "oci/members.h"
#include "sys/fd.h"

namespace mica::engine {
namespace {

constexpr int kVersion = 1;

/// The name that docker's store gives to a manifest's file.
std::string docker_file_name(const oci::Reference& reference) { return replace_all(replace_all(reference.str(), ":", "-"), "/", "_"); }

Result<ListedManifest> read_manifest(const json::Value& value, const std::string& where) {
  const auto members = TRY(oci::MembersView::of(value, where));
  ListedManifest out;
  const auto name = TRY(members.text("reference"));
  out.reference = TRY_DOING(oci::Reference::parse(name, false), members.path("reference"));
  const auto raw = TRY(members.text("raw"));
  out.raw = TRY_DOING(from_base64(raw), members.path("raw"));
  const json::Value* descriptor = members.find("descriptor");
  if (!descriptor || !descriptor->is_object()) return failf(Errc::corrupt, "{} is missing", members.path("descriptor"));
  if (descriptor->string_or("digest") != oci::Digest::of(out.raw).str()) return failf(Errc::corrupt, "{} is not what {} holds", members.path("descriptor"), members.path("raw"));
  out.descriptor = *descriptor;
  return out;
}

}  // namespace

ListedManifest* ManifestList::find(const oci::Reference& reference) {
  const auto found = std::ranges::find(manifests, reference, &ListedManifest::reference);
  return found == manifests.end() ? nullptr : &*found;
}

void ManifestList::put(ListedManifest manifest) {
  if (ListedManifest* known = find(manifest.reference)) *known = std::move(manifest);
  else manifests.push_back(std::move(manifest));
  std::ranges::sort(manifests, {}, [](const ListedManifest& one) { return docker_file_name(one.reference); });
}

// References may be longer than file names.
std::string ManifestLists::path_of(const oci::Reference& name) const { return format("{}/{}.json", folder_, oci::Digest::of(name.str()).hex()); }

Result<sys::FileLock> ManifestLists::lock() const {
  TRY(sys::make_directories(folder_));
  return sys::FileLock::acquire(folder_ + "/lock", sys::LockMode::exclusive);
}

Result<std::optional<ManifestList>> ManifestLists::read(const oci::Reference& name) const {
  const std::string path = path_of(name);
  auto text = sys::read_file(path);
  if (!text && text.error().os_number() == ENOENT) return std::nullopt;
  if (!text) return fail(std::move(text).error().doing(format("reading the manifest list {}", name.str())));
  const auto parse = [&]() -> Result<ManifestList> {
    const auto value = TRY(json::parse(*text));
    const auto members = TRY(oci::MembersView::of(value, ""));
    const auto version = TRY(members.integer("version"));
    if (version != kVersion) return failf(Errc::unsupported, "version {} is not {}, the one that this mica reads", version, kVersion);
    ManifestList list{.name = name};
    const json::Array* manifests = TRY(members.array("manifests"));
    for (std::size_t i = 0; manifests && i < manifests->size(); ++i) {
      auto one = TRY(read_manifest((*manifests)[i], format("manifests[{}]", i)));
      list.manifests.push_back(std::move(one));
    }
    return list;
  };
  auto list = parse();
  if (!list) return fail(std::move(list).error().doing(format("reading the manifest list {} in {}", name.str(), path)).with_hint(format("'mica manifest rm {}' removes it", name.familiar())));
  return std::move(*list);
}

Result<> ManifestLists::write(const ManifestList& list) const {
  json::Value value = json::Value::object();
  value.set("version", kVersion);
  value.set("name", list.name.str());
  json::Value manifests = json::Value::array();
  for (const auto& one : list.manifests) {
    json::Value entry = json::Value::object();
    entry.set("reference", one.reference.str());
    entry.set("descriptor", one.descriptor);
    entry.set("raw", base64(one.raw));
    manifests.push(std::move(entry));
  }
  value.set("manifests", std::move(manifests));
  return sys::write_file_atomically(path_of(list.name), json::write_pretty(value, 2) + "\n");
}

Result<bool> ManifestLists::remove(const oci::Reference& name) const {
  auto removed = sys::remove_file(path_of(name));
  if (removed) return true;
  if (removed.error().os_number() == ENOENT) return false;
  return fail(std::move(removed).error().doing(format("removing the manifest list {}", name.str())));
}

}  // namespace mica::engine
