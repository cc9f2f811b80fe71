#include "engine/sync_images.h"

#include <map>

#include "base/format.h"
#include "base/guarded.h"
#include "base/sha256.h"
#include "base/text.h"
#include "base/time.h"
#include "engine/sync_journal.h"
#include "engine/tag_patterns.h"

namespace mica::engine {
namespace {

constexpr int kBlobsAtOnce = 8;                     // of all images under way together: registries refuse who asks for much more

struct Pair {
  ImagePlace from, to;
  std::optional<Error> error;                       // a rule that could not be spelt out
  std::string from_text, to_text;
};

Error at(const SyncRule& rule, Error error) { return rule.where.empty() ? std::move(error) : std::move(error.doing(rule.where)); }

/// Repository path and tag by which an image is known where it comes from. Names in layouts are tags or whole references.
oci::Reference name_of(const ImagePlace& from) {
  if (from.kind == ImagePlace::Kind::registry) return from.reference;
  oci::Reference out{.path = to_lower(base_name(from.path)), .tag = from.name};
  if (from.name.find_first_of(":/") == from.name.npos) return out;
  if (auto whole = oci::Reference::parse(from.name)) out = std::move(*whole);
  return out;
}

/// Where an image of the rule goes to: the rule's target or one below `prefix`, with the source's tag unless the target has one.
Result<ImagePlace> target_of(const SyncRule& rule, const ImagePlace& from, const std::string& prefix, bool from_pattern) {
  if (rule.to.empty() && prefix.empty())
    return fail(Error(Errc::invalid_argument, format("{} has no target", quoted(rule.from))).with_hint("write one behind it, or name a common one with --to"));
  const oci::Reference name = name_of(from);
  // One layout holds many repositories: whole names tell them apart.
  if (rule.to.empty() && prefix.starts_with("oci:"))
    return ImagePlace{.kind = ImagePlace::Kind::layout, .path = prefix.substr(4), .name = name.registry.empty() ? name.tag : name.familiar()};
  const std::string text = !rule.to.empty() ? rule.to : format("{}/{}", prefix, name.path);
  auto to = TRY(ImagePlace::parse(text, false));
  if (to.kind == ImagePlace::Kind::oci_archive || to.kind == ImagePlace::Kind::docker_archive)
    return failf(Errc::invalid_argument, "{}: an archive holds what one copy writes: sync to a registry or a layout", quoted(text));
  if (to.kind == ImagePlace::Kind::registry) {
    if (!to.reference.tag.empty() && from_pattern) return failf(Errc::invalid_argument, "{}: a target of several tags has none of its own", quoted(text));
    if (to.reference.tag.empty() && to.reference.digest.empty()) {
      to.reference.tag = name.tag.empty() && name.digest.empty() ? "latest" : name.tag;
      if (name.tag.empty()) to.reference.digest = name.digest;
    }
  } else if (to.name.empty()) {
    to.name = name.tag;
  } else if (from_pattern) {
    return failf(Errc::invalid_argument, "{}: a target of several tags has none of its own", quoted(text));
  }
  return to;
}

class Syncer {
 public:
  Syncer(CopySession& session, const SyncImages& request, const std::function<void(const Synced&)>& tell, task::Cancel cancel)
      : session_(session), request_(request), tell_(tell), cancel_(std::move(cancel)) {}

  Result<std::vector<Synced>> run() {
    if (!request_.platform.empty()) TRY(oci::Platform::parse(request_.platform));
    if (!request_.journal.empty() && !request_.dry_run) journal_ = TRY(SyncJournal::open(request_.journal, list_id()));
    TRY(spell_out());
    TRY(check_targets());
    for (const auto& pair : pairs_) done_.push_back({.from = pair.from_text, .to = pair.to_text});
    const int images = std::max(1, request_.images_at_once);
    const auto ran = run_each(session_.pool, cancel_, pairs_.size(), images, [&](std::size_t i, task::Cancel stop) { return one(i, std::max(1, kBlobsAtOnce / images), stop); });
    if (!ran && ran.error().code() != Errc::cancelled) return fail(ran.error());
    if (ran && journal_) TRY(end_journal());
    return std::move(done_);
  }

 private:
  std::string list_id() const {
    Sha256 hash;
    for (const auto& rule : request_.rules) hash.field(rule.from).field(rule.to);
    hash.field(request_.to).field(request_.platform).field(std::to_string(request_.newest)).field(request_.referrers ? "referrers" : "");
    return hash.finish_hex();
  }

  Result<> spell_out() {
    for (const auto& rule : request_.rules) {
      auto added = add(rule);
      if (!added) return fail(at(rule, std::move(added.error())));
    }
    return {};
  }

  Result<> add(const SyncRule& rule) {
    const auto [repository, pattern] = split_pattern(rule.from);
    auto from = TRY(ImagePlace::parse(repository, pattern.empty()));
    if (pattern.empty()) return add(rule, std::move(from), false);
    if (from.kind != ImagePlace::Kind::registry && from.kind != ImagePlace::Kind::layout) return failf(Errc::invalid_argument, "{}: an archive has no tags to choose from", quoted(rule.from));
    TRY(target_of(rule, from, request_.to, true));
    auto tags = list_tags(from);
    if (!tags) {
      if (tags.error().code() == Errc::cancelled) return fail(std::move(tags.error()));
      add_failed(rule, std::move(tags.error()));
      return {};
    }
    const auto chosen = matching_tags(*tags, pattern, request_.newest);
    if (chosen.empty()) add_failed(rule, Error(Errc::not_found, format("no tag of {} matches {}", repository, quoted(pattern))));
    for (const auto& tag : chosen) {
      ImagePlace one = from;
      (from.kind == ImagePlace::Kind::registry ? one.reference.tag : one.name) = tag;
      TRY(add(rule, std::move(one), true));
    }
    return {};
  }

