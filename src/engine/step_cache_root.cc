#include "engine/step_cache_root.h"

#include <poll.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/format.h"
#include "base/log.h"
#include "base/time.h"
#include "engine/layer_body.h"

namespace mica::engine {
namespace {

constexpr int kMaxRounds = 8;
constexpr std::size_t kMaxConfigBytes = 64 << 20;      // compressed
constexpr std::int64_t kUsedAgainNs = std::int64_t{86'400} * 1'000'000'000;
constexpr std::int64_t kMaxWaitMs = 1000;

/// Nothing would change but by a little how long ago it was used.
bool says_the_same(const CachedStep& a, CachedStep b) {
  if (b.used.ns - a.used.ns > kUsedAgainNs) return false;
  b.used = a.used;
  b.instruction = a.instruction;   // what was read is made fit for terminals
  return a == b;
}

bool has_all(const CachedSteps& known, const CachedSteps& mine) {
  std::map<std::string_view, const CachedStep*> here;
  for (const auto& step : known) here.emplace(step.strong, &step);
  return std::all_of(mine.begin(), mine.end(), [&](const CachedStep& step) {
    const auto found = here.find(step.strong);
    return found != here.end() && says_the_same(*found->second, step);
  });
}

std::vector<oci::Digest> no_longer_named(const StepCacheRoot& before, const StepCacheRoot& after) {
  std::set<oci::Digest> gone;
  const auto each_blob = [](const StepCacheRoot& root, const auto& visit) {
    if (!root.config.empty()) visit(root.config);
    if (!root.manifest.empty()) visit(oci::Digest::of(root.manifest));
    for (const auto& step : root.steps)
      for (const auto* blob : blobs_of(step)) visit(blob->digest);
  };
  each_blob(before, [&](const oci::Digest& digest) { gone.insert(digest); });
  each_blob(after, [&](const oci::Digest& digest) { gone.erase(digest); });
  return {gone.begin(), gone.end()};
}

/// As long as others may take from looking to writing: about as long as we did.
void let_others_write(std::int64_t ours_ns, const task::Cancel& cancel) {
  pollfd stopped{.fd = cancel.fd(), .events = POLLIN, .revents = 0};
  ::poll(&stopped, 1, static_cast<int>(std::min(ours_ns / 1'000'000 + 1, kMaxWaitMs)));
}

/// Writes it unless another one than `known` is there. False: another one is, or was when we looked afterwards.
Result<bool> replace(CachePlace& place, const StepCacheRoot& known, const StepCacheRoot& next, bool& is_written, const task::Cancel& cancel) {
  const std::int64_t begun = monotonic_ns();
  const auto before = TRY(place.root(cancel));
  if (before.value_or("") != known.manifest) return false;
  TRY(place.set_root(next.manifest, cancel));
  is_written = true;
  let_others_write(monotonic_ns() - begun, cancel);
  const auto after = TRY(place.root(cancel));
  return after && *after == next.manifest;
}

Result<> read_manifest(CachePlace& place, StepCacheRoot& root, const task::Cancel& cancel) {
  auto manifest = TRY(place.root(cancel));
  if (manifest) root.manifest = std::move(*manifest);
  return {};
}

Result<> read_steps(CachePlace& place, StepCacheRoot& root, const task::Cancel& cancel) {
  const auto config = TRY(step_cache_config_of(root.manifest));
  root.config = config.digest;
  const std::string bytes = TRY(place.read(config, kMaxConfigBytes, cancel));
  root.steps = TRY(read_step_cache_config(bytes));
  return {};
}

}  // namespace

bool may_lack_blobs(const Error& error) {
  switch (error.code()) {
    case Errc::cancelled:
    case Errc::unauthorized:
    case Errc::permission_denied:
    case Errc::unavailable:
    case Errc::resource_exhausted: return false;
    default: return true;
  }
}

Result<StepCacheRoot> read_step_cache(CachePlace& place, task::Cancel cancel) {
  StepCacheRoot root;
  TRY(read_manifest(place, root, cancel));
  if (!root.manifest.empty()) TRY(read_steps(place, root, cancel));
  return root;
}

Result<StepCacheRoot> read_step_cache_to_replace(CachePlace& place, task::Cancel cancel) {
  StepCacheRoot root;
  TRY(read_manifest(place, root, cancel));
  if (root.manifest.empty()) return root;
  auto done = read_steps(place, root, cancel);
  if (done) return root;
  if (done.error().code() == Errc::conflict) return fail(std::move(done).error().with_hint("give the cache a name of its own, or remove what is there"));
  if (!may_lack_blobs(done.error())) return fail(std::move(done).error());
  log::debug("the step cache in {} is replaced: {}", place.name(), done.error().text());
  return root;
}

Result<AddedSteps> add_to_step_cache(CachePlace& place, StepCacheRoot known, const CachedSteps& mine, task::Cancel cancel) {
  bool is_written = false;
  for (int round = 0; round < kMaxRounds; ++round) {
    if (has_all(known.steps, mine)) return AddedSteps{.changed = is_written, .total = known.steps.size()};
    StepCacheRoot next{.manifest = {}, .config = {}, .steps = merge_cached_steps(known.steps, mine, now())};
    const std::string bytes = TRY(write_step_cache_config(next.steps));
    next.config = oci::Digest::of(bytes);
    MemoryBody body(bytes);
    auto config = TRY(place.put(next.config, body, cancel));
    config.media_type = kStepCacheType;
    next.manifest = write_step_cache_manifest(config, next.steps);
    const bool done = TRY(replace(place, known, next, is_written, cancel));
    if (done) {
      TRY(place.forget(no_longer_named(known, next)));
      return AddedSteps{.changed = true, .total = next.steps.size()};
    }
    log::debug("somebody else wrote the step cache in {} meanwhile", place.name());
    known = TRY(read_step_cache_to_replace(place, cancel));
  }
  // A registry that shows what was written only after a while looks the same.
  if (is_written) return AddedSteps{.changed = true, .total = known.steps.size()};
  return fail(Errc::unavailable, "others write this cache all the time");
}

}  // namespace mica::engine
