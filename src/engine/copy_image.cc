#include "engine/copy_image.h"

#include <algorithm>
#include <set>

#include "base/format.h"
#include "base/guarded.h"
#include "engine/document_parts.h"

namespace mica::engine {
namespace {

using How = registry::Uploaded::How;

constexpr int kMaxDepth = 8;                       // of indexes in indexes
constexpr std::size_t kMaxDocuments = 100'000;
constexpr int kDocumentsAtOnce = 4;
constexpr std::string_view kCosignEndings[] = {".sig", ".att", ".sbom"};

/// A document that has to be put, and how.
struct Pending {
  registry::Document document;
  ImageTarget::Role role = ImageTarget::Role::part;
  std::string tag;
};

class Copier {
 public:
  Copier(CopySession& session, const CopyImage& request, const TransferEvents& events, task::Cancel cancel)
      : session_(session), request_(request), events_(events), cancel_(std::move(cancel)) {}

  Result<Copied> run() {
    source_ = TRY(open_source(session_, request_.from, cancel_));
    target_ = TRY(open_target(session_, request_.to));
    TRY(choose_platform());
    auto current = TRY(target_->current("", cancel_));
    // Two questions tell that nothing has changed. Where nothing is yet, the second one would be for nothing.
    if (current && !platform_ && !request_.referrers) {
      const auto wanted = TRY(source_->resolve(cancel_));
      if (*current == wanted) return unchanged(wanted);
    }
    auto top = TRY(find_top());
    copied_.digest = top.digest;
    copied_.media_type = top.media_type;
    const bool is_there = current == top.digest;
    if (is_there && !request_.referrers) return unchanged(top.digest);
    if (request_.dry_run) {
      copied_.unchanged = is_there;
      return copied_;
    }
    if (!is_retagged(top)) TRY(gather(top, is_there));
    if (request_.referrers) TRY(gather_referrers());
    TRY(move_blobs());
    TRY(put_documents());
    if (!is_there) TRY(put({.document = std::move(top), .role = ImageTarget::Role::named}, cancel_));
    TRY(target_->finish(cancel_));
    Copied done = *counted_.lock();
    done.digest = copied_.digest;
    done.media_type = copied_.media_type;
    done.unchanged = is_there && done.documents == 0;
    return done;
  }

 private:
  Copied unchanged(const oci::Digest& digest) {
    copied_.digest = digest;
    copied_.unchanged = true;
    return copied_;
  }

  Result<> choose_platform() {
    if (!request_.platform.empty()) platform_ = TRY(oci::Platform::parse(request_.platform));
    else if (target_->takes_one_platform()) platform_ = oci::Platform::host();
    return {};
  }

  /// Source and target are one repository, and it was no mirror that answered: all is there but the name.
  bool is_retagged(const registry::Document& top) const {
    const oci::Reference* source = source_->repository();
    return source && source->registry == target_->store() && source->path == target_->repository() && top.from == source->registry + "/" + source->path;
  }

  /// What the target's name will stand for.
  Result<registry::Document> find_top() {
    auto document = TRY(source_->top(cancel_));
    for (int depth = 0; platform_ && is_index(document.media_type); ++depth) {
      if (depth == kMaxDepth) return fail(Errc::unsupported, "indexes nested too deep");
      const auto index = TRY(oci::Index::parse(document.bytes));
      const auto entry = TRY(choose_entry(index, *platform_));
      document = TRY(source_->document(entry, cancel_));
    }
    return document;
  }

  /// The blobs and documents below `top`, level by level. What the target has is passed over with all that is below it.
  Result<> gather(const registry::Document& top, bool is_there) {
    std::vector<registry::Document> level{top};
    digests_.push_back(top.digest);
    seen_.insert(top.digest);
    for (int depth = 0; !level.empty(); ++depth) {
      if (depth == kMaxDepth) return fail(Errc::unsupported, "indexes nested too deep");
      std::vector<oci::Descriptor> below;
      for (const auto& document : level) {
        auto parts = TRY(parts_of(document));
        if (!is_there) take_blobs(parts);
        for (auto& one : parts.documents)
          if (seen_.insert(one.digest).second) below.push_back(std::move(one));
      }
      if (seen_.size() > kMaxDocuments) return fail(Errc::resource_exhausted, "the index has too many entries");
      level = TRY(read_missing(below, is_there));
      std::vector<Pending> pending;
      for (const auto& document : level) pending.push_back({.document = document});
      levels_.push_back(std::move(pending));
      for (const auto& one : below) digests_.push_back(one.digest);
    }
    return {};
  }

