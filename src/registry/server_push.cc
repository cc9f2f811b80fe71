// Blobs in: spec, "Pushing blobs" (in one, by POST and PUT, in chunks), "Mounting a blob from another repository", "Cancel a blob upload".
#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "registry/server_parts.h"

namespace mica::registry {
namespace {

using http::Reply;

/// The spec's end of a range counts the last byte; of nothing, the registry that everybody uses says "0-0".
Reply upload_reply(int status, const Upload& upload) {
  Reply out = reply(status, format("/v2/{}/blobs/uploads/{}", upload.repository, upload.id));
  out.headers.emplace_back("Range", format("0-{}", std::max<std::int64_t>(upload.size(), 1) - 1));
  out.headers.emplace_back("Docker-Upload-UUID", upload.id);
  return out;
}

Reply blob_reply(const std::string& repository, const oci::Digest& digest) {
  Reply out = reply(201, format("/v2/{}/blobs/{}", repository, digest.str()));
  out.headers.emplace_back("Docker-Content-Digest", digest.str());
  return out;
}

Reply unknown_upload() { return refusal(404, "BLOB_UPLOAD_UNKNOWN", "there is no such upload"); }

Reply failed_upload(const Error& error) {
  if (error.code() == Errc::corrupt) return refusal(400, "DIGEST_INVALID", error.text());
  if (error.code() == Errc::conflict) return refusal(409, "BLOB_UPLOAD_INVALID", error.text());
  return refusal(error, "BLOB_UPLOAD_UNKNOWN");
}

struct Part {
  std::int64_t first = 0, last = 0;
};
/// "a-b"; also with unit and total, as HTTP has it elsewhere.
std::optional<Part> parse_part(std::string_view text) {
  text = trim(text);
  if (text.starts_with("bytes")) text = trim(text.substr(5), " =");
  text = text.substr(0, text.find('/'));
  const auto ends = split_once(text, '-');
  if (!ends) return std::nullopt;
  const auto first = parse_int(ends->first), last = parse_int(ends->second);
  if (!first || !last || *first < 0 || *last < *first) return std::nullopt;
  return Part{.first = *first, .last = *last};
}

/// Appends a body to the upload; with a digest it is complete then.
class UploadReceiver : public http::Receiver {
 public:
  UploadReceiver(RegistryServer::State& server, std::shared_ptr<Upload> upload, std::uint64_t claim, std::int64_t length, oci::Digest digest, bool alone)
      : server_(server), upload_(std::move(upload)), claim_(claim), left_(length), digest_(std::move(digest)), alone_(alone) {}
  ~UploadReceiver() override {
    if (alone_) server_.uploads.forget(upload_->id);
  }

  Result<> take(std::span<const unsigned char> bytes) override {
    if (left_ >= 0 && static_cast<std::int64_t>(bytes.size()) > left_) {
      error_ = Error(Errc::invalid_argument, "the body is longer than its Content-Range says");
      return fail(*error_);
    }
    if (left_ >= 0) left_ -= static_cast<std::int64_t>(bytes.size());
    auto done = upload_->append(claim_, bytes);
    if (!done) error_ = done.error();
    return done;
  }

  Reply finish() override {
    if (!error_ && left_ > 0) error_ = Error(Errc::invalid_argument, "the body is shorter than its Content-Range says");
    if (error_ && error_->code() == Errc::invalid_argument) return refusal(400, "SIZE_INVALID", error_->text());
    if (error_) {
      if (error_->code() != Errc::conflict) server_.uploads.forget(upload_->id);
      return failed_upload(*error_);
    }
    if (digest_.empty()) return upload_reply(202, *upload_);
    const auto done = upload_->commit(claim_, digest_);
    if (!done && done.error().code() == Errc::conflict) return failed_upload(done.error());
    server_.uploads.forget(upload_->id);
    return done ? blob_reply(upload_->repository, digest_) : failed_upload(done.error());
  }

