// Manifests and indexes: spec, "Pulling manifests", "Pushing Manifests", "Deleting manifests", "Deleting tags".
#include "base/format.h"
#include "registry/server_parts.h"

namespace mica::registry {
namespace {

using http::Reply;

Reply document_reply(const Call& call, StoredDocument document) {
  const std::string mark = format("\"{}\"", document.digest.str());
  Reply out = reply(call.request.header("if-none-match") == mark ? 304 : 200);
  out.headers.emplace_back("Docker-Content-Digest", document.digest.str());
  out.headers.emplace_back("ETag", mark);
  if (out.status == 304) return out;
  out.headers.emplace_back("Content-Type", std::move(document.media_type));
  out.body = std::move(document.bytes);
  return out;
}

bool is_digest(std::string_view reference) { return reference.find(':') != reference.npos; }

class DocumentReceiver : public http::Receiver {
 public:
  DocumentReceiver(RegistryServer::State& server, std::string repository, std::string declared, oci::Digest expected, std::vector<std::string> tags, bool by_digest)
      : server_(server), repository_(std::move(repository)), declared_(std::move(declared)), expected_(std::move(expected)), tags_(std::move(tags)), by_digest_(by_digest) {}

  Result<> take(std::span<const unsigned char> bytes) override {
    if (bytes.size() > kMaxDocumentBytes - bytes_.size()) {
      too_large_ = true;
      return fail(Errc::resource_exhausted, "the document is too large");
    }
    bytes_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  }

  Reply finish() override {
    if (too_large_) return refusal(413, "SIZE_INVALID", format("a document may have {} bytes", kMaxDocumentBytes));
    StoredDocument document{.digest = oci::Digest::of(bytes_), .bytes = std::move(bytes_)};
    if (!expected_.empty() && expected_ != document.digest)
      return refusal(400, "DIGEST_INVALID", format("the document has another digest\n  expected: {}\n  actual:   {}", expected_.str(), document.digest.str()));
    const auto links = read_links(declared_, document.bytes);
    if (!links) return refusal(400, "MANIFEST_INVALID", links.error().text());
    document.media_type = links->media_type;
    if (auto done = server_.storage.put_document(repository_, tags_, document, *links); !done) {
      if (done.error().code() == Errc::invalid_argument) return refusal(400, "MANIFEST_BLOB_UNKNOWN", done.error().text());
      if (done.error().code() == Errc::unsupported || done.error().code() == Errc::corrupt) return refusal(400, "MANIFEST_INVALID", done.error().text());
      return refusal(done.error(), "NAME_UNKNOWN");
    }
    Reply out = reply(201, format("/v2/{}/manifests/{}", repository_, document.digest.str()));
    out.headers.emplace_back("Docker-Content-Digest", document.digest.str());
    if (!links->subject.empty()) out.headers.emplace_back("OCI-Subject", links->subject.str());
    if (by_digest_)
      for (const auto& tag : tags_) out.headers.emplace_back("OCI-Tag", tag);
    return out;
  }

 private:
  RegistryServer::State& server_;
  std::string repository_, declared_;
  oci::Digest expected_;
  std::vector<std::string> tags_;
  bool by_digest_ = false, too_large_ = false;
  std::string bytes_;
};

}  // namespace

namespace {
/// What is missing: the document, or its whole repository.
std::string_view missing_word(const Call& call) {
  const auto tags = call.server.storage.tags(call.route.repository);
  return !tags && tags.error().code() == Errc::not_found ? "NAME_UNKNOWN" : "MANIFEST_UNKNOWN";
}
}  // namespace

Reply get_document(const Call& call) {
  const std::string& reference = call.route.reference;
  if (is_digest(reference)) {
    if (const auto digest = oci::Digest::parse(reference); !digest) return bad_digest(digest.error());
  } else if (!is_tag(reference)) {
    return refusal(404, "MANIFEST_UNKNOWN", format("{} is no tag", quoted(reference)));
  }
  auto document = call.server.storage.document(call.route.repository, reference);
  if (!document) return refusal(document.error(), missing_word(call));
  return document_reply(call, std::move(*document));
}

http::Answer put_document(const Call& call) {
  constexpr std::size_t kMaxTags = 100;
  const std::string& reference = call.route.reference;
  oci::Digest expected;
  std::vector<std::string> tags;
  const bool by_digest = is_digest(reference);
  if (by_digest) {
    auto digest = oci::Digest::parse(reference);
    if (!digest) return bad_digest(digest.error());
    expected = std::move(*digest);
    for (const auto& [name, value] : call.request.query)
      if (name == "tag") tags.push_back(value);
  } else {
    tags.push_back(reference);
  }
  for (const auto& tag : tags)
    if (!is_tag(tag)) return refusal(400, "TAG_INVALID", format("{} is no valid tag", quoted(tag)));
  if (tags.size() > kMaxTags) return refusal(414, "TAG_INVALID", format("at most {} tags at a time", kMaxTags));
  if (call.request.content_length > static_cast<std::int64_t>(kMaxDocumentBytes))
    return refusal(413, "SIZE_INVALID", format("a document may have {} bytes", kMaxDocumentBytes));
  return std::make_unique<DocumentReceiver>(call.server, call.route.repository, std::string(call.request.header("content-type")), std::move(expected),
                                            std::move(tags), by_digest);
}

Reply delete_document(const Call& call) {
  const std::string& reference = call.route.reference;
  Result<> done;
  if (is_digest(reference)) {
    const auto digest = oci::Digest::parse(reference);
    if (!digest) return bad_digest(digest.error());
    done = call.server.storage.remove_document(call.route.repository, *digest);
  } else {
    if (!is_tag(reference)) return refusal(404, "MANIFEST_UNKNOWN", format("{} is no tag", quoted(reference)));
    done = call.server.storage.remove_tag(call.route.repository, reference);
  }
  return done ? reply(202) : refusal(done.error(), "MANIFEST_UNKNOWN");
}

}  // namespace mica::registry