  Result<std::vector<registry::Document>> read_missing(const std::vector<oci::Descriptor>& wanted, bool all_there) {
    std::vector<std::optional<registry::Document>> found(wanted.size());
    if (all_there) return std::vector<registry::Document>();
    TRY(run_each(session_.pool, cancel_, wanted.size(), kDocumentsAtOnce, [&](std::size_t i, task::Cancel stop) -> Result<> {
      const bool there = TRY(target_->has_document(wanted[i].digest, stop));
      if (!there) found[i] = TRY(source_->document(wanted[i], stop));
      return {};
    }));
    std::vector<registry::Document> out;
    for (auto& one : found)
      if (one) out.push_back(std::move(*one));
    return out;
  }

  void take_blobs(const DocumentParts& parts) {
    for (const auto& blob : parts.blobs)
      if (blobs_seen_.insert(blob.digest).second) blobs_.push_back(blob);
    for (const auto& blob : parts.foreign) tell(blob, "Skipped foreign layer");
  }

  /// What refers to the documents found so far, and to that again.
  Result<> gather_referrers() {
    std::vector<Pending> beside;
    for (std::size_t i = 0; i < digests_.size(); ++i) {
      const auto referrers = TRY(source_->referrers(digests_[i], cancel_));
      for (const auto& one : referrers) {
        if (!seen_.insert(one.digest).second) continue;
        digests_.push_back(one.digest);
        const bool there = TRY(target_->has_document(one.digest, cancel_));
        if (there) continue;
        auto document = TRY(source_->document(one, cancel_));
        TRY(take_beside(std::move(document), "", beside));
      }
    }
    TRY(gather_cosign_tags(beside));
    levels_.insert(levels_.begin(), std::move(beside));
    return {};
  }

  Result<> take_beside(registry::Document document, const std::string& tag, std::vector<Pending>& beside) {
    const auto parts = TRY(parts_of(document));
    take_blobs(parts);
    const auto inner = TRY(read_missing(parts.documents, false));
    std::vector<Pending> pending;
    for (const auto& one : inner) {
      const auto below = TRY(parts_of(one));
      take_blobs(below);
      pending.push_back({.document = one});
    }
    if (!pending.empty()) levels_.push_back(std::move(pending));
    beside.push_back({.document = std::move(document), .role = ImageTarget::Role::beside, .tag = tag});
    return {};
  }

  /// cosign's first form of signatures: tags made of the digest that they are about.
  Result<> gather_cosign_tags(std::vector<Pending>& beside) {
    const auto tags = TRY(source_->tags(cancel_));
    const std::set<std::string> have(tags.begin(), tags.end());
    for (const auto& digest : digests_) {
      for (const std::string_view ending : kCosignEndings) {
        const std::string tag = format("sha256-{}{}", digest.hex(), ending);
        if (!have.contains(tag)) continue;
        auto document = TRY(source_->tagged(tag, cancel_));
        const auto there = TRY(target_->current(tag, cancel_));
        if (there != document.digest) TRY(take_beside(std::move(document), tag, beside));
      }
    }
    return {};
  }

  Result<> move_blobs() {
    // The largest first: what comes last should not be what takes longest.
    std::ranges::stable_sort(blobs_, [](const auto& a, const auto& b) { return a.size > b.size; });
    for (const auto& blob : blobs_) tell(blob, "Waiting");
    return run_each(session_.pool, cancel_, blobs_.size(), request_.blobs_at_once, [&](std::size_t i, task::Cancel stop) { return move_blob(blobs_[i], stop); });
  }

