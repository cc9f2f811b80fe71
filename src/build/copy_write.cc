#include "build/copy_write.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "build/new_folder.h"

namespace mica::build {
namespace {

/// Enough to keep all threads busy; each costs some 500 bytes until it is written.
constexpr std::size_t kFilesTogether = 4096;

using snapshot::Entry;
using snapshot::Meta;
using snapshot::Type;

std::string parent_of(const std::string& path) { return path.substr(0, path.find('/') == path.npos ? 0 : path.rfind('/')); }

std::string join(const std::string& folder, std::string_view below) {
  if (folder.empty()) return std::string(below);
  if (below.empty()) return folder;
  std::string path;
  path.reserve(folder.size() + 1 + below.size());
  return path.append(folder).append("/").append(below);
}

Meta meta_of(const Entry& entry) {
  return {.mode = entry.mode, .uid = entry.uid, .gid = entry.gid, .mtime_ns = entry.mtime_ns, .xattrs = entry.xattrs};
}

/// The attributes of both; `over` wins.
std::string merged_xattrs(const std::string& under, const std::string& over) {
  if (under.empty() || under == over) return over;
  auto attributes = snapshot::unpack_xattrs(over);
  for (sys::Xattr& old : snapshot::unpack_xattrs(under))
    if (std::ranges::none_of(attributes, [&](const sys::Xattr& attribute) { return attribute.name == old.name; }))
      attributes.push_back(std::move(old));
  return snapshot::pack_xattrs(attributes);
}

/// Whether both are the same inode, beyond the group's number.
bool same_file(const Node& a, const Node& b) {
  return a.digest == b.digest && a.size == b.size && a.mode == b.mode && a.uid == b.uid && a.gid == b.gid &&
         a.mtime_ns == b.mtime_ns && a.xattrs == b.xattrs;
}

std::unexpected<Error> not_a_folder(std::string_view what, const std::string& path) {
  return failf(Errc::conflict, "{} /{}: not a directory", what, path);
}

}  // namespace

Result<Destination> find_destination(std::string_view text, const snapshot::TreeView& tree) {
  const std::string clean = clean_path("/" + std::string(text)).substr(1);
  Destination out;
  out.is_folder = text.ends_with('/') || text.ends_with("/.");
  out.path = TRY_DOING(tree.resolve(clean), format("looking up the destination {}", quoted(text)));
  return out;
}

Result<> CopyWriter::place(SelectedSource& source, const Destination& destination) {
  groups_.clear();
  fresh_.clear();
  if (!source.is_folder()) {
    std::string target = TRY(target_of(source.name(), destination));
    return put(source.entries.front().node, std::move(target), false);
  }
  TRY(place_folder(source, destination.path));
  for (SelectedEntry& entry : std::span(source.entries).subspan(1)) {
    std::string target = join(destination.path, source.below(entry));
    const bool is_fresh = !fresh_.empty() && target.starts_with(fresh_);
    if (entry.node.type == Type::directory)
      TRY(put_folder(entry, target, is_fresh));
    else
      TRY(put(entry.node, std::move(target), is_fresh));
    if (entry.node.inode_group == 0) entry.node = {};   // groups_ points to the others
  }
  return cancel_.check();
}

Result<> CopyWriter::place(std::string_view name, const std::string& content, const Destination& destination) {
  const std::string target = TRY(target_of(name, destination));
  const auto there = TRY(visible(target));
  if (there && there->type == Type::directory) return failf(Errc::conflict, "cannot replace to directory /{} with file", target);
  const Owner owner = rules_.owner.value_or(Owner{});
  stream::MemorySource bytes(content);
  TRY(layer_.file(target,
                  {.mode = rules_.chmod ? rules_.chmod->apply(0644, false) : 0644,
                   .uid = owner.uid,
                   .gid = owner.gid,
                   .mtime_ns = clamped(rules_.now_ns)},
                  bytes));
  return {};
}

Result<> CopyWriter::open_folder(const std::string& path, std::uint32_t mode) {
  TRY(flush());
  TRY(make_folder(path, mode));
  folder_.clear();  // what is unpacked may replace it
  return {};
}

Result<> CopyWriter::flush() {
  TRY(layer_.files(std::exchange(jobs_, {}), cancel_));
  for (const auto& [name, existing] : std::exchange(links_, {})) TRY(layer_.hard_link(name, existing));
  pending_.clear();
  return {};
}

Meta CopyWriter::meta_of(const Node& node) const {
  Meta meta{.mode = node.mode, .uid = node.uid, .gid = node.gid, .mtime_ns = clamped(node.mtime_ns), .xattrs = node.xattrs};
  if (rules_.owner) meta.uid = rules_.owner->uid, meta.gid = rules_.owner->gid;
  if (rules_.chmod && node.type != Type::symlink) meta.mode = rules_.chmod->apply(node.mode, node.type == Type::directory);
  return meta;
}

Result<std::optional<Entry>> CopyWriter::visible(const std::string& path) {
  if (pending_.contains(path)) TRY(flush());
  return layer_.find(path);
}

/// Like mkdir -p. Links are not followed: the path has none, unless an earlier source of this step made one.
Result<> CopyWriter::make_folder(const std::string& path, std::uint32_t mode) {
  if (path.empty() || path == folder_) return {};
  std::optional<Entry> nearest;
  for (std::size_t end = 0; end < path.size();) {
    end = std::min(path.find('/', end + 1), path.size());
    const std::string part = path.substr(0, end);
    auto there = TRY(visible(part));
    if (!there) break;
    if (there->type != Type::directory) return not_a_folder("mkdir", part);
    nearest = std::move(there);
  }
  const Owner owner = rules_.owner.value_or(Owner{});
  const Meta fresh{.mode = mode, .uid = owner.uid, .gid = owner.gid, .mtime_ns = clamped(rules_.now_ns)};
  TRY(layer_.ensure_directory(path, new_folder(fresh, nearest, rules_.owner.has_value())));
  folder_ = path;
  return {};
}

/// Where a file called `name` goes. The folder for it is made.
Result<std::string> CopyWriter::target_of(std::string_view name, const Destination& destination) {
  const std::string& path = destination.path;
  TRY(make_folder(destination.is_folder ? path : parent_of(path), new_folder_mode()));
  if (!destination.is_folder) {
    const auto there = TRY(visible(path));
    if (!there || there->type != Type::directory) return path;
    TRY(make_folder(path, new_folder_mode()));
  }
  return join(path, name);
}

Result<> CopyWriter::place_folder(const SelectedSource& source, const std::string& target) {
  const Node& top = source.entries.front().node;
  const auto before = TRY(visible(target));
  if (before && before->type != Type::directory) return failf(Errc::conflict, "cannot copy to non-directory: /{}", target);
  TRY(make_folder(target, new_folder_mode()));
  if (target.empty()) return {};
  if (!before) fresh_ = target + "/";
  const auto made = TRY(visible(target));
  MICA_ASSERT(made, "the folder was made");
  Meta meta = build::meta_of(*made);
  // The root of a tree has no time of its own.
  meta.mtime_ns = clamped(top.path.empty() && top.mtime_ns == 0 ? rules_.now_ns : top.mtime_ns);
  return layer_.directory(target, meta);
}

Result<> CopyWriter::put_folder(const SelectedEntry& entry, const std::string& target, bool is_fresh) {
  Meta meta = meta_of(entry.node);
  if (is_fresh) return layer_.directory(target, meta);
  const auto there = TRY(visible(target));
  if (!there) {
    fresh_ = target + "/";
    return layer_.directory(target, meta);
  }
  if (there->type != Type::directory) return failf(Errc::conflict, "cannot copy to non-directory: /{}", target);
  if (entry.implied) {
    Meta kept = build::meta_of(*there);
    kept.mode = entry.node.mode;
    return layer_.directory(target, kept);
  }
  meta.xattrs = merged_xattrs(there->xattrs, meta.xattrs);
  return layer_.directory(target, meta);
}

Result<> CopyWriter::put(const Node& node, std::string target, bool is_fresh) {
  if (!is_fresh) {
    const auto there = TRY(visible(target));
    if (there && there->type == Type::directory)
      return failf(Errc::conflict, "cannot replace to directory /{} with file", target);
  }
  switch (node.type) {
    case Type::file:
      return put_file(node, std::move(target));
    case Type::symlink:
      return layer_.symlink(target, node.link, meta_of(node));
    case Type::char_device:
    case Type::block_device:
    case Type::fifo:
      return put_device(node, target);
    case Type::directory:
    case Type::whiteout:
      break;
  }
  return failf(Errc::internal, "{} has a type that cannot be copied", quoted(node.path));
}

Result<> CopyWriter::put_device(const Node& node, const std::string& target) {
  auto made = layer_.device(target, node.type, node.device, meta_of(node));
  if (made || made.error().code() != Errc::permission_denied) return made;
  left_out_.push_back("/" + target);
  return {};
}

Result<> CopyWriter::put_file(const Node& node, std::string target) {
  if (node.inode_group != 0) {
    const auto [first, is_new] = groups_.try_emplace(node.inode_group, First{&node, target});
    if (!is_new && first->second.target != target && same_file(*first->second.node, node)) {
      pending_.insert(target);
      links_.emplace_back(std::move(target), first->second.target);
      return {};
    }
  }
  if (node.size == 0 && node.digest) {  // nothing to open; a socket of a context could not be
    stream::MemorySource nothing{std::string()};
    return layer_.file_soon(target, meta_of(node), 0, nothing);
  }
  pending_.insert(target);
  snapshot::FileJob job{.path = std::move(target), .meta = meta_of(node), .size = node.size, .digest = node.digest};
  job.source_dir = node.source_dir;
  job.source_path = node.source_path;
  if (can_link(job)) job.link_from = earlier_.directory + "/" + job.path;
  jobs_.push_back(std::move(job));
  return jobs_.size() < kFilesTogether ? Result<>() : flush();
}

/// Each inode of the earlier layer may appear once in the new one, hence only under its first name.
bool CopyWriter::can_link(const snapshot::FileJob& job) const {
  if (earlier_.directory.empty() || !job.digest) return false;
  const std::size_t index = earlier_.listing.find(job.path);
  if (index == earlier_.listing.size()) return false;
  const snapshot::EntryView old = earlier_.listing[index];
  return old.type == Type::file && old.hard_link.empty() && old.digest == *job.digest && old.size == job.size &&
         old.mode == job.meta.mode && old.uid == job.meta.uid && old.gid == job.meta.gid && old.mtime_ns == job.meta.mtime_ns &&
         old.xattrs == job.meta.xattrs;
}

}  // namespace mica::build
