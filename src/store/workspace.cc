#include "store/workspace.h"

#include <fcntl.h>

#include "base/format.h"
#include "base/log.h"
#include "base/text.h"
#include "sys/fault.h"

namespace mica::store {

const std::string_view kLeaseSchemaSql =
    "CREATE TABLE lease (\n"
    "  token TEXT NOT NULL,\n"
    "  layer TEXT NOT NULL,\n"
    "  PRIMARY KEY (token, layer)\n"
    ") STRICT, WITHOUT ROWID;\n";

namespace {

constexpr int kTokenBytes = 8;
constexpr std::string_view kDead = ".dead";   // end of the name of a folder that is being removed

std::string ingest_folder(const std::string& root) { return root + "/ingest"; }
std::string lock_path(const std::string& folder) { return folder + "/lock"; }

/// Bytes of the files in a folder that nobody changes any more; what cannot be read counts as nothing.
std::int64_t folder_bytes(const sys::Fd& top) {
  std::int64_t bytes = 0;
  std::vector<std::string> paths = {"."};
  while (!paths.empty()) {
    const std::string path = std::move(paths.back());
    paths.pop_back();
    const auto folder = sys::open_strict(top, path, O_RDONLY | O_DIRECTORY);
    if (!folder) continue;
    const auto names = sys::list_names(*folder);
    if (!names) continue;
    for (const std::string& name : *names) {
      const auto found = sys::lstat_at(*folder, name);
      if (!found) continue;
      if (S_ISDIR(found->st_mode)) paths.push_back(path + "/" + name);
      else bytes += found->st_blocks * 512;
    }
  }
  return bytes;
}

Result<std::vector<std::string>> tokens(const std::string& root) {
  auto folder = sys::open(ingest_folder(root), O_RDONLY | O_DIRECTORY);
  if (folder) return sys::list_names(*folder);
  if (folder.error().code() == Errc::not_found) return std::vector<std::string>();
  return fail(std::move(folder).error());
}

bool is_live(const std::string& folder) {
  if (!sys::exists(lock_path(folder))) return false;
  const auto lock = sys::FileLock::try_acquire(lock_path(folder), sys::LockMode::shared);
  // Any other failure leaves open whether somebody lives.
  return !lock && lock.error().code() != Errc::not_found;
}

/// Removes the folder unless its process lives.
Result<std::int64_t> sweep_folder(const std::string& folder) {
  const auto lock = sys::FileLock::try_acquire(lock_path(folder), sys::LockMode::exclusive);
  if (!lock) return lock.error().code() == Errc::conflict || lock.error().code() == Errc::not_found ? Result<std::int64_t>(0) : fail(lock.error());
  const auto top = TRY(sys::open(folder, O_RDONLY | O_DIRECTORY));
  const std::int64_t bytes = folder_bytes(top);
  // Out of the way first: a process that has just made the folder, and comes for its lock while the old one is removed, would make a new lock in it and lose both.
  std::string dead = folder;
  if (!folder.ends_with(kDead)) {
    dead += kDead;
    TRY(sys::rename(folder, dead));
  }
  TRY(sys::remove_tree(dead));
  return bytes;
}

}  // namespace

Workspace::Workspace(std::string path, std::string token, sys::FileLock lock)
    : path_(std::move(path)), token_(std::move(token)), lock_(std::move(lock)) {}

Workspace::~Workspace() {
  if (!lock_.fd()) return;
  if (auto done = sys::remove_tree(path_); !done) log::debug("workspace: {}", done.error().text());
}

Result<Workspace> Workspace::create(const std::string& root) {
  while (true) {
    std::string token = random_hex(kTokenBytes);
    std::string path = ingest_folder(root) + "/" + token;
    TRY(sys::make_directories(path, 0700));
    sys::crash_point("workspace folder made");
    auto lock = sys::FileLock::try_acquire(lock_path(path), sys::LockMode::exclusive);
    if (lock) return Workspace(std::move(path), std::move(token), std::move(*lock));
    // A sweeper was faster.
    if (lock.error().code() != Errc::conflict && lock.error().code() != Errc::not_found) return fail(std::move(lock).error());
  }
}

Result<> Workspace::lease(Guarded<db::Database>& database, const std::vector<std::string>& layers) {
  auto connection = database.lock();
  auto transaction = TRY(connection->begin());
  auto known = TRY(connection->prepare("SELECT 1 FROM layer WHERE id = ?"));
  auto insert = TRY(connection->prepare("INSERT OR IGNORE INTO lease (token, layer) VALUES (?, ?)"));
  for (const std::string& layer : layers) {
    const bool exists = TRY(known.reset().bind(layer).step());
    if (!exists) return failf(Errc::not_found, "layer {} is not in the store any more", layer);
    TRY(insert.reset().bind(token_).bind(layer).run());
  }
  TRY(sys::fault_point("lease rows written"));
  return std::move(transaction).commit();
}

Result<> Workspace::release(Guarded<db::Database>& database) {
  auto connection = database.lock();
  // Reading waits for nobody, writing for every other writer; most processes hold no lease.
  auto held = TRY(connection->prepare("SELECT 1 FROM lease WHERE token = ? LIMIT 1"));
  const bool any = TRY(held.bind(token_).step());
  held.reset();
  if (!any) return {};
  auto drop = TRY(connection->prepare("DELETE FROM lease WHERE token = ?"));
  return drop.bind(token_).run();
}

Result<std::int64_t> Workspace::sweep_dead(const std::string& root, Guarded<db::Database>& database) {
  // Leases first, then who lives: a process that starts meanwhile is not among the holders looked at.
  std::vector<std::string> holders;
  {
    auto connection = database.lock();
    auto rows = TRY(connection->prepare("SELECT DISTINCT token FROM lease"));
    while (TRY(rows.step())) holders.push_back(rows.text(0));
  }
  std::int64_t bytes = 0;
  const auto found = TRY(tokens(root));
  for (const std::string& token : found) {
    const auto freed = sweep_folder(ingest_folder(root) + "/" + token);
    // One that cannot be removed must not keep the others.
    if (freed) bytes += *freed;
    else log::debug("sweeping workspace {}: {}", token, freed.error().text());
  }
  std::erase_if(holders, [&](const std::string& token) { return is_live(ingest_folder(root) + "/" + token); });
  if (holders.empty()) return bytes;
  auto connection = database.lock();
  auto transaction = TRY(connection->begin());
  auto drop = TRY(connection->prepare("DELETE FROM lease WHERE token = ?"));
  for (const std::string& token : holders) TRY(drop.reset().bind(token).run());
  TRY(std::move(transaction).commit());
  return bytes;
}

Result<std::vector<std::string>> Workspace::live_tokens(const std::string& root) {
  auto live = TRY(tokens(root));
  std::erase_if(live, [&](const std::string& token) { return !is_live(ingest_folder(root) + "/" + token); });
  return live;
}

}  // namespace mica::store