 private:
  RegistryServer::State& server_;
  std::shared_ptr<Upload> upload_;
  std::uint64_t claim_;
  std::int64_t left_;                // of a Content-Range; -1: not said
  oci::Digest digest_;
  bool alone_;                       // the session lives for this request only: its client does not know it
  std::optional<Error> error_;
};

/// PATCH and PUT alike: the part must begin where the upload ends.
http::Answer receive(const Call& call, std::shared_ptr<Upload> upload, oci::Digest digest, bool alone = false) {
  const auto header = call.request.header("content-range");
  std::int64_t length = -1;
  const auto claim = upload->claim();
  if (!header.empty()) {
    const auto part = parse_part(header);
    if (!part) return refusal(400, "BLOB_UPLOAD_INVALID", format("{} is no valid Content-Range", quoted(header)));
    length = part->last - part->first + 1;
    if (part->first != claim.size) {
      Reply out = upload_reply(416, *upload);
      out.headers.emplace_back("Content-Type", "application/json");
      out.body = refusal(416, "BLOB_UPLOAD_INVALID", format("the upload goes on at byte {}, not at {}", claim.size, part->first)).body;
      return out;
    }
    if (call.request.content_length >= 0 && call.request.content_length != length)
      return refusal(400, "SIZE_INVALID", format("Content-Range names {} bytes, Content-Length {}", length, call.request.content_length));
  }
  return std::make_unique<UploadReceiver>(call.server, std::move(upload), claim.number, length, std::move(digest), alone);
}

}  // namespace

http::Answer begin_upload(const Call& call) {
  if (const auto mount = call.request.parameter("mount")) {
    const auto digest = oci::Digest::parse(*mount);
    if (!digest) return bad_digest(digest.error());
    const std::string from(call.request.parameter("from").value_or(""));
    if (!from.empty() && !is_repository_name(from)) return refusal(400, "NAME_INVALID", format("{} is no valid repository name", quoted(from)));
    const auto mounted = call.server.storage.mount_blob(call.route.repository, *digest, from);
    if (mounted) return blob_reply(call.route.repository, *digest);
    if (mounted.error().code() != Errc::not_found) return refusal(mounted.error(), "BLOB_UNKNOWN");
  }
  oci::Digest digest;
  if (const auto text = call.request.parameter("digest")) {
    auto parsed = oci::Digest::parse(*text);
    if (!parsed) return bad_digest(parsed.error());
    digest = std::move(*parsed);
  }
  auto upload = call.server.uploads.begin(call.server.storage, call.route.repository);
  if (!upload) {
    if (upload.error().code() == Errc::resource_exhausted) return refusal(429, "TOOMANYREQUESTS", upload.error().text());
    return refusal(upload.error(), "NAME_UNKNOWN");
  }
  if (digest.empty()) return upload_reply(202, **upload);
  return receive(call, std::move(*upload), std::move(digest), true);
}

http::Answer append_upload(const Call& call) {
  auto upload = call.server.uploads.find(call.route.reference, call.route.repository);
  if (!upload) return unknown_upload();
  return receive(call, std::move(upload), {});
}

http::Answer finish_upload(const Call& call) {
  const auto text = call.request.parameter("digest");
  if (!text) return refusal(400, "DIGEST_INVALID", "the upload's digest is missing: PUT ...?digest=sha256:...");
  auto digest = oci::Digest::parse(*text);
  if (!digest) return bad_digest(digest.error());
  auto upload = call.server.uploads.find(call.route.reference, call.route.repository);
  if (!upload) return unknown_upload();
  return receive(call, std::move(upload), std::move(*digest));
}

Reply upload_state(const Call& call) {
  const auto upload = call.server.uploads.find(call.route.reference, call.route.repository);
  return upload ? upload_reply(204, *upload) : unknown_upload();
}

Reply cancel_upload(const Call& call) {
  const auto upload = call.server.uploads.find(call.route.reference, call.route.repository);
  if (!upload) return unknown_upload();
  upload->drop();
  call.server.uploads.forget(upload->id);
  return reply(204);
}

}  // namespace mica::registry
