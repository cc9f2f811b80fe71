// Reading blobs across broken connections.
//
// The caller's sink gets every byte once. What breaks is continued by Range; a server that answers 200 to that sends the blob from its
// beginning, and the bytes that are there already are dropped as they come. Each continuation starts at the registry's own URL: where it
// redirects to is often signed for a short time and for one use.
#include "base/format.h"
#include "base/sha256.h"
#include "base/text.h"
#include "registry/bounded_text.h"
#include "registry/limits.h"
#include "registry/repository.h"

namespace mica::registry {
namespace {

struct ContentRange {
  std::int64_t first = 0, last = 0, total = -1;
};
/// "bytes 5-9/10", "bytes 5-9/*".
std::optional<ContentRange> parse_content_range(std::string_view value) {
  value = trim(value);
  if (!to_lower(value.substr(0, 6)).starts_with("bytes ")) return std::nullopt;
  const auto whole = split_once(trim(value.substr(6)), '/');
  if (!whole) return std::nullopt;
  const auto range = split_once(whole->first, '-');
  if (!range) return std::nullopt;
  const auto first = parse_int(range->first), last = parse_int(range->second);
  if (!first || !last || *first < 0 || *last < *first) return std::nullopt;
  return ContentRange{*first, *last, parse_int(whole->second).value_or(-1)};
}

/// One reading of [from, end) of a blob, with its repetitions.
class BlobReader : public stream::Sink {
 public:
  BlobReader(const oci::Descriptor& blob, std::int64_t from, std::int64_t end, stream::Sink& to, const std::function<void(bool)>& accept)
      : blob_(blob), offset_(from), end_(end), to_(to), accept_(accept) {}

  Result<> run(Place& place, const std::string& doing, const task::Cancel& cancel) {
    doing_ = doing;
    Retry retry = place.retry();
    bool without_range = false;
    too_long_ = bad_range_ = false;
    while (!done()) {
      const std::int64_t before = offset_;
      Attempt attempt = request(place, without_range, cancel);
      if (done()) break;
      if (bad_range_ && !without_range) {
        without_range = true;
        continue;
      }
      std::optional<std::int64_t> wait;
      if (attempt.reply) {
        const int status = attempt.reply->status;
        if (status == 416 && !without_range) {
          without_range = true;
          continue;
        }
        if (status == 200 || status == 206) {
          attempt.error = ended_early(place);
          attempt.passing = !is_shorter_;
        } else {
          attempt.error = place.refusal(call_, *attempt.reply);
          wait = place.wait_asked(*attempt.reply);
        }
      }
      if (!attempt.passing) return fail(std::move(*attempt.error));
      if (offset_ - before >= kProgressBytes) retry.progress();
      if (offset_ > 0) attempt.error->doing(format("after {} of {} bytes", offset_, blob_.size));
      TRY(retry.again(std::move(*attempt.error), place.name(), wait, cancel));
    }
    return {};
  }

  Result<> write(std::span<const unsigned char> bytes) override {
    if (drop_ > 0) {
      const auto dropped = std::min<std::int64_t>(drop_, static_cast<std::int64_t>(bytes.size()));
      drop_ -= dropped;
      bytes = bytes.subspan(static_cast<std::size_t>(dropped));
    }
    const auto wanted = std::min<std::int64_t>(end_ - offset_, static_cast<std::int64_t>(bytes.size()));
    if (wanted > 0) {
      TRY(to_.write(bytes.first(static_cast<std::size_t>(wanted))));
      offset_ += wanted;
    }
    if (static_cast<std::int64_t>(bytes.size()) == wanted) return {};
    if (end_ == blob_.size) return fail(too_long());
    return fail(Errc::cancelled, "more than was asked for");   // a server without ranges: done() tells that all is here
  }

 private:
  bool done() const { return offset_ == end_ && !too_long_; }
  Error too_long() {
    too_long_ = true;
    return Error(Errc::corrupt, format("the blob is longer than the {} bytes of its descriptor", blob_.size)).doing(doing_);
  }

  Error ended_early(Place& place) const {
    Error error(is_shorter_ ? Errc::corrupt : Errc::unavailable,
                is_shorter_ ? format("{} has only {} bytes of a blob that is {} long", place.name(), offset_, blob_.size) : format("{} ended the blob early", place.name()));
    return std::move(error).doing(doing_);
  }

