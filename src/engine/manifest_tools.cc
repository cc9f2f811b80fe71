#include "engine/manifest_tools.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "engine/document_parts.h"
#include "engine/index_json.h"
#include "engine/remote_documents.h"

namespace mica::engine {
namespace {

/// The ports that programs are built for, by operating system.
constexpr std::pair<std::string_view, std::string_view> kPorts[] = {
    {"linux", "386 amd64 arm arm64 loong64 mips mips64 mips64le mipsle ppc64 ppc64le riscv64 s390x sparc64"},
    {"windows", "386 amd64 arm arm64"},
    {"darwin", "386 amd64 arm arm64"},
    {"freebsd", "386 amd64 arm arm64 riscv64"},
    {"netbsd", "386 amd64 arm arm64"},
    {"openbsd", "386 amd64 arm arm64 mips64 ppc64 riscv64"},
    {"android", "386 amd64 arm arm64"},
    {"ios", "amd64 arm64"},
    {"solaris", "amd64"},
    {"illumos", "amd64"},
    {"aix", "ppc64"},
    {"dragonfly", "amd64"},
    {"plan9", "386 amd64 arm"},
    {"js", "wasm"},
    {"wasip1", "wasm"},
    {"zos", "s390x"},
};

bool is_port(std::string_view os, std::string_view architecture) {
  for (const auto& [name, architectures] : kPorts)
    if (name == os) return std::ranges::count(split_blanks(architectures), architecture) > 0;
  return false;
}

Result<oci::Reference> list_name(const std::string& text) { return TRY_DOING(oci::Reference::parse(text), format("error parsing name for manifest list {}", text)); }

Error no_such(std::string_view name) { return Error(Errc::not_found, format("No such manifest: {}", name)); }

Result<RemoteDocument> read_named(CopySession& session, const std::string& name, bool insecure, task::Cancel cancel) {
  const auto reference = TRY_DOING(oci::Reference::parse(name), name);
  auto read = read_remote_document(session, reference, insecure, cancel);
  if (!read && read.error().code() == Errc::not_found) return fail(std::move(read).error().doing(format("no such manifest: {}", name)));
  return read;
}

Result<ListedManifest> listed(const RemoteDocument& found, task::Cancel cancel) {
  ListedManifest out{.reference = found.reference, .raw = found.document.bytes};
  out.descriptor.set("mediaType", found.document.media_type);
  out.descriptor.set("digest", found.document.digest.str());
  out.descriptor.set("size", static_cast<std::int64_t>(found.document.bytes.size()));
  const auto config = TRY_DOING(read_remote_config(found.repository, found.document, cancel), found.reference.familiar());
  if (config.is_object()) out.descriptor.set("platform", ordered_platform(config));
  return out;
}

/// The bytes that docker prints and pushes.
registry::Document document_of(const ManifestList& list) {
  json::Value value = json::Value::object();
  const bool docker = std::ranges::all_of(list.manifests, [](const auto& one) { return one.descriptor.string_or("mediaType") == oci::kDockerManifest; });
  registry::Document document{.media_type = std::string(docker ? oci::kDockerIndex : oci::kOciIndex)};
  value.set("schemaVersion", 2);
  value.set("mediaType", document.media_type);
  json::Value manifests = json::Value::array();
  for (const auto& one : list.manifests) manifests.push(ordered_descriptor(one.descriptor, MemberOrder::docker));
  value.set("manifests", std::move(manifests));
  document.bytes = indented(value, 3);
  document.digest = oci::Digest::of(document.bytes);
  return document;
}

Result<json::Value> verbose(const ListedManifest& one) {
  json::Value out = json::Value::object();
  out.set("Ref", one.reference.str());
  out.set("Descriptor", ordered_descriptor(one.descriptor, MemberOrder::oci));
  out.set("Raw", base64(one.raw));
  const auto manifest = TRY(json::parse(one.raw));
  out.set(one.descriptor.string_or("mediaType") == oci::kDockerManifest ? "SchemaV2Manifest" : "OCIManifest", ordered_manifest(manifest));
  return out;
}

Result<std::string> show_manifest(const ListedManifest& one, bool with_all) {
  if (!with_all) {
    const auto manifest = TRY(json::parse(one.raw));
    return indented_by_tabs(ordered_manifest(manifest)) + "\n";
  }
  const auto value = TRY(verbose(one));
  return indented_by_tabs(value) + "\n";
}

Result<std::string> show_list(const ManifestList& list, bool with_all) {
  if (!with_all) return document_of(list).bytes + "\n";
  json::Value all = json::Value::array();
  for (const auto& one : list.manifests) {
    auto value = TRY(verbose(one));
    all.push(std::move(value));
  }
  return indented_by_tabs(all) + "\n";
}

/// An index at a registry, in the form of a list: docker shows neither annotations nor the index's own layout.
Result<std::string> show_remote_index(const RemoteDocument& found, bool with_all, task::Cancel cancel) {
  const auto index = TRY(read_index(found.document));
  json::Value value = json::Value::object();
  value.set("schemaVersion", 2);
  value.set("mediaType", found.document.media_type);
  json::Value manifests = json::Value::array();
  ManifestList list{.name = found.reference};
  for (const auto& entry : index.find("manifests")->as_array()) {
    json::Value descriptor = entry;
    descriptor.erase("annotations");
    descriptor.erase("artifactType");
    if (with_all) {
      const auto digest = TRY(oci::Digest::parse(entry.string_or("digest")));
      oci::Reference reference{.registry = found.reference.registry, .path = found.reference.path, .tag = found.reference.tag, .digest = digest};
      auto document = TRY(found.repository.document(reference, cancel));
      list.manifests.push_back({.reference = std::move(reference), .descriptor = std::move(descriptor), .raw = std::move(document.bytes)});
    } else {
      manifests.push(ordered_descriptor(descriptor, MemberOrder::docker));
    }
  }
  if (with_all) return show_list(list, true);
  value.set("manifests", std::move(manifests));
  return indented(value, 3) + "\n";
}

}  // namespace

Result<oci::Reference> create_manifest_list(CopySession& session, const ManifestLists& lists, const CreateManifestList& request, task::Cancel cancel) {
  const auto name = TRY(list_name(request.list));
  const auto refuse = [&]() -> Result<> {
    const auto known = TRY(lists.read(name));
    if (known && !request.amend)
      return fail(Error(Errc::conflict, "refusing to amend an existing manifest list with no --amend flag").with_hint(format("'mica manifest rm {}' begins anew", name.familiar())));
    return {};
  };
  TRY(refuse());
  std::vector<ListedManifest> read(request.manifests.size());
  TRY(run_each(session.pool, cancel, read.size(), 4, [&](std::size_t i, task::Cancel stop) -> Result<> {
    const auto found = TRY(read_named(session, request.manifests[i], request.insecure, stop));
    if (is_index(found.document.media_type))
      return fail(Error(Errc::invalid_argument, format("{} is a manifest list", request.manifests[i]))
                      .with_hint("'mica buildx imagetools create' joins lists; or name one image of it by NAME@DIGEST"));
    read[i] = TRY(listed(found, stop));
    return {};
  }));
  // The registries were asked without the lock: somebody may have made the list meanwhile.
  const auto lock = TRY(lists.lock());
  TRY(refuse());
  auto list = TRY(lists.read(name));
  if (!list) list = ManifestList{.name = name};
  for (auto& one : read) list->put(std::move(one));
  TRY(lists.write(*list));
  return name;
}

Result<> annotate_manifest(const ManifestLists& lists, const AnnotateManifest& request) {
  const auto name = TRY(list_name(request.list));
  const auto manifest = TRY_DOING(oci::Reference::parse(request.manifest), format("error parsing name for manifest {}", request.manifest));
  const auto lock = TRY(lists.lock());
  auto list = TRY(lists.read(name));
  ListedManifest* one = list ? list->find(manifest) : nullptr;
  if (!one) return failf(Errc::not_found, "manifest for image {} does not exist in {}", request.manifest, request.list);
  json::Value platform = one->descriptor.find("platform") ? *one->descriptor.find("platform") : json::Value::object();
  if (!request.os.empty()) platform.set("os", request.os);
  if (!request.architecture.empty()) platform.set("architecture", request.architecture);
  if (!request.variant.empty()) platform.set("variant", request.variant);
  if (!request.os_version.empty()) platform.set("os.version", request.os_version);
  if (!request.os_features.empty()) {
    const json::Value* had = platform.find("os.features");
    std::vector<std::string> features = had ? platform.strings("os.features") : std::vector<std::string>();
    for (const auto& feature : request.os_features)
      if (!std::ranges::count(features, feature)) features.push_back(feature);
    platform.set("os.features", json::from(features));
  }
  const std::string os = platform.string_or("os"), architecture = platform.string_or("architecture");
  if (!is_port(os, architecture)) return failf(Errc::invalid_argument, "manifest entry for image has unsupported os/arch combination: {}/{}", os, architecture);
  one->descriptor.set("platform", ordered_platform(platform));
  return lists.write(*list);
}

Result<std::string> inspect_manifest(CopySession& session, const ManifestLists& lists, const InspectManifest& request, task::Cancel cancel) {
  const auto manifest = TRY_DOING(oci::Reference::parse(request.manifest), request.manifest);
  if (!request.list.empty()) {
    const auto name = TRY(list_name(request.list));
    auto list = TRY(lists.read(name));
    const ListedManifest* one = list ? list->find(manifest) : nullptr;
    if (!one) return fail(no_such(request.manifest));
    return show_manifest(*one, request.verbose);
  }
  const auto list = TRY(lists.read(manifest));
  if (list) return show_list(*list, request.verbose);
  const auto found = TRY(read_named(session, request.manifest, request.insecure, cancel));
  if (is_index(found.document.media_type)) return show_remote_index(found, request.verbose, cancel);
  ListedManifest one{.reference = found.reference, .raw = found.document.bytes};
  if (request.verbose) one = TRY(listed(found, cancel));
  return show_manifest(one, request.verbose);
}

Result<oci::Digest> push_manifest_list(CopySession& session, const ManifestLists& lists, const PushManifestList& request,
                                       const std::function<void(std::string)>& pushed, task::Cancel cancel) {
  const auto name = TRY(list_name(request.list));
  const auto list = TRY(lists.read(name));
  if (!list) return fail(no_such(request.list));
  const auto target = TRY(open_repository(session, name, registry::Access::push, request.insecure));
  for (const auto& one : list->manifests) {
    if (one.reference.repository() == name.repository()) continue;
    const auto source = TRY(open_repository(session, one.reference, registry::Access::pull, request.insecure));
    const auto digest = TRY(oci::Digest::parse(one.descriptor.string_or("digest")));
    TRY_DOING(copy_below(session, source, target, digest, cancel), format("copying {} to {}", one.reference.familiar(), name.familiar_name()));
    pushed(format("{}@{} with digest: {}", name.repository(), digest.str(), digest.str()));
  }
  const auto document = document_of(*list);
  const auto digest = TRY(target.put_document(name, document.media_type, document.bytes, cancel));
  if (request.purge) {
    const auto lock = TRY(lists.lock());
    TRY(lists.remove(name));
  }
  return digest;
}

Result<> remove_manifest_list(const ManifestLists& lists, const std::string& text) {
  const auto name = TRY(list_name(text));
  const auto lock = TRY(lists.lock());
  const bool removed = TRY(lists.remove(name));
  if (!removed) return fail(no_such(text));
  return {};
}

}  // namespace mica::engine
