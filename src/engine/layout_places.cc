#include "engine/layout_places.h"

#include <fcntl.h>

#include "base/format.h"
#include "base/guarded.h"
#include "base/text.h"
#include "engine/checked_blob.h"
#include "engine/document_parts.h"
#include "engine/oci_layout_writer.h"
#include "registry/limits.h"
#include "sys/lock.h"

namespace mica::engine {
namespace {

constexpr std::string_view kRefName = "org.opencontainers.image.ref.name";
constexpr std::string_view kImageName = "io.containerd.image.name";

std::string annotation(const oci::Annotations& annotations, std::string_view key) {
  for (const auto& [name, value] : annotations)
    if (name == key) return value;
  return {};
}

/// What people call an entry.
std::string name_of(const oci::Descriptor& entry) {
  std::string name = annotation(entry.annotations, kImageName);
  return name.empty() ? annotation(entry.annotations, kRefName) : name;
}

bool is_called(const oci::Descriptor& entry, const std::string& name) {
  if (annotation(entry.annotations, kRefName) == name) return true;
  const std::string full = annotation(entry.annotations, kImageName);
  if (full.empty()) return false;
  const auto wanted = oci::Reference::parse(name);
  return full == name || (wanted && wanted->str() == full);
}

class LayoutSource : public ImageSource {
 public:
  LayoutSource(ArchiveFiles files, std::optional<sys::TempDir> temporary, oci::Index index, oci::Descriptor top)
      : temporary_(std::move(temporary)), files_(std::move(files)), index_(std::move(index)), top_(std::move(top)) {}

  Result<oci::Digest> resolve(task::Cancel) override { return top_.digest; }
  Result<registry::Document> top(task::Cancel cancel) override { return document(top_, cancel); }
  Result<registry::Document> document(const oci::Descriptor& what, task::Cancel) override {
    registry::Document out{.digest = what.digest};
    out.bytes = TRY(files_.read(path_of(what.digest), registry::kMaxDocumentBytes));
    if (oci::Digest::of(out.bytes) != what.digest)
      return failf(Errc::corrupt, "a manifest in the layout is damaged\n  expected: {}\n  actual:   {}", what.digest.str(), oci::Digest::of(out.bytes).str());
    out.media_type = TRY(document_type(out.bytes, what.media_type));
    return out;
  }
  Result<std::unique_ptr<registry::Replayable>> blob(const oci::Descriptor& blob, task::Cancel) override {
    auto file = TRY_DOING(files_.open(path_of(blob.digest)), format("reading blob {}", blob.digest.str()));
    return file_blob(std::move(file), blob);
  }
  Result<std::vector<oci::Descriptor>> referrers(const oci::Digest& subject, task::Cancel cancel) override {
    auto known = subjects_.lock();
    if (!*known) {
      *known = Subjects();
      for (const auto& entry : index_.manifests) {
        const auto one = TRY(document(entry, cancel));
        const auto parts = TRY(parts_of(one));
        if (parts.subject) (**known)[*parts.subject].push_back(entry);
      }
    }
    return (**known)[subject];
  }
  Result<std::vector<std::string>> tags(task::Cancel) override {
    std::vector<std::string> out;
    for (const auto& entry : index_.manifests)
      if (std::string name = annotation(entry.annotations, kRefName); !name.empty()) out.push_back(std::move(name));
    return out;
  }
  Result<registry::Document> tagged(const std::string& tag, task::Cancel cancel) override {
    for (const auto& entry : index_.manifests)
      if (is_called(entry, tag)) return document(entry, cancel);
    return failf(Errc::not_found, "the layout has no {}", quoted(tag));
  }

 private:
  using Subjects = std::map<oci::Digest, std::vector<oci::Descriptor>>;
  static std::string path_of(const oci::Digest& digest) { return "blobs/sha256/" + digest.hex(); }

  std::optional<sys::TempDir> temporary_;
  const ArchiveFiles files_;
  const oci::Index index_;
  const oci::Descriptor top_;
  Guarded<std::optional<Subjects>> subjects_;
};

class LayoutTarget : public ImageTarget {
 public:
  LayoutTarget(LayoutFolder folder, std::string name) : folder_(std::move(folder)), name_(std::move(name)) {}

