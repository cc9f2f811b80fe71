#include "engine/cache_entries.h"

#include <fcntl.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <set>

#include "base/format.h"
#include "base/text.h"
#include "build/file_hashes.h"
#include "build/records.h"
#include "engine/collect_garbage.h"
#include "engine/layout.h"
#include "json/json.h"

namespace mica::engine {
namespace {

constexpr std::string_view kCacheFilters[] = {"id", "type", "description", "inuse", "mutable", "immutable", "shared", "private", "until", "parents"};
constexpr std::string_view kCacheMount = "exec.cachemount";
constexpr int kMaxFolderDepth = 512;
constexpr int kForgetDays = 30;   // file hashes of folders that no build looked at for so long

std::int64_t folder_bytes(const sys::Fd& folder, int depth = 0) {
  std::int64_t bytes = 0;
  const auto names = sys::list_names(folder);
  if (!names || depth > kMaxFolderDepth) return 0;
  for (const auto& name : *names) {
    const auto status = sys::lstat_at(folder, name);
    if (!status) continue;
    if (S_ISREG(status->st_mode)) bytes += status->st_size;
    if (!S_ISDIR(status->st_mode)) continue;
    if (const auto inner = sys::open_at(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)) bytes += folder_bytes(*inner, depth + 1);
  }
  return bytes;
}

Result<std::vector<CacheEntry>> cache_mounts(Engine& engine) {
  std::vector<CacheEntry> entries;
  const auto root = sys::open(engine.folder(kCacheMountsFolder), O_RDONLY | O_DIRECTORY);
  if (!root) return entries;
  const auto names = TRY(sys::list_names(*root));
  for (const auto& name : names) {
    const auto folder = sys::open_at(*root, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!folder) continue;
    CacheEntry entry{.id = name, .type = std::string(kCacheMount)};
    const std::string path = engine.folder(kCacheMountsFolder) + "/" + name;
    if (const auto status = sys::stat_fd(*folder)) entry.created = Timestamp::from_seconds(status->st_mtim.tv_sec);
    entry.used = entry.created;
    const auto text = sys::read_file(path + "/mount.json", 1 << 20);
    if (const auto about = text ? json::parse(*text) : Result<json::Value>(json::Value())) {
      entry.description = format("cached mount {}", about->string_or("target", name));
      if (const std::string id = about->string_or("id"); !id.empty() && id != about->string_or("target")) entry.description += format(" with id {}", quoted(id));
      entry.used = Timestamp{about->int_or("used_ns", entry.created.ns)};
    }
    if (const auto data = sys::open_at(*folder, "data", O_RDONLY | O_DIRECTORY | O_NOFOLLOW)) entry.bytes = folder_bytes(*data);
    if (sys::exists(path + "/lock")) entry.in_use = !sys::FileLock::try_acquire(path + "/lock", sys::LockMode::exclusive).has_value();
    entries.push_back(std::move(entry));
  }
  return entries;
}

bool any_equal(const Filters& filters, std::string_view key, const std::string& value) {
  const auto found = filters.find(std::string(key));
  if (found == filters.end()) return true;
  return std::find(found->second.begin(), found->second.end(), value) != found->second.end();
}

/// `shared`, `private`, `inuse` may stand without a value: "shared" is "shared=true".
std::vector<std::string> with_values(std::vector<std::string> words) {
  for (auto& word : words)
    if (word.find('=') == word.npos) word += "=true";
  return words;
}

Result<bool> matches(const CacheEntry& entry, const Filters& filters) {
  if (!any_equal(filters, "type", entry.type)) return false;
  if (const auto ids = filters.find("id"); ids != filters.end())
    if (std::none_of(ids->second.begin(), ids->second.end(), [&](const std::string& id) { return !id.empty() && entry.id.starts_with(id); })) return false;
  if (const auto words = filters.find("description"); words != filters.end())
    if (std::none_of(words->second.begin(), words->second.end(), [&](const std::string& w) { return entry.description.find(w) != w.npos; })) return false;
  const auto shared = TRY(boolean_of(filters, "shared"));
  const auto own = TRY(boolean_of(filters, "private"));
  const auto in_use = TRY(boolean_of(filters, "inuse"));
  const auto is_mutable = TRY(boolean_of(filters, "mutable"));
  const auto immutable = TRY(boolean_of(filters, "immutable"));
  const bool mount = entry.type == kCacheMount;
  if ((shared && *shared != entry.shared) || (own && *own == entry.shared) || (in_use && *in_use != entry.in_use)) return false;
  if ((is_mutable && *is_mutable != mount) || (immutable && *immutable == mount)) return false;
  const auto until = TRY(until_of(filters));
  return !until || entry.used < *until;
}

/// How many bytes must go; nullopt: all that may.
std::optional<std::int64_t> bytes_to_free(Engine& engine, const PruneCache& request, std::int64_t total) {
  if (!request.max_used && !request.reserved && !request.min_free) return std::nullopt;
  std::int64_t excess = 0;
  if (request.max_used) excess = std::max(excess, total - *request.max_used);
  if (request.min_free) {
    struct statvfs disk {};
    if (::statvfs(engine.root().c_str(), &disk) == 0)
      excess = std::max(excess, *request.min_free - static_cast<std::int64_t>(disk.f_bavail) * static_cast<std::int64_t>(disk.f_frsize));
  }
  if (!request.max_used && !request.min_free) excess = total;
  if (request.reserved) excess = std::min(excess, total - *request.reserved);
  return std::max<std::int64_t>(excess, 0);
}

}  // namespace

Result<std::vector<CacheEntry>> cache_entries(Engine& engine, const std::vector<std::string>& words) {
  const Filters filters = TRY(parse_filters(with_values(words), kCacheFilters));
  std::set<std::string> of_images;
  const auto images = TRY(engine.images().list());
  for (const auto& image : images) of_images.insert(image.layers.begin(), image.layers.end());

  std::vector<CacheEntry> all;
  build::Records records(engine.database());
  const auto list = TRY(records.list());
  for (const auto& record : list) {
    CacheEntry entry{.id = record.strong.substr(0, 25), .type = "regular", .description = record.instruction, .bytes = record.bytes,
                     .created = record.created, .used = std::max(record.used, record.created), .record = record.id, .layer = record.layer};
    entry.shared = of_images.count(record.layer) > 0;
    all.push_back(std::move(entry));
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.used < b.used; });
  auto mounts = TRY(cache_mounts(engine));
  std::move(mounts.begin(), mounts.end(), std::back_inserter(all));
  std::vector<CacheEntry> chosen;
  for (auto& entry : all) {
    const bool keep = TRY(matches(entry, filters));
    if (keep) chosen.push_back(std::move(entry));
  }
  return chosen;
}

