// Sending blobs.
//
//   there already      HEAD
//   mounted            POST ?mount=D&from=R     201, or 202 with a session that is used for what follows
//   in one request     POST, PUT ?digest=D with the body
//   in pieces          POST, PATCH (one or more), PUT ?digest=D
//
// One request saves a round trip but cannot be resumed and needs the digest beforehand: it is for small blobs. A PATCH that breaks is
// continued at the offset that the session reports (GET), or in a new session. A host that refuses one way is sent the other from then on.
#include <algorithm>

#include "base/format.h"
#include "base/log.h"
#include "base/text.h"
#include "http/location.h"
#include "registry/limits.h"
#include "registry/repository.h"
#include "registry/upload_location.h"
#include "registry/upload_sources.h"

namespace mica::registry {
namespace {

using How = Uploaded::How;

constexpr std::string_view kUploads = "/blobs/uploads/";
constexpr int kMaxMounts = 2;
constexpr int kMaxSessions = 6;                        // opened for one blob without a byte of progress

/// Where an upload goes on. Its URL is the registry's, byte for byte.
struct Target {
  std::string url;
  std::int64_t min_chunk = 0;
};

/// One blob on its way to one place.
class Upload {
 public:
  Upload(Place& place, Replayable& body, oci::Digest known, std::string doing, const std::function<void(std::int64_t)>& progress, const task::Cancel& cancel)
      : place_(place), session_(place.session()), body_(body), digest_(std::move(known)), doing_(std::move(doing)), progress_(progress), cancel_(cancel),
        retry_(place.retry()) {}
  Upload(const Upload&) = delete;

  /// Mounts `digest_` from `from`: true; false: not possible, and there may be an open session now.
  bool mount(const std::string& from) {
    Call call{.method = "POST", .path = std::string(kUploads) + "?mount=" + encoded_digest() + "&from=" + from, .expected = {201, 202}, .doing = doing_,
              .more = Scopes(format("repository:{}:pull", from))};
    Attempt attempt = place_.attempt(call, cancel_);
    if (!attempt.reply) return false;
    if (attempt.reply->status == 202) {
      abort();
      target_ = target_of(*attempt.reply);
    }
    return attempt.reply->status == 201;
  }

  Result<Uploaded> run() {
    while (true) {
      auto sent = run_session();
      if (sent) return Uploaded{.how = How::sent, .digest = digest_, .size = offset_};
      if (!again_) return fail(std::move(sent.error()));
      again_ = false;
    }
  }

  /// A courtesy to the registry; works although we have been cancelled.
  void abort() {
    if (!target_) return;
    const Call call{.method = "DELETE", .url = target_->url, .doing = "cancelling upload", .courtesy = true};
    (void)place_.attempt(call, {});
    target_.reset();
  }

 private:
  std::string encoded_digest() const { return "sha256%3A" + digest_.hex(); }
  const std::string& address() const { return place_.endpoint().address; }

  std::optional<Target> target_of(const Reply& reply) const {
    std::string url = location_of(reply);
    if (url.empty()) return std::nullopt;
    return Target{std::move(url), parse_int(reply.response.header("oci-chunk-min-length")).value_or(0)};
  }

  /// Opens a session unless there is one, sends what is missing, closes it. With an error `again_` says whether to go round once more.
  Result<> run_session() {
    if (!target_) TRY(open());
    const UploadStyle style = session_.style(address());
    const bool sizes_known = !digest_.empty() && body_.size() >= 0;
    if (offset_ == 0 && !style.no_put && ((sizes_known && body_.size() <= kOneRequestBytes) || style.no_patch)) return put_whole();
    TRY(patch_all());
    return close();
  }

  Result<> open() {
    const Call call{.method = "POST", .path = std::string(kUploads), .expected = {202}, .doing = doing_, .answer_timeout_s = kAnswerTimeoutSeconds};
    const Reply reply = TRY(place_.ask(call, cancel_));
    target_ = target_of(reply);
    if (!target_) return fail(Error(Errc::unavailable, format("{} opens an upload without saying where", place_.name())).doing(doing_));
    offset_ = 0;
    ++sessions_;
    return {};
  }

  /// Digest and size; waits until the blob is made.
  Result<> complete() {
    if (digest_.empty() || body_.size() < 0) digest_ = TRY(body_.digest());
    return {};
  }

