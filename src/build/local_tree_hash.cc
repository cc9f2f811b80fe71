// Hashing of context files: what no earlier build remembers is read, on the pool.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/format.h"
#include "base/log.h"
#include "base/time.h"
#include "build/local_tree.h"

namespace mica::build {
namespace {

constexpr std::size_t kBuffer = 256 << 10;
constexpr std::size_t kBatchFiles = 64;  // of one task, unless they are large
constexpr std::uint64_t kBatchBytes = 4 << 20;
constexpr int kAttempts = 2;
/// A fifo or terminal put there meanwhile must not make us wait for it.
constexpr int kFileFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;

std::string_view last_part(std::string_view path) { return path.substr(path.rfind('/') + 1); }  // npos + 1 is 0

struct Hashed {
  Sha256Bytes digest;
  std::uint64_t size = 0;
};
Result<Hashed> hash_content(const sys::Fd& file, std::span<unsigned char> buffer, const task::Cancel& stop) {
  Sha256 hash;
  Hashed out;
  for (;;) {
    TRY(stop.check());
    const std::size_t n = TRY(sys::read_full(file, buffer));
    hash.update(buffer.first(n));
    out.size += n;
    if (n < buffer.size()) break;
  }
  out.digest = hash.finish();
  return out;
}

}  // namespace

struct LocalTree::HashJob {
  Node* node;
  Folder* folder;
  LocalEntry entry;
};

Result<> LocalTree::hash(std::span<Node*> files, task::Cancel cancel) {
  std::vector<HashJob> jobs;
  for (Node* node : files) {
    if (node->digest) continue;
    const std::string_view path = node->path;
    Folder& parent = folder(path.substr(0, path.find('/') == path.npos ? 0 : path.rfind('/')));
    auto entry = TRY_DOING(entry_at(parent, last_part(path)), format("reading {}", quoted(path)));
    if (!entry || entry->type != snapshot::Type::file) return failf(Errc::not_found, "{} is not in {}", quoted(path), name());
    if (entry->digest)
      *node = node_of(parent.path, *entry);  // another step hashed it
    else
      jobs.push_back({node, &parent, std::move(*entry)});
  }
  if (jobs.empty()) return {};

  std::vector<std::span<HashJob>> batches;
  for (std::size_t begin = 0, end = 0; begin < jobs.size(); begin = end) {
    for (std::uint64_t bytes = 0; end < jobs.size() && end - begin < kBatchFiles && bytes < kBatchBytes; ++end)
      bytes += jobs[end].entry.stamp.size;
    batches.push_back(std::span(jobs).subspan(begin, end - begin));
  }
  Result<> outcome;
  if (batches.size() == 1 || !tools_.pool) {
    for (std::size_t i = 0; i < batches.size() && outcome; ++i) outcome = hash_batch(batches[i], cancel);
  } else {
    task::Group group(*tools_.pool, cancel);
    for (const auto batch : batches) group.run([this, batch](const task::Cancel& stop) { return hash_batch(batch, stop); });
    outcome = group.wait();
  }
  // Also after an error: what was read need not be read again.
  if (auto saved = save_memory(jobs); !saved) log::debug("saving the memory of file hashes: {}", saved.error().text());
  return outcome;
}

Result<> LocalTree::hash_batch(std::span<HashJob> jobs, const task::Cancel& stop) {
  std::vector<unsigned char> buffer(kBuffer);
  const Folder* opened = nullptr;
  sys::Fd fd;
  for (HashJob& job : jobs) {
    if (job.folder != opened) {
      fd = TRY_DOING(open_folder(job.folder->path, O_PATH | O_DIRECTORY), format("reading {}", quoted(job.node->path)));
      if (!fd) return failf(Errc::not_found, "reading {}: its folder vanished meanwhile", quoted(job.node->path));
      opened = job.folder;
    }
    TRY_DOING(hash_one(fd, job, buffer, stop), format("reading {}", quoted(job.node->path)));
    *job.node = node_of(job.folder->path, job.entry);
    job.folder->contents.lock()->keep(job.entry);
  }
  return {};
}

/// The stamp must be the same before and after. When it is another than the walk saw, the entry is looked at again: what is taken
/// is the file as it is now, all of it.
Result<> LocalTree::hash_one(const sys::Fd& folder, HashJob& job, std::span<unsigned char> buffer, const task::Cancel& stop) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const std::int64_t begun = now().ns;
    auto file = sys::open_at(folder, job.entry.name, kFileFlags);
    if (!file) return fail(may_be_ignored(std::move(file).error(), job.node->path));
    const auto before = TRY(sys::stat_fd(*file));
    if (!S_ISREG(before.st_mode)) return fail(Errc::conflict, "it is no regular file any more");
    const FileStamp stamp = stamp_of(before);
    const Hashed hashed = TRY(hash_content(*file, buffer, stop));
    const auto after = TRY(sys::stat_fd(*file));
    if (stamp_of(after) != stamp || hashed.size != stamp.size) continue;
    if (job.entry.stamp != stamp) {
      auto again = TRY(look_at(folder, job.entry.name, {}));
      if (!again || again->stamp != stamp) continue;
      job.entry = std::move(*again);
    }
    job.entry.digest = hashed.digest;
    job.entry.remembered = is_settled(stamp, begun);
    return {};
  }
  return fail(Error(Errc::conflict, "it changed while it was read")
                  .with_hint("build again when nothing writes to it, or list it in .dockerignore"));
}

/// Rows of the folders in which something was hashed that may be believed next time.
Result<> LocalTree::save_memory(std::span<const HashJob> jobs) {
  if (!hashes_) return {};
  std::vector<Folder*> changed;
  for (const HashJob& job : jobs)
    if (job.entry.remembered) changed.push_back(job.folder);
  std::sort(changed.begin(), changed.end());
  changed.erase(std::unique(changed.begin(), changed.end()), changed.end());
  std::vector<std::pair<FolderId, std::vector<RememberedFile>>> rows;
  for (Folder* folder : changed) {
    auto contents = folder->contents.lock();
    std::vector<RememberedFile> files;
    for (const LocalEntry& entry : contents->entries)
      if (entry.remembered) files.push_back({entry.name, entry.stamp, *entry.digest, entry.xattrs});
    for (const RememberedFile& file : contents->memory)
      if (!contents->find(file.name)) files.push_back(file);
    std::sort(files.begin(), files.end(), [](const RememberedFile& a, const RememberedFile& b) { return a.name < b.name; });
    rows.emplace_back(*contents->id, std::move(files));
  }
  TRY(hashes_->save(rows));
  return hashes_->refresh();
}

}  // namespace mica::build