  Result<> add(const SyncRule& rule, ImagePlace from, bool from_pattern) {
    auto to = TRY(target_of(rule, from, request_.to, from_pattern));
    Pair pair{.from_text = from.str(), .to_text = to.str()};
    pair.from = std::move(from);
    pair.to = std::move(to);
    pairs_.push_back(std::move(pair));
    return {};
  }

  void add_failed(const SyncRule& rule, Error error) {
    pairs_.push_back({.error = std::move(error), .from_text = rule.from, .to_text = rule.to.empty() ? request_.to : rule.to});
  }

  Result<std::vector<std::string>> list_tags(const ImagePlace& place) {
    if (place.kind == ImagePlace::Kind::registry) {
      const auto repository = TRY(session_.registry.open(place.reference, registry::Access::pull));
      return repository.tags(cancel_);
    }
    return layout_names(place);
  }

  /// Two rules may say the same; two images for one name would take it from each other at each run.
  Result<> check_targets() {
    std::map<std::string, std::string> sources;
    std::vector<Pair> kept;
    for (auto& pair : pairs_) {
      const auto [found, is_new] = sources.emplace(pair.to_text, pair.from_text);
      if (!pair.error && found->second != pair.from_text) return failf(Errc::invalid_argument, "{} and {} have one target, {}", found->second, pair.from_text, pair.to_text);
      if (is_new || pair.error) kept.push_back(std::move(pair));
    }
    pairs_ = std::move(kept);
    return {};
  }

  Result<> one(std::size_t i, int blobs_at_once, task::Cancel cancel) {
    const Pair& pair = pairs_[i];
    Synced& result = done_[i];
    const std::int64_t begin = monotonic_ns();
    if (pair.error) fail_with(result, *pair.error);
    else if (journal_ && journal_->has_done(result.from, result.to)) result.status = SyncStatus::done_before;
    else {
      auto copied = copy_image(session_,
                               {.from = pair.from, .to = pair.to, .platform = request_.platform, .referrers = request_.referrers, .dry_run = request_.dry_run, .blobs_at_once = blobs_at_once},
                               {}, cancel);
      if (!copied && copied.error().code() == Errc::cancelled && cancel.stopped()) return fail(std::move(copied.error()));
      if (copied) {
        result.copied = *copied;
        result.status = copied->unchanged ? SyncStatus::unchanged : SyncStatus::copied;
      } else {
        fail_with(result, copied.error());
      }
    }
    result.ns = monotonic_ns() - begin;
    if (journal_ && result.status != SyncStatus::done_before) TRY(write_down(result));
    const auto lock = telling_.lock();
    if (tell_) tell_(result);
    return {};
  }

  static void fail_with(Synced& result, const Error& error) {
    result.status = SyncStatus::failed;
    result.error = error.text();
    if (!error.hint().empty()) result.error += format(" (hint: {})", error.hint());
  }

  Result<> write_down(const Synced& result) {
    json::Value event = json::Value::object();
    event.set("event", result.status == SyncStatus::failed ? "failed" : "done");
    event.set("from", result.from);
    event.set("to", result.to);
    if (result.status == SyncStatus::failed) {
      event.set("error", result.error);
    } else {
      event.set("status", name(result.status));
      event.set("digest", result.copied.digest.str());
      event.set("bytes", result.copied.bytes_sent);
    }
    return journal_->add(std::move(event));
  }

  Result<> end_journal() {
    std::int64_t failed = 0;
    for (const auto& result : done_) failed += result.status == SyncStatus::failed;
    json::Value event = json::Value::object();
    event.set("event", "end");
    event.set("failed", failed);
    return journal_->add(std::move(event));
  }

  CopySession& session_;
  const SyncImages& request_;
  const std::function<void(const Synced&)>& tell_;
  task::Cancel cancel_;
  std::unique_ptr<SyncJournal> journal_;
  std::vector<Pair> pairs_;
  std::vector<Synced> done_;
  Guarded<bool> telling_;
};

}  // namespace

std::string_view name(SyncStatus status) {
  switch (status) {
    case SyncStatus::copied: return "copied";
    case SyncStatus::unchanged: return "unchanged";
    case SyncStatus::done_before: return "done before";
    case SyncStatus::failed: return "failed";
    case SyncStatus::cancelled: return "cancelled";
  }
  return "";
}

Result<std::vector<SyncRule>> parse_sync_list(const std::string& file, std::string_view text) {
  std::vector<SyncRule> out;
  int number = 0;
  for (std::string_view line : split(text, '\n')) {
    ++number;
    if (const auto comment = line.find('#'); comment != line.npos && (comment == 0 || line[comment - 1] == ' ' || line[comment - 1] == '\t')) line = line.substr(0, comment);
    const auto words = split_blanks(line);
    if (words.empty()) continue;
    if (words.size() > 2) return fail(Error(Errc::invalid_argument, "a line is SOURCE [TARGET]").at({.file = file, .line = number}));
    out.push_back({.from = std::string(words[0]), .to = words.size() > 1 ? std::string(words[1]) : "", .where = format("{}:{}", file, number)});
  }
  return out;
}

Result<std::vector<Synced>> sync_images(CopySession& session, const SyncImages& request, const std::function<void(const Synced&)>& tell, task::Cancel cancel) {
  return Syncer(session, request, tell, cancel).run();
}

}  // namespace mica::engine
