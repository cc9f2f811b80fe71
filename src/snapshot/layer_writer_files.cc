// Regular files and hard links of a LayerWriter.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "base/format.h"
#include "snapshot/layer_writer-impl.h"

namespace mica::snapshot {
namespace {

constexpr std::size_t kBatchFiles = 64;
constexpr std::uint64_t kBatchBytes = 4 << 20;

struct Work {
  FileJob* job;
  LayerNode* node;
  const sys::Fd* source_dir;
  Placed placed;
};

Result<> place_all(const LayerDisk& disk, PlacerMemory& memory, std::span<Work> works, const task::Cancel& stop) {
  FilePlacer placer(disk, memory);
  for (Work& work : works) {
    TRY(stop.check());
    work.placed = TRY(placer.from_file(*work.job, work.source_dir));
  }
  return {};
}

void take(Entry& entry, Placed&& placed) {
  entry.size = placed.size;
  entry.digest = placed.digest;
  entry.xattrs = std::move(placed.xattrs);
}

}  // namespace

Result<Sha256Bytes> LayerWriter::file(const std::string& path, const Meta& meta, stream::Source& bytes) {
  const auto node = TRY(impl_->claim(path, meta));
  Entry& entry = node->second.entry;
  set_meta(entry, meta);
  FilePlacer placer(*impl_->disk, impl_->memory);
  Placed placed = TRY(placer.from_stream(path, meta_of(entry.view()), bytes, impl_->pool));
  take(entry, std::move(placed));
  return entry.digest;
}

Result<> LayerWriter::file_soon(const std::string& path, const Meta& meta, std::uint64_t size, stream::Source& bytes) {
  if (size > WriteBehind::kMaxFile) {
    TRY(file(path, meta, bytes));
    const std::uint64_t written = impl_->own(path)->entry.size;
    if (written == size) return {};
    return failf(Errc::corrupt, "the content of {} has {} bytes instead of {}", quoted(path), written, size);
  }
  const auto node = TRY(impl_->claim(path, meta));
  Entry& entry = node->second.entry;
  set_meta(entry, meta);
  entry.size = size;
  node->second.pending = true;
  return impl_->behind->add(&node->second, node->first, meta_of(entry.view()), size, bytes);
}

Result<> LayerWriter::files(std::vector<FileJob> jobs, task::Cancel cancel) {
  // By path: what one task writes is mostly in one folder. Of one path the last job counts.
  std::stable_sort(jobs.begin(), jobs.end(), [](const FileJob& a, const FileJob& b) { return a.path < b.path; });
  std::map<std::string, sys::Fd> source_dirs;
  std::vector<Work> works;
  works.reserve(jobs.size());
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    FileJob& job = jobs[i];
    if (i + 1 < jobs.size() && jobs[i + 1].path == job.path) continue;
    const auto node = TRY(impl_->claim(job.path, job.meta));
    set_meta(node->second.entry, job.meta);
    job.meta = meta_of(node->second.entry.view());
    const sys::Fd* source_dir = nullptr;
    if (!job.source_path.empty()) {
      const auto [known, is_new] = source_dirs.try_emplace(job.source_dir);
      if (is_new) known->second = TRY(sys::open(job.source_dir, O_PATH | O_DIRECTORY));
      source_dir = &known->second;
    }
    works.push_back({.job = &job, .node = &node->second, .source_dir = source_dir});
  }
  task::Group group(impl_->pool, cancel);
  for (std::size_t begin = 0; begin < works.size();) {
    std::size_t end = begin;
    for (std::uint64_t bytes = 0; end < works.size() && end - begin < kBatchFiles && bytes < kBatchBytes; ++end)
      bytes += works[end].job->size;
    const auto batch = std::span(works).subspan(begin, end - begin);
    const bool only = batch.size() == works.size();
    if (only)
      TRY(place_all(*impl_->disk, impl_->memory, batch, cancel));
    else
      group.run([this, batch](const task::Cancel& stop) { return place_all(*impl_->disk, impl_->memory, batch, stop); });
    begin = end;
  }
  TRY(group.wait());
  for (Work& work : works) take(work.node->entry, std::move(work.placed));
  return {};
}

