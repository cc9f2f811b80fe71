#include "engine/layout_registry.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <functional>
#include <map>
#include <set>

#include "base/format.h"
#include "base/guarded.h"
#include "base/text.h"
#include "engine/document_parts.h"
#include "engine/layout_index.h"
#include "engine/layout_upload.h"
#include "engine/oci_layout_writer.h"
#include "oci/image.h"

namespace mica::engine {
namespace {

using registry::DocumentLinks;
using registry::StoredDocument;
using Entry = LayoutIndex::Entry;

constexpr std::size_t kMaxDocument = 16 << 20, kMaxIndex = 256 << 20, kMaxKnownLinks = 20'000;
constexpr int kMaxDepth = 4;

std::unexpected<Error> no_repository(const std::string& name) { return failf(Errc::not_found, "there is no repository {}", quoted(name)); }

class LayoutRegistry : public registry::Storage {
 public:
  explicit LayoutRegistry(std::string folder) : folder_(std::move(folder)), home_(home_repository(folder_)) {}

  Result<StoredDocument> document(const std::string& repository, const std::string& tag_or_digest) override {
    const auto index = TRY(current());
    if (tag_or_digest.find(':') == tag_or_digest.npos) {
      const Entry* entry = index->find_tag(repository, tag_or_digest);
      if (!entry) return failf(Errc::not_found, "{} has no tag {}", repository, quoted(tag_or_digest));
      return read(entry->digest, entry->media_type);
    }
    const auto digest = TRY(oci::Digest::parse(tag_or_digest));
    if (const Entry* entry = index->find(repository, digest)) return read(digest, entry->media_type);
    std::string media_type;
    visit(*index, repository, [&](const oci::Digest& one, const std::string& type) {
      if (one == digest) media_type = type;
    });
    if (media_type.empty()) return failf(Errc::not_found, "{} has no manifest {}", repository, digest.str());
    return read(digest, media_type);
  }

  Result<> put_document(const std::string& repository, const std::vector<std::string>& tags, const StoredDocument& document,
                        const DocumentLinks& links) override {
    return change([&](LayoutIndex& index) -> Result<> {
      for (const auto& blob : links.blobs) TRY(check_there("blob", blob));
      for (const auto& inner : links.documents) TRY(check_there("manifest", inner));
      if (!size_of(document.digest)) TRY(sys::write_file_atomically(path_of(document.digest), document.bytes));
      Entry entry{.repository = repository, .digest = document.digest, .media_type = document.media_type, .size = static_cast<std::int64_t>(document.bytes.size())};
      if (tags.empty()) index.put(entry);
      for (const auto& tag : tags) {
        entry.tag = tag;
        index.put(entry);
      }
      return {};
    });
  }

  Result<> remove_document(const std::string& repository, const oci::Digest& digest) override {
    return change([&](LayoutIndex& index) -> Result<> {
      if (!index.remove(repository, digest)) return failf(Errc::not_found, "{} has no manifest {}", repository, digest.str());
      return {};
    });
  }

  Result<> remove_tag(const std::string& repository, const std::string& tag) override {
    return change([&](LayoutIndex& index) -> Result<> {
      if (!index.remove_tag(repository, tag)) return failf(Errc::not_found, "{} has no tag {}", repository, quoted(tag));
      return {};
    });
  }

  Result<std::vector<std::string>> tags(const std::string& repository) override {
    const auto index = TRY(current());
    std::set<std::string> found;
    for (const Entry& entry : index->entries())
      if (entry.repository == repository && !entry.tag.empty()) found.insert(entry.tag);
    if (found.empty() && !index->has(repository)) return no_repository(repository);
    return std::vector<std::string>(found.begin(), found.end());
  }

  Result<std::vector<std::string>> repositories() override {
    const auto index = TRY(current());
    std::set<std::string> found;
    for (const Entry& entry : index->entries()) found.insert(entry.repository);
    return std::vector<std::string>(found.begin(), found.end());
  }

  Result<std::vector<StoredDocument>> referrers(const std::string& repository, const oci::Digest& subject) override {
    const auto index = TRY(current());
    std::map<oci::Digest, std::string> found;
    visit(*index, repository, [&](const oci::Digest& digest, const std::string& type) {
      if (const auto links = links_of(digest, type); links && links->subject == subject) found.emplace(digest, type);
    });
    std::vector<StoredDocument> documents;
    for (const auto& [digest, type] : found)
      if (auto document = read(digest, type)) documents.push_back(std::move(*document));
    return documents;
  }

