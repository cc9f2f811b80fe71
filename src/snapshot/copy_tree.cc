#include "base/log.h"
#include "snapshot/copy_snapshotter.h"
#include "snapshot/layer_writer.h"
#include "snapshot/link_groups.h"

namespace mica::snapshot {
namespace {

constexpr std::size_t kFilesAtOnce = 8192;  // bounds the memory for their jobs

Meta meta_of_found(const EntryView& entry) {
  return {
      .mode = entry.mode, .uid = entry.uid, .gid = entry.gid, .mtime_ns = entry.mtime_ns, .xattrs = std::string(entry.xattrs)};
}

class Copier {
 public:
  Copier(const TreeView& tree, const StagedLayer& to, task::Pool& pool, const task::Cancel& cancel)
      : tree_(tree), groups_(tree), writer_(to, TreeView(), pool), cancel_(cancel) {}

  Result<> run() {
    Result<> result;
    tree_.walk("", [&](const TreeView::Found& found) {
      result = one(found);
      return result.has_value();
    });
    TRY(std::move(result));
    TRY(write_files());
    for (const auto& [path, existing] : links_)
      if (writer_.own_type(existing)) TRY(writer_.hard_link(path, existing));
    TRY(writer_.finish());
    return {};
  }

 private:
  Result<> one(const TreeView::Found& found) {
    TRY(cancel_.check());
    const EntryView& entry = found.entry;
    const std::string path(entry.path);
    if (auto earlier = groups_.earlier_name(found)) {
      links_.emplace_back(path, std::move(*earlier));
      return {};
    }
    switch (entry.type) {
      case Type::directory:
        return writer_.directory(path, meta_of_found(entry));
      case Type::symlink:
        return writer_.symlink(path, std::string(entry.link), meta_of_found(entry));
      case Type::file:
        return file(found);
      case Type::whiteout:
        return {};
      default:
        return device(path, entry);
    }
  }
  Result<> file(const TreeView::Found& found) {
    FileJob job{.path = std::string(found.entry.path), .meta = meta_of_found(found.entry), .size = found.entry.size};
    job.digest = found.entry.digest;
    job.source_dir = tree_.layers()[found.layer].directory;
    job.source_path = job.path;
    jobs_.push_back(std::move(job));
    return jobs_.size() < kFilesAtOnce ? Result<>() : write_files();
  }
  Result<> write_files() { return writer_.files(std::exchange(jobs_, {}), cancel_); }
  Result<> device(const std::string& path, const EntryView& entry) {
    auto made = writer_.device(path, entry.type, entry.device, meta_of_found(entry));
    if (made || made.error().code() != Errc::permission_denied) return made;
    log::debug("{}; left out", made.error().text());
    return {};
  }

  const TreeView& tree_;
  LinkGroups groups_;
  LayerWriter writer_;
  const task::Cancel& cancel_;
  std::vector<FileJob> jobs_;
  std::vector<std::pair<std::string, std::string>> links_;
};

}  // namespace

Result<> copy_tree(const TreeView& tree, const StagedLayer& to, task::Pool& pool, task::Cancel cancel) {
  return Copier(tree, to, pool, cancel).run();
}

}  // namespace mica::snapshot