  Result<std::unique_ptr<stream::Source>> bytes_from(std::int64_t offset, std::int64_t size) const {
    auto source = TRY(body_.from(offset));
    if (size >= 0) source = std::make_unique<FirstBytes>(std::move(source), size);
    return std::make_unique<ToldSource>(std::move(source), offset, progress_);
  }

  Result<> put_whole() {
    TRY(complete());
    const std::int64_t size = body_.size();
    const Call call{.method = "PUT",
                    .url = with_digest(target_->url, digest_),
                    .headers = {{"Content-Type", "application/octet-stream"}},
                    .body = [this, size] { return bytes_from(0, size); },
                    .body_size = size,
                    .body_once = true,
                    .expected = {201, 204},
                    .doing = doing_,
                    .answer_timeout_s = kAnswerTimeoutSeconds};
    Attempt attempt = place_.attempt(call, cancel_);
    if (attempt.reply && (attempt.reply->status == 201 || attempt.reply->status == 204 || attempt.reply->status == 202)) {
      offset_ = size;
      return check_stored(*attempt.reply);
    }
    if (attempt.reply && refuses_way(*attempt.reply) && !session_.style(address()).no_patch) {
      session_.change_style(address(), [](UploadStyle& style) { style.no_put = true; });
      log::debug("{} refuses uploads in one request: status {}", address(), attempt.reply->status);
      return restart(place_.refusal(call, *attempt.reply));
    }
    if (has_arrived(attempt)) return {};
    return wait_and_restart(call, std::move(attempt));
  }

  /// A status that says that this way of uploading is not known, rather than that something is wrong with this blob.
  static bool refuses_way(const Reply& reply) {
    const Refusal refusal = parse_refusal(reply.body);
    if (refusal.has("DIGEST_INVALID") || refusal.has("SIZE_INVALID") || refusal.has("BLOB_UPLOAD_UNKNOWN") || refusal.has("DENIED")) return false;
    return reply.status == 400 || reply.status == 404 || reply.status == 405 || reply.status == 411 || reply.status == 413 || reply.status == 415 || reply.status == 501;
  }

  Result<> patch_all() {
    while (true) {
      const UploadStyle style = session_.style(address());
      if (style.no_chunked || style.small_chunks) TRY(complete());
      const std::int64_t total = body_.size();
      if (total >= 0 && offset_ >= total && (total > 0 || patched_)) return {};
      std::int64_t size = total < 0 ? -1 : total - offset_;
      if (style.small_chunks) size = std::min(size, std::max(kSmallChunkBytes, target_->min_chunk));
      const std::int64_t start = offset_;
      Call call{.method = "PATCH",
                .url = target_->url,
                .headers = {{"Content-Type", "application/octet-stream"}},
                .body = [this, start, size] { return bytes_from(start, size); },
                .body_size = size,
                .body_once = true,
                .expected = {202},
                .doing = doing_,
                .answer_timeout_s = kAnswerTimeoutSeconds};
      // Without it the body is all there is ("streamed"), which registries take that do not know ranges.
      const bool is_part = start > 0 || (total >= 0 && size < total);
      if (is_part && size > 0) call.headers.emplace_back("Content-Range", format("{}-{}", start, start + size - 1));
      if (is_part && size < 0) {
        // The rest of a growing blob has no end to name yet.
        TRY(complete());
        continue;
      }
      Attempt attempt = place_.attempt(call, cancel_);
      if (attempt.reply && is_accepted(attempt.reply->status)) {
        patched_ = true;
        take_location(*attempt.reply);
        const std::int64_t sent_to = start + attempt.reply->sent;
        // A registry that took less says so; one that does not say took all.
        const auto accepted = accepted_bytes(attempt.reply->response.header("range"));
        offset_ = accepted && *accepted > start && *accepted < sent_to ? *accepted : sent_to;
        if (offset_ > start) made_progress(offset_ - start);
        if (total < 0 && offset_ == sent_to) return {};          // the source has ended
        continue;
      }
      TRY(recover(call, std::move(attempt)));
    }
  }

  static bool is_accepted(int status) { return status == 202 || status == 204 || status == 201 || status == 200; }

  void made_progress(std::int64_t bytes) {
    if (bytes < kProgressBytes) return;
    retry_.progress();
    sessions_ = 1;
    renewed_ = false;
  }