  Result<Blob> blob(const std::string&, const oci::Digest& digest) override {
    auto file = sys::open(path_of(digest), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (!file) {
      if (file.error().code() == Errc::not_found) return failf(Errc::not_found, "there is no blob {}", digest.str());
      return fail(std::move(file).error());
    }
    const auto status = TRY(sys::stat_fd(*file));
    if (!S_ISREG(status.st_mode)) return failf(Errc::corrupt, "{} is no file", path_of(digest));
    return Blob{.file = std::move(*file), .size = status.st_size};
  }

  Result<> remove_blob(const std::string&, const oci::Digest& digest) override {
    const auto lock = TRY(lock_layout(folder_));
    if (!size_of(digest)) return failf(Errc::not_found, "there is no blob {}", digest.str());
    const auto index = TRY(load());
    for (const auto& repository : names_of(index)) {
      bool needed = false;
      visit(index, repository, [&](const oci::Digest& one, const std::string& type) {
        const auto links = links_of(one, type);
        needed = needed || one == digest;
        for (const auto& blob : links ? links->blobs : std::vector<DocumentLinks::Target>{}) needed = needed || blob.digest == digest;
      });
      if (needed) return failf(Errc::conflict, "a manifest of {} needs the blob {}", repository, digest.str());
    }
    return sys::remove_file(path_of(digest));
  }

  Result<> mount_blob(const std::string&, const oci::Digest& digest, const std::string&) override {
    if (!size_of(digest)) return failf(Errc::not_found, "there is no blob {}", digest.str());
    return {};
  }

  Result<std::unique_ptr<registry::StoredUpload>> begin_upload(const std::string&) override { return LayoutUpload::begin(folder_); }

  /// Reads index.json once, so that trouble shows at the start.
  Result<> check() {
    TRY(current());
    return {};
  }

 private:
  struct Known {
    std::string stamp;
    std::shared_ptr<const LayoutIndex> index;
  };
  using Links = std::map<oci::Digest, std::shared_ptr<const DocumentLinks>>;

  std::string path_of(const oci::Digest& digest) const { return format("{}/blobs/sha256/{}", folder_, digest.hex()); }
  std::string index_path() const { return folder_ + "/index.json"; }

  std::optional<std::int64_t> size_of(const oci::Digest& digest) const {
    struct stat status{};
    if (::lstat(path_of(digest).c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
    return status.st_size;
  }

  Result<> check_there(std::string_view what, const DocumentLinks::Target& target) const {
    const auto size = size_of(target.digest);
    if (!size) return failf(Errc::invalid_argument, "the {} {} is not here", what, target.digest.str());
    if (*size != target.size) return failf(Errc::invalid_argument, "the {} {} has {} bytes, not {}", what, target.digest.str(), *size, target.size);
    return {};
  }

  Result<StoredDocument> read(const oci::Digest& digest, const std::string& media_type) const {
    auto bytes = TRY(sys::read_file(path_of(digest), kMaxDocument));
    if (oci::Digest::of(bytes) != digest) return failf(Errc::corrupt, "the file of manifest {} is damaged", digest.str());
    return StoredDocument{.media_type = media_type, .digest = digest, .bytes = std::move(bytes)};
  }

  /// Null for what is not here or no image document. Documents do not change, so what was read once counts for good.
  std::shared_ptr<const DocumentLinks> links_of(const oci::Digest& digest, const std::string& media_type) {
    {
      auto known = links_.lock();
      if (const auto found = known->find(digest); found != known->end()) return found->second;
    }
    const auto document = read(digest, media_type);
    if (!document) return nullptr;
    auto links = registry::read_links(media_type, document->bytes);
    const auto kept = links ? std::make_shared<const DocumentLinks>(std::move(*links)) : nullptr;
    auto known = links_.lock();
    if (known->size() >= kMaxKnownLinks) known->clear();
    known->emplace(digest, kept);
    return kept;
  }

  /// Calls `see` with every document of the repository: its entries, and what indexes among them name.
  void visit(const LayoutIndex& index, const std::string& repository, const std::function<void(const oci::Digest&, const std::string&)>& see) {
    std::set<oci::Digest> seen;
    for (const Entry& entry : index.entries())
      if (entry.repository == repository) visit(entry.digest, entry.media_type, 0, seen, see);
  }
  void visit(const oci::Digest& digest, const std::string& type, int depth, std::set<oci::Digest>& seen,
             const std::function<void(const oci::Digest&, const std::string&)>& see) {
    if (depth > kMaxDepth || !seen.insert(digest).second) return;
    see(digest, type);
    if (!is_index(type)) return;
    const auto links = links_of(digest, type);
    for (const auto& inner : links ? links->documents : std::vector<DocumentLinks::Target>{}) visit(inner.digest, inner.media_type, depth + 1, seen, see);
  }

  std::set<std::string> names_of(const LayoutIndex& index) const {
    std::set<std::string> names;
    for (const Entry& entry : index.entries()) names.insert(entry.repository);
    return names;
  }

  Result<LayoutIndex> load() const {
    const std::string bytes = TRY(sys::read_file(index_path(), kMaxIndex));
    return TRY_DOING(LayoutIndex::parse(bytes, home_), format("reading {}", index_path()));
  }

  /// index.json as it is now, read again only when it is another file.
  Result<std::shared_ptr<const LayoutIndex>> current() {
    struct stat status{};
    if (::stat(index_path().c_str(), &status) != 0) return fail_errno("reading " + index_path());
    const std::string stamp = format("{} {} {} {}", status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
    {
      auto known = known_.lock();
      if (known->index && known->stamp == stamp) return known->index;
    }
    // Should it be replaced between stat and read, the stamp is too old, and the next request reads again.
    auto index = TRY(load());
    auto shared = std::make_shared<const LayoutIndex>(std::move(index));
    *known_.lock() = {.stamp = stamp, .index = shared};
    return shared;
  }

  Result<> change(const std::function<Result<>(LayoutIndex&)>& edit) {
    const auto lock = TRY(lock_layout(folder_));
    auto index = TRY(load());
    TRY(edit(index));
    return sys::write_file_atomically(index_path(), index.write());
  }

  const std::string folder_, home_;
  Guarded<Known> known_;
  Guarded<Links> links_;
};

Result<> make_layout(const std::string& folder) {
  TRY(make_layout_folder(folder));
  const auto lock = TRY(lock_layout(folder));
  if (sys::exists(folder + "/index.json")) return {};
  return sys::write_file_atomically(folder + "/index.json", LayoutIndex().write());
}

}  // namespace

Result<std::unique_ptr<registry::Storage>> layout_registry(const std::string& folder, bool read_only) {
  if (!read_only) {
    TRY_DOING(make_layout(folder), format("opening the layout {}", folder));
    LayoutUpload::sweep(folder);
  }
  auto storage = std::make_unique<LayoutRegistry>(folder);
  TRY_DOING(storage->check(), format("opening the layout {}", folder));
  return storage;
}

}  // namespace mica::engine