  std::string store() const override { return "oci:" + folder_.path(); }
  Result<std::optional<oci::Digest>> current(const std::string& tag, task::Cancel) override {
    const std::string& name = tag.empty() ? name_ : tag;
    return name.empty() ? std::optional<oci::Digest>() : folder_.find(name);
  }
  Result<bool> has_document(const oci::Digest& digest, task::Cancel) override { return folder_.has(digest); }
  Result<registry::Uploaded> put_blob(const oci::Descriptor& blob, registry::Replayable& body, task::Cancel cancel,
                                      const std::function<void(std::int64_t)>& progress) override {
    registry::Uploaded done{.how = registry::Uploaded::How::existed, .digest = blob.digest, .size = blob.size};
    if (folder_.has(blob.digest, blob.size)) return done;
    const auto bytes = TRY(body.from(0));
    TRY(folder_.put(blob, *bytes, cancel, progress));
    done.how = registry::Uploaded::How::sent;
    return done;
  }
  Result<> put_document(const registry::Document& document, Role role, const std::string& tag, task::Cancel cancel) override {
    TRY(folder_.put(document.digest, document.bytes));
    if (role == Role::part) return {};
    return folder_.enter(document, role == Role::named ? name_ : tag, cancel);
  }

 private:
  LayoutFolder folder_;
  std::string name_;
};

Result<oci::Index> read_index(const ImagePlace& place, const ArchiveFiles& files) {
  if (!files.has("index.json"))
    return fail(Error(Errc::corrupt, format("{} is no OCI layout: it has no index.json", place.str()))
                    .with_hint(files.has("manifest.json") ? "it has a manifest.json: docker-archive: reads it" : ""));
  const std::string text = TRY(files.read("index.json", registry::kMaxDocumentBytes));
  return TRY_DOING(oci::Index::parse(text), format("reading index.json of {}", place.str()));
}

Result<oci::Descriptor> choose(const oci::Index& index, const ImagePlace& place) {
  std::vector<oci::Descriptor> found;
  std::vector<std::string> have;
  for (const auto& entry : index.manifests) {
    if (const std::string name = name_of(entry); !name.empty() && std::find(have.begin(), have.end(), name) == have.end()) have.push_back(name);
    if (!place.name.empty() && !is_called(entry, place.name)) continue;
    if (!place.digest.empty() && entry.digest != place.digest) continue;
    found.push_back(entry);
  }
  if (found.empty() && !place.digest.empty() && place.name.empty()) return oci::Descriptor{.digest = place.digest};   // part of another
  const bool one = !found.empty() && std::all_of(found.begin(), found.end(), [&](const auto& entry) { return entry.digest == found[0].digest; });
  if (one) return found[0];
  Error error = found.empty() ? Error(Errc::not_found, format("{}: no such image in there", place.str()))
                              : Error(Errc::invalid_argument, format("{} holds {} images: name one", place.str(), found.size()));
  if (!have.empty()) return fail(std::move(error).with_hint(format("there is {}", join(have, ", "))));
  return fail(std::move(error));
}

}  // namespace

Result<LayoutFolder> LayoutFolder::open(const std::string& path) {
  TRY(make_layout_folder(path));
  return LayoutFolder(path);
}

bool LayoutFolder::has(const oci::Digest& digest, std::int64_t size) const {
  const auto file = sys::open(blob_path(digest), O_RDONLY | O_NOFOLLOW);
  if (!file) return false;
  const auto status = sys::stat_fd(*file);
  return status && S_ISREG(status->st_mode) && (size < 0 || status->st_size == size);
}

Result<> LayoutFolder::put(const oci::Descriptor& blob, stream::Source& bytes, task::Cancel cancel, const std::function<void(std::int64_t)>& progress) const {
  const std::string partial = format("{}/blobs/sha256/.{}.partial", path_, random_hex(8));
  const auto file = TRY(sys::open(partial, O_CREAT | O_EXCL | O_WRONLY));
  auto write = [&]() -> Result<> {
    std::vector<unsigned char> buffer(stream::kBufferBytes);
    std::int64_t done = 0;
    for (;;) {
      TRY(cancel.check());
      const std::size_t count = TRY(bytes.read(buffer));
      if (count == 0) break;
      TRY(sys::write_all(file, std::span<const unsigned char>(buffer).first(count)));
      done += static_cast<std::int64_t>(count);
      if (progress) progress(done);
    }
    if (done != blob.size) return failf(Errc::corrupt, "blob {} has {} bytes, not {}", blob.digest.str(), done, blob.size);
    TRY(sys::sync(file));
    return sys::rename(partial, blob_path(blob.digest));
  };
  auto written = write();
  if (!written) (void)sys::remove_file(partial);
  return written;
}

Result<> LayoutFolder::put(const oci::Digest& digest, std::string_view bytes) const {
  if (has(digest, static_cast<std::int64_t>(bytes.size()))) return {};
  return sys::write_file_atomically(blob_path(digest), bytes);
}

Result<> LayoutFolder::enter(const registry::Document& document, const std::string& name, task::Cancel cancel) const {
  // index.json is replaced, so the lock is on its neighbour, which never changes.
  const auto lock = TRY(sys::FileLock::acquire(path_ + "/oci-layout", sys::LockMode::exclusive, cancel.fd()));
  const std::string path = path_ + "/index.json";
  json::Value index = json::Value::object();
  if (sys::exists(path)) {
    const std::string text = TRY(sys::read_file(path, registry::kMaxDocumentBytes));
    index = TRY_DOING(json::parse(text), format("reading {}", path));
  } else {
    index.set("schemaVersion", 2);
    index.set("mediaType", oci::kOciIndex);
  }
  if (!index.is_object()) return failf(Errc::corrupt, "{} is no index", quoted(path));
  json::Array entries;
  if (const json::Value* old = index.find("manifests"); old && old->is_array()) entries = old->as_array();
  json::Value entry = json::Value::object();
  entry.set("mediaType", document.media_type);
  entry.set("digest", document.digest.str());
  entry.set("size", static_cast<std::int64_t>(document.bytes.size()));
  if (!name.empty()) entry.set("annotations", json::Object{{std::string(kRefName), name}});
  std::erase_if(entries, [&](const json::Value& one) {
    const json::Value* annotations = one.find("annotations");
    const std::string other = annotations ? annotations->string_or(kRefName) : "";
    return other == name && (!name.empty() || one.string_or("digest") == document.digest.str());
  });
  entries.push_back(std::move(entry));
  index.set("manifests", std::move(entries));
  return sys::write_file_atomically(path, json::write(index));
}

Result<std::optional<oci::Digest>> LayoutFolder::find(const std::string& name) const {
  if (!sys::exists(path_ + "/index.json")) return std::optional<oci::Digest>();
  const std::string text = TRY(sys::read_file(path_ + "/index.json", registry::kMaxDocumentBytes));
  const auto index = TRY_DOING(oci::Index::parse(text), format("reading {}/index.json", path_));
  for (const auto& entry : index.manifests)
    if (annotation(entry.annotations, kRefName) == name && has(entry.digest)) return std::optional(entry.digest);
  return std::optional<oci::Digest>();
}

Result<std::unique_ptr<ImageSource>> layout_source(const ImagePlace& place) {
  auto files = TRY_DOING(ArchiveFiles::folder(place.path), format("opening {}", place.str()));
  return layout_source(place, std::move(files), std::nullopt);
}

Result<std::unique_ptr<ImageSource>> layout_source(const ImagePlace& place, ArchiveFiles files, std::optional<sys::TempDir> temporary) {
  auto index = TRY(read_index(place, files));
  auto top = TRY(choose(index, place));
  return std::make_unique<LayoutSource>(std::move(files), std::move(temporary), std::move(index), std::move(top));
}

Result<std::unique_ptr<ImageTarget>> layout_target(const ImagePlace& place) {
  auto folder = TRY(LayoutFolder::open(place.path));
  return std::make_unique<LayoutTarget>(std::move(folder), place.name);
}

Result<std::vector<std::string>> layout_names(const ImagePlace& place) {
  const auto files = TRY_DOING(ArchiveFiles::folder(place.path), format("opening {}", place.str()));
  const auto index = TRY(read_index(place, files));
  std::vector<std::string> out;
  for (const auto& entry : index.manifests)
    if (std::string name = name_of(entry); !name.empty() && std::find(out.begin(), out.end(), name) == out.end()) out.push_back(std::move(name));
  return out;
}

}  // namespace mica::engine