  void take_location(const Reply& reply) {
    if (std::string url = location_of(reply); !url.empty()) target_->url = std::move(url);
  }

  /// After a PATCH that was not accepted: the error that stands, or nothing when the next PATCH can go on.
  Result<> recover(const Call& call, Attempt attempt) {
    if (attempt.reply) {
      const Reply& reply = *attempt.reply;
      if (reply.status == 411 && !session_.style(address()).no_chunked) {
        session_.change_style(address(), [](UploadStyle& style) { style.no_chunked = true; });
        return find_offset(place_.refusal(call, reply));
      }
      if (reply.status == 413 && !session_.style(address()).small_chunks) {
        session_.change_style(address(), [](UploadStyle& style) { style.small_chunks = true; });
        return find_offset(place_.refusal(call, reply));
      }
      const bool unknown = parse_refusal(reply.body).has("BLOB_UPLOAD_UNKNOWN");
      if (refuses_way(reply) && offset_ == 0 && !patched_ && !session_.style(address()).no_put) {
        session_.change_style(address(), [](UploadStyle& style) { style.no_patch = true; });
        log::debug("{} refuses PATCH: status {}", address(), reply.status);
        return restart(place_.refusal(call, reply));
      }
      if (reply.status == 404 || unknown) return wait_and_restart(call, std::move(attempt));
      if (reply.status == 416) {
        TRY(wait(call, std::move(attempt), true));
        return find_offset(Error(Errc::conflict, "the registry has another offset").doing(doing_));
      }
    }
    TRY(wait(call, std::move(attempt), false));
    return find_offset(Error(Errc::unavailable, "the upload session is lost").doing(doing_));
  }

  /// Waits before another try, or returns the error of `attempt`.
  Result<> wait(const Call& call, Attempt attempt, bool passing) {
    if (attempt.renewed && !renewed_) {
      renewed_ = true;
      return {};
    }
    if (attempt.renewed) attempt.passing = false;          // refused with new credentials too
    std::optional<std::int64_t> asked;
    if (attempt.reply) {
      attempt.error = place_.refusal(call, *attempt.reply);
      asked = place_.wait_asked(*attempt.reply);
    }
    if (!attempt.passing && !passing) return fail(std::move(*attempt.error));
    cause_ = *attempt.error;
    return retry_.again(std::move(*attempt.error), place_.name(), asked, cancel_);
  }

  /// Asks the session how far it is. One that does not say is left, and a new one begun.
  Result<> find_offset(Error why) {
    const Call call{.url = target_->url, .expected = {204}, .doing = doing_};
    Attempt attempt = place_.attempt(call, cancel_);
    TRY(cancel_.check());
    const auto accepted = attempt.reply && (attempt.reply->status == 204 || attempt.reply->status == 202 || attempt.reply->status == 200) ? accepted_bytes(attempt.reply->response.header("range")) : std::nullopt;
    const std::int64_t total = body_.size();
    if (!accepted || (total >= 0 && *accepted > total)) return restart(std::move(why));
    take_location(*attempt.reply);
    if (*accepted > furthest_) made_progress(*accepted - furthest_);
    furthest_ = std::max(furthest_, *accepted);
    offset_ = *accepted;
    if (progress_) progress_(offset_);
    log::debug("upload of {} goes on at {}", doing_, offset_);
    return {};
  }

  /// Begins again from nothing in a new session.
  Result<> restart(Error why) {
    abort();
    offset_ = 0;
    patched_ = false;
    again_ = sessions_ < kMaxSessions;
    return fail(cause_ ? *cause_ : std::move(why));
  }

  static bool is_lost(const Reply& reply) {
    return reply.status == 404 || reply.status == 416 || parse_refusal(reply.body).has("BLOB_UPLOAD_UNKNOWN");
  }

  Result<> wait_and_restart(const Call& call, Attempt attempt) {
    const bool lost = attempt.reply && is_lost(*attempt.reply);
    TRY(wait(call, std::move(attempt), lost));
    return restart(Error(Errc::unavailable, "the upload session is lost").doing(doing_));
  }

  /// The answer to a closing PUT was lost, or the session went with one that had arrived: the blob may be there.
  bool has_arrived(const Attempt& attempt) {
    if (attempt.reply ? !is_lost(*attempt.reply) : !attempt.passing) return false;
    if (!is_there()) return false;
    offset_ = body_.size();
    target_.reset();
    return true;
  }