Result<PrunedCache> prune_cache(Engine& engine, const PruneCache& request) {
  auto entries = TRY(cache_entries(engine, request.filters));
  const bool mounts_named = std::find(request.filters.begin(), request.filters.end(), "type=" + std::string(kCacheMount)) != request.filters.end();
  std::int64_t total = 0;
  for (const auto& entry : entries)
    if (!entry.shared) total += entry.bytes;
  const auto goal = bytes_to_free(engine, request, total);
  if (goal) std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.used < b.used; });

  PrunedCache pruned;
  std::vector<std::int64_t> ids;
  std::int64_t freed = 0;
  for (auto& entry : entries) {
    if (entry.in_use || (goal && freed >= *goal)) continue;
    if (entry.record == 0) {
      if (!request.all && !mounts_named) continue;
      const std::string path = engine.folder(kCacheMountsFolder) + "/" + entry.id;
      const auto lock = sys::FileLock::try_acquire(path + "/lock", sys::LockMode::exclusive);
      if (!lock) continue;
      TRY_DOING(sys::remove_tree(path), format("removing cache mount {}", entry.id));
      pruned.bytes += entry.bytes;
    } else {
      if (entry.shared && !request.all) continue;
      ids.push_back(entry.record);
    }
    if (!entry.shared) freed += entry.bytes;
    pruned.removed.push_back(std::move(entry));
  }
  build::Records records(engine.database());
  if (!ids.empty()) TRY_DOING(records.remove(ids, "prune"), "removing build records");
  TRY_DOING(build::FileHashes(engine.database()).forget(kForgetDays), "forgetting files");
  const auto collected = TRY(collect_garbage(engine, 2000));
  pruned.bytes += collected.bytes;
  pruned.layers_kept = collected.skipped;
  return pruned;
}

}  // namespace mica::engine
