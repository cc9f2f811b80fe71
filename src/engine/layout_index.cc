#include "engine/layout_index.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "oci/image.h"
#include "oci/reference.h"
#include "registry/server_routes.h"

namespace mica::engine {
namespace {

constexpr std::string_view kRefName = "org.opencontainers.image.ref.name";
constexpr std::string_view kImageName = "io.containerd.image.name";

struct Name {
  std::string repository, tag;
};

/// "repository:tag" or "repository@digest".
std::optional<Name> split_name(std::string_view text) {
  if (const auto at = text.find('@'); at != text.npos) {
    if (!registry::is_repository_name(text.substr(0, at))) return std::nullopt;
    return Name{.repository = std::string(text.substr(0, at))};
  }
  const auto colon = text.rfind(':');
  if (colon == text.npos || !registry::is_repository_name(text.substr(0, colon)) || !registry::is_tag(text.substr(colon + 1))) return std::nullopt;
  return Name{.repository = std::string(text.substr(0, colon)), .tag = std::string(text.substr(colon + 1))};
}

Name name_of(const json::Value& item, const std::string& home) {
  const auto* annotations = item.find("annotations");
  const std::string ref = annotations ? annotations->string_or(kRefName) : "";
  const std::string full = annotations ? annotations->string_or(kImageName) : "";
  if (auto name = split_name(ref)) return *name;
  if (const auto slash = ref.find('/'); slash != ref.npos && ref.find(':') < slash)
    if (auto name = split_name(std::string_view(ref).substr(slash + 1))) return *name;
  if (!full.empty()) {
    if (const auto reference = oci::Reference::parse(full)) {
      const bool hub = reference->registry == "docker.io";
      return {.repository = hub ? reference->familiar_name() : reference->path, .tag = reference->tag};
    }
  }
  return {.repository = home, .tag = registry::is_tag(ref) ? ref : ""};
}

std::string shown(const LayoutIndex::Entry& entry) {
  return entry.tag.empty() ? format("{}@{}", entry.repository, entry.digest.str()) : format("{}:{}", entry.repository, entry.tag);
}

}  // namespace

LayoutIndex::LayoutIndex() {
  document_.set("schemaVersion", 2);
  document_.set("mediaType", oci::kOciIndex);
  document_.set("manifests", json::Value::array());
}

Result<LayoutIndex> LayoutIndex::parse(std::string_view bytes, const std::string& home) {
  LayoutIndex index;
  index.document_ = TRY(json::parse(bytes, {.bytes = 256 << 20, .values = 20'000'000}));
  if (!index.document_.is_object()) return fail(Errc::corrupt, "it is no JSON object");
  auto* list = index.document_.find("manifests");
  if (!list) list = &index.document_.set("manifests", json::Value::array());
  if (!list->is_array()) return fail(Errc::corrupt, "its member manifests is no list");
  json::Array known;
  for (auto& item : list->as_array()) {
    auto digest = item.is_object() ? oci::Digest::parse(item.string_or("digest")) : fail(Errc::corrupt, "no object");
    if (!digest) {
      index.foreign_.push_back(std::move(item));
      continue;
    }
    Name name = name_of(item, home);
    index.entries_.push_back({.repository = std::move(name.repository), .tag = std::move(name.tag), .digest = std::move(*digest),
                              .media_type = item.string_or("mediaType", oci::kOciManifest), .size = item.int_or("size")});
    known.push_back(std::move(item));
  }
  *list = json::Value(std::move(known));
  return index;
}

bool LayoutIndex::has(const std::string& repository) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.repository == repository; });
}

const LayoutIndex::Entry* LayoutIndex::find_tag(const std::string& repository, std::string_view tag) const {
  // The newest entry of a name counts, if another program has left two.
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry)
    if (entry->tag == tag && entry->repository == repository) return &*entry;
  return nullptr;
}

const LayoutIndex::Entry* LayoutIndex::find(const std::string& repository, const oci::Digest& digest) const {
  for (const Entry& entry : entries_)
    if (entry.digest == digest && entry.repository == repository) return &entry;
  return nullptr;
}

json::Array& LayoutIndex::list() { return document_.find("manifests")->as_array(); }

void LayoutIndex::append(const Entry& entry) {
  json::Value item = json::Value::object();
  item.set("mediaType", entry.media_type);
  item.set("digest", entry.digest.str());
  item.set("size", entry.size);
  list().push_back(std::move(item));
  entries_.push_back(entry);
  rename(entries_.size() - 1, shown(entry));
}

void LayoutIndex::erase(std::size_t index) {
  list().erase(list().begin() + static_cast<std::ptrdiff_t>(index));
  entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(index));
}

void LayoutIndex::rename(std::size_t index, const std::string& name) {
  json::Value& item = list()[index];
  json::Value* annotations = item.find("annotations");
  if (!annotations || !annotations->is_object()) annotations = &item.set("annotations", json::Value::object());
  annotations->set(kRefName, name);
  annotations->erase(kImageName);   // it would name what the entry is no longer
}

void LayoutIndex::put(const Entry& entry) {
  if (entry.tag.empty()) {
    if (!find(entry.repository, entry.digest)) append(entry);
    return;
  }
  if (const Entry* now = find_tag(entry.repository, entry.tag); now && now->digest == entry.digest) return;
  (void)remove_tag(entry.repository, entry.tag);
  for (std::size_t i = entries_.size(); i-- > 0;)
    if (entries_[i].digest == entry.digest && entries_[i].repository == entry.repository && entries_[i].tag.empty()) erase(i);
  append(entry);
}

bool LayoutIndex::remove_tag(const std::string& repository, const std::string& tag) {
  bool found = false;
  for (std::size_t i = entries_.size(); i-- > 0;) {
    if (entries_[i].tag != tag || entries_[i].repository != repository) continue;
    found = true;
    const oci::Digest digest = entries_[i].digest;
    const auto same = std::count_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.digest == digest && e.repository == repository; });
    if (same > 1) {
      erase(i);
      continue;
    }
    entries_[i].tag.clear();
    rename(i, shown(entries_[i]));
  }
  return found;
}

bool LayoutIndex::remove(const std::string& repository, const oci::Digest& digest) {
  const std::size_t before = entries_.size();
  for (std::size_t i = entries_.size(); i-- > 0;)
    if (entries_[i].digest == digest && entries_[i].repository == repository) erase(i);
  return entries_.size() < before;
}

std::string LayoutIndex::write() const {
  json::Value document = document_;
  for (const auto& item : foreign_) document.find("manifests")->push(item);
  return json::write(document);
}

std::string home_repository(std::string_view folder) {
  std::string name;
  for (const char c : to_lower(base_name(folder))) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (plain) name += c;
    else if (!name.empty() && name.back() != '-') name += '-';
  }
  while (name.ends_with('-')) name.pop_back();
  return name.empty() ? "layout" : name.substr(0, 100);
}

}  // namespace mica::engine