  Result<> move_blob(const oci::Descriptor& blob, task::Cancel cancel) {
    const task::Blocking blocking(session_.pool);
    auto claim = TRY(session_.known.claim(target_->store(), blob.digest, cancel));
    const std::string repository = target_->repository();
    if (claim.repositories().contains(repository)) return count(blob, How::existed, "");
    if (const auto from = TRY(mount(blob, claim, cancel)); !from.empty()) {
      claim.is_now_in(repository);
      return count(blob, How::mounted, from);
    }
    for (;;) {
      const auto body = TRY(source_->blob(blob, cancel));
      const auto done = target_->put_blob(blob, *body, cancel, [&](std::int64_t sent) { tell(blob, "Copying", sent); });
      if (!done && done.error().code() == Errc::corrupt && source_->distrust(blob.digest)) continue;
      if (!done) return fail(done.error());
      claim.is_now_in(repository);
      return count(blob, done->how, done->mounted_from);
    }
  }

  /// The repository that the blob was mounted from; empty: none.
  Result<std::string> mount(const oci::Descriptor& blob, const KnownBlobs::Claim& claim, task::Cancel cancel) {
    std::vector<std::string> candidates;
    const oci::Reference* source = source_->repository();
    if (source && source->registry == target_->store() && source->path != target_->repository()) candidates.push_back(source->path);
    else if (!claim.repositories().empty()) candidates.push_back(*claim.repositories().begin());
    for (const auto& from : candidates) {
      if (session_.known.mounts_refused(target_->store(), from)) continue;
      const bool mounted = TRY(target_->mount(blob.digest, from, cancel));
      if (mounted) return from;
      session_.known.refuse_mounts(target_->store(), from);
    }
    return std::string();
  }

  Result<> count(const oci::Descriptor& blob, How how, const std::string& from) {
    {
      auto counted = counted_.lock();
      if (how == How::existed) ++counted->blobs_there;
      if (how == How::mounted) ++counted->blobs_mounted;
      if (how == How::sent) {
        ++counted->blobs_sent;
        counted->bytes_sent += blob.size;
      }
    }
    tell(blob, how == How::existed ? "Already exists" : how == How::mounted ? format("Mounted from {}", from) : "Copied");
    return {};
  }

  /// From the deepest level up; the top comes later.
  Result<> put_documents() {
    for (auto level = levels_.rbegin(); level != levels_.rend(); ++level)
      TRY(run_each(session_.pool, cancel_, level->size(), kDocumentsAtOnce, [&](std::size_t i, task::Cancel stop) { return put((*level)[i], stop); }));
    return {};
  }

  Result<> put(const Pending& pending, task::Cancel cancel) {
    TRY(target_->put_document(pending.document, pending.role, pending.tag, cancel));
    ++counted_.lock()->documents;
    return {};
  }

  void tell(const oci::Descriptor& blob, std::string status, std::int64_t done = 0) {
    if (!events_) return;
    const auto lock = telling_.lock();
    events_({.id = blob.digest.short_hex(), .status = std::move(status), .done = done, .total = done ? blob.size : 0});
  }

  CopySession& session_;
  const CopyImage& request_;
  const TransferEvents& events_;
  task::Cancel cancel_;
  std::unique_ptr<ImageSource> source_;
  std::unique_ptr<ImageTarget> target_;
  std::optional<oci::Platform> platform_;
  Copied copied_;
  Guarded<Copied> counted_;
  Guarded<bool> telling_;
  std::set<oci::Digest> seen_, blobs_seen_;
  std::vector<oci::Digest> digests_;                 // of all documents, the top first
  std::vector<std::vector<Pending>> levels_;         // below the top; referrers of all of them come first in here
  std::vector<oci::Descriptor> blobs_;
};

}  // namespace

Result<Copied> copy_image(CopySession& session, const CopyImage& request, const TransferEvents& events, task::Cancel cancel) {
  return TRY_DOING(Copier(session, request, events, cancel).run(), format("copying {} to {}", request.from.str(), request.to.str()));
}

}  // namespace mica::engine