  bool is_there() {
    if (digest_.empty()) return false;
    const Attempt head = place_.attempt({.method = "HEAD", .path = "/blobs/" + digest_.str(), .doing = doing_}, cancel_);
    return head.reply && head.reply->status == 200;
  }

  Result<> close() {
    TRY(complete());
    if (offset_ != body_.size())
      return fail(Error(Errc::corrupt, format("{} bytes were sent of a blob of {}", offset_, body_.size())).doing(doing_));
    while (true) {
      const Call call{.method = "PUT", .url = with_digest(target_->url, digest_), .expected = {201, 204}, .doing = doing_, .answer_timeout_s = kAnswerTimeoutSeconds};
      Attempt attempt = place_.attempt(call, cancel_);
      if (attempt.reply && is_accepted(attempt.reply->status)) return check_stored(*attempt.reply);
      if (has_arrived(attempt)) return {};
      if (!attempt.passing) return wait_and_restart(call, std::move(attempt));
      TRY(wait(call, std::move(attempt), false));
      TRY(find_offset(Error(Errc::unavailable, "the upload session is lost").doing(doing_)));
      if (offset_ != body_.size()) TRY(patch_all());
    }
  }

  Result<> check_stored(const Reply& reply) {
    target_.reset();
    const auto stored = oci::Digest::parse(reply.response.header("docker-content-digest"));
    if (stored && *stored != digest_)
      return fail(Error(Errc::corrupt, format("the registry stored other bytes\n  sent:   {}\n  stored: {}", digest_.str(), stored->str())).doing(doing_));
    return {};
  }

  Place& place_;
  Session& session_;
  Replayable& body_;
  oci::Digest digest_;
  const std::string doing_;
  const std::function<void(std::int64_t)>& progress_;
  const task::Cancel& cancel_;
  Retry retry_;
  std::optional<Target> target_;               // the open session
  std::int64_t offset_ = 0;                    // what the session has of the blob
  std::int64_t furthest_ = 0;
  int sessions_ = 0;
  std::optional<Error> cause_;                 // what broke last
  bool patched_ = false;                       // an empty blob needs one PATCH too
  bool renewed_ = false;                       // the credentials, since the last progress
  bool again_ = false;
};

}  // namespace

Result<Uploaded> Repository::upload(const oci::Digest& known, Replayable& body, const std::vector<std::string>& mount_from, task::Cancel cancel,
                                    const std::function<void(std::int64_t)>& progress) const {
  Place& place = state_->last();
  const std::string doing = known.empty() ? format("pushing a blob of {}", state_->name) : state_->doing("pushing blob", known);
  if (!known.empty()) {
    // A registry that cannot answer this may still take the blob.
    const Attempt head = place.attempt({.method = "HEAD", .path = "/blobs/" + known.str(), .doing = doing}, cancel);
    TRY(cancel.check());
    if (head.reply && head.reply->status == 200)
      return Uploaded{.how = How::existed, .digest = known, .size = parse_int(head.reply->response.header("content-length")).value_or(body.size())};
  }
  Upload upload(place, body, known, doing, progress, cancel);
  if (!known.empty()) {
    int tries = 0;
    for (const std::string& from : mount_from) {
      if (from == path() || ++tries > kMaxMounts) continue;
      if (upload.mount(from)) return Uploaded{.how = How::mounted, .mounted_from = from, .digest = known, .size = body.size()};
      TRY(cancel.check());
    }
  }
  auto sent = upload.run();
  if (!sent) upload.abort();
  return sent;
}

Result<bool> Repository::mount(const oci::Digest& digest, const std::string& from_path, task::Cancel cancel) const {
  class Nothing : public Replayable {
   public:
    Result<std::unique_ptr<stream::Source>> from(std::int64_t) override { return std::make_unique<stream::MemorySource>(""); }
    std::int64_t size() const override { return 0; }
    Result<oci::Digest> digest() override { return oci::Digest::of(""); }
  } nothing;
  const std::function<void(std::int64_t)> no_progress;
  Upload upload(state_->last(), nothing, digest, state_->doing("mounting blob", digest), no_progress, cancel);
  const bool mounted = upload.mount(from_path);
  upload.abort();
  TRY(cancel.check());
  return mounted;
}

}  // namespace mica::registry
