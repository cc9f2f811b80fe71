// Blobs out and away: spec, "Pulling blobs", "Deleting Blobs".
#include "base/format.h"
#include "registry/server_parts.h"

namespace mica::registry {

using http::Reply;

Reply get_blob(const Call& call) {
  const auto digest = oci::Digest::parse(call.route.reference);
  if (!digest) return bad_digest(digest.error());
  auto blob = call.server.storage.blob(call.route.repository, *digest);
  if (!blob) return refusal(blob.error(), "BLOB_UNKNOWN");
  const std::string mark = format("\"{}\"", digest->str());
  // What a digest names never changes: a range of it is right whenever the condition names this digest, or is none.
  const auto condition = call.request.header("if-range");
  const auto range = http::parse_range(condition.empty() || condition == mark ? call.request.header("range") : "", blob->size);
  Reply out;
  if (call.request.header("if-none-match") == mark) out = reply(304);
  else if (!range.satisfiable) out = refusal(416, "SIZE_INVALID", format("the blob has {} bytes", blob->size));
  else out = reply(range.whole ? 200 : 206);
  if (out.status == 416) out.headers.emplace_back("Content-Range", format("bytes */{}", blob->size));
  if (out.status == 206) out.headers.emplace_back("Content-Range", format("bytes {}-{}/{}", range.offset, range.offset + range.length - 1, blob->size));
  out.headers.emplace_back("Docker-Content-Digest", digest->str());
  out.headers.emplace_back("ETag", mark);
  out.headers.emplace_back("Accept-Ranges", "bytes");
  if (out.status != 200 && out.status != 206) return out;
  out.headers.emplace_back("Content-Type", "application/octet-stream");
  out.headers.emplace_back("Cache-Control", "max-age=31536000");
  out.file = Reply::FilePart{.file = std::move(blob->file), .offset = range.offset, .length = range.length};
  return out;
}

Reply delete_blob(const Call& call) {
  const auto digest = oci::Digest::parse(call.route.reference);
  if (!digest) return bad_digest(digest.error());
  const auto done = call.server.storage.remove_blob(call.route.repository, *digest);
  if (done) return reply(202);
  if (done.error().code() == Errc::conflict) return refusal(405, "UNSUPPORTED", done.error().text());
  return refusal(done.error(), "BLOB_UNKNOWN");
}

}  // namespace mica::registry