  Attempt request(Place& place, bool without_range, const task::Cancel& cancel) {
    call_ = {.path = "/blobs/" + blob_.digest.str(), .headers = {{"Accept-Encoding", "identity"}}, .sink = this, .doing = doing_};
    const bool partial = (offset_ > 0 || end_ < blob_.size) && !without_range;
    if (partial) call_.headers.emplace_back("Range", end_ < blob_.size ? format("bytes={}-{}", offset_, end_ - 1) : format("bytes={}-", offset_));
    drop_ = 0;
    call_.on_headers = [&](const http::Response& response) { return look_at(response); };
    return place.attempt(call_, cancel);
  }

  Result<> look_at(const http::Response& response) {
    if (response.status < 200 || response.status >= 300) return {};
    const auto length = parse_int(response.header("content-length"));
    if (response.status == 206) {
      const auto range = parse_content_range(response.header("content-range"));
      bad_range_ = !range || range->first != offset_;
      if (bad_range_)
        return fail(Error(Errc::unavailable, format("asked for bytes from {} on, got {}", offset_, printable(response.header("content-range"), 100))).doing(doing_));
      if (range->total >= 0 && range->total != blob_.size) return fail(wrong_size(range->total));
    } else {
      if (length && *length > blob_.size) return fail(wrong_size(*length));
      is_shorter_ = length && *length < blob_.size;
      drop_ = offset_;
    }
    if (accept_ && !accepted_) accept_(response.status == 206 || to_lower(response.header("accept-ranges")) == "bytes");
    accepted_ = true;
    return {};
  }
  Error wrong_size(std::int64_t size) const {
    return Error(Errc::corrupt, format("the blob has another size\n  expected: {}\n  offered:  {}", blob_.size, size)).doing(doing_);
  }

  const oci::Descriptor& blob_;
  std::int64_t offset_;                        // the next byte that `to_` needs
  const std::int64_t end_;
  stream::Sink& to_;
  const std::function<void(bool)>& accept_;
  Call call_;
  std::string doing_;
  std::int64_t drop_ = 0;                      // bytes of the running answer that `to_` has already
  bool accepted_ = false, too_long_ = false, bad_range_ = false;
  bool is_shorter_ = false;                    // the server says itself that it has less
};

}  // namespace

Result<> Repository::read_blob(const oci::Descriptor& blob, std::int64_t from, std::int64_t length, stream::Sink& to, task::Cancel cancel,
                               const std::function<void(bool ranges)>& accept) const {
  const std::string doing = state_->doing("reading blob", blob.digest);
  const std::int64_t end = length < 0 ? blob.size : from + length;
  if (blob.size < 0 || from < 0 || from > end || end > blob.size)
    return fail(Error(Errc::invalid_argument, format("no such part of a blob of {} bytes", blob.size)).doing(doing));
  BlobReader reader(blob, from, end, to, accept);
  return state_->anywhere<void>(State::Needs::digest, [&](Place& place) {
    (*state_->gave.lock())[blob.digest] = &place;
    return reader.run(place, doing, cancel);
  });
}

Result<std::string> Repository::read_small(const oci::Descriptor& blob, std::size_t limit, task::Cancel cancel) const {
  const std::string doing = state_->doing("reading blob", blob.digest);
  if (blob.size < 0 || static_cast<std::uint64_t>(blob.size) > limit)
    return fail(Error(Errc::resource_exhausted, format("it has {} bytes; at most {} are read here", blob.size, limit)).doing(doing));
  while (true) {
    BoundedText text(limit);
    TRY(read_blob(blob, 0, -1, text, cancel));
    std::string bytes = text.take();
    const oci::Digest digest = oci::Digest::of(bytes);
    if (digest == blob.digest) return bytes;
    if (!distrust(blob.digest))
      return fail(Error(Errc::corrupt, format("{} sent other bytes\n  expected: {}\n  received: {}", state_->last().name(), blob.digest.str(), digest.str())).doing(doing));
  }
}

Result<std::optional<std::int64_t>> Repository::has_blob(const oci::Digest& digest, task::Cancel cancel) const {
  const Call call{.method = "HEAD", .path = "/blobs/" + digest.str(), .expected = {200, 404}, .doing = state_->doing("looking for blob", digest)};
  return state_->anywhere<std::optional<std::int64_t>>(State::Needs::digest, [&](Place& place) -> Result<std::optional<std::int64_t>> {
    const Reply reply = TRY(place.ask(call, cancel));
    if (reply.status == 404) return std::nullopt;
    return std::optional(parse_int(reply.response.header("content-length")).value_or(-1));
  });
}

}  // namespace mica::registry