Result<> LayerWriter::hard_link(const std::string& path, const std::string& existing) {
  if (path == existing && own_type(path)) return {};
  TRY(impl_->start());
  const LayerNode* target = impl_->own(existing);
  if (!target) {
    const auto below = impl_->lower_at(existing);
    if (!below) return failf(Errc::not_found, "hard link {}: there is no {}", quoted(path), quoted(existing));
    if (below->entry.type == Type::directory)
      return failf(Errc::conflict, "hard link {}: {} is a folder", quoted(path), quoted(existing));
    TRY(impl_->copy_up(existing, *below));
    if (path == existing) return {};
    target = impl_->own(existing);
  }
  if (target->entry.type == Type::directory)
    return failf(Errc::conflict, "hard link {}: {} is a folder", quoted(path), quoted(existing));
  const std::int64_t mtime_ns = target->entry.mtime_ns;
  const auto node = TRY(impl_->claim(path, {.mtime_ns = mtime_ns}));
  // Looked up again: making room for `path` may have removed it.
  LayerNode* shared = impl_->own(existing);
  if (!shared || shared->entry.type == Type::whiteout)
    return failf(Errc::not_found, "hard link {}: there is no {}", quoted(path), quoted(existing));
  if (shared->group == 0) {
    impl_->groups.push_back(shared->entry);
    shared->group = static_cast<std::uint32_t>(impl_->groups.size());
  }
  node->second.entry.type = shared->entry.type;
  node->second.entry.link = shared->entry.link;
  node->second.group = shared->group;
  if (shared->pending) {
    node->second.pending = true;
    impl_->pending_links.emplace_back(node, existing);
    return {};
  }
  return impl_->link_on_disk(path, existing);
}

Result<> LayerWriter::Impl::link_on_disk(const std::string& path, const std::string& existing) {
  const auto link = [&]() -> Result<> {
    const auto [from_folder, from_name] = split_path(existing);
    const auto [to_folder, to_name] = split_path(path);
    const auto from = TRY(disk->open_folder(from_folder));
    const sys::Fd* to = TRY(disk->folder(to_folder));
    if (::linkat(from.get(), std::string(from_name).c_str(), to->get(), std::string(to_name).c_str(), 0) != 0)
      return fail_errno("linking");
    return {};
  };
  TRY_DOING(link(), format("hard link {} to {}", quoted(path), quoted(existing)));
  return {};
}

Result<LayerWriter::Impl::Nodes::iterator> LayerWriter::Impl::copy_up(const std::string& path, const TreeView::Found& found) {
  const Entry source = Entry::of(found.entry);
  const Meta meta = meta_of(found.entry);
  const auto node = TRY(claim(path, meta));
  Entry& entry = node->second.entry;
  entry.type = source.type;
  set_meta(entry, meta);
  const auto copy = [&]() -> Result<> {
    const auto [parent, name] = split_path(path);
    const sys::Fd* folder = TRY(disk->folder(parent));
    if (source.type == Type::file) {
      FileJob job{.path = path, .meta = meta, .size = source.size, .digest = source.digest};
      job.source_path = source.path;
      const auto layer = TRY(sys::open(lower.layers()[found.layer].directory, O_PATH | O_DIRECTORY));
      FilePlacer placer(*disk, memory);
      Placed placed = TRY(placer.from_file(job, &layer));
      take(entry, std::move(placed));
      return {};
    }
    if (source.type == Type::symlink)
      TRY(disk->make_symlink(*folder, std::string(name), source.link));
    else
      TRY(disk->make_device(*folder, std::string(name), source.type, source.device));
    entry.link = source.link;
    entry.device = source.device;
    entry.xattrs = TRY(disk->label(*folder, std::string(name), source.type, meta, true));
    return {};
  };
  TRY_DOING(copy(), format("copying up {}", quoted(path)));
  return node;
}

}  // namespace mica::snapshot
