#include "build/add_archive.h"

#include <sys/sysmacros.h>

#include <limits>
#include <unordered_set>

#include "archive/tar.h"
#include "base/format.h"
#include "base/text.h"
#include "build/archive_types.h"
#include "build/new_folder.h"
#include "snapshot/resolve_links.h"
#include "stream/compression.h"

namespace mica::build {
namespace {

using archive::EntryType;
using snapshot::Meta;
using snapshot::Type;

constexpr int kMaxLinks = 40;

std::string_view parent_of(std::string_view path) { return path.substr(0, path.find('/') == path.npos ? 0 : path.rfind('/')); }

std::string join(std::string_view folder, std::string_view name) {
  std::string path(folder);
  if (!path.empty() && !name.empty()) path += '/';
  return path += name;
}

/// Clean and relative; "" is the folder that is unpacked into.
Result<std::string> clean_name(const std::string& name) {
  std::string_view text = name;
  while (text.starts_with('/')) text.remove_prefix(1);
  const std::string clean = clean_path(text);
  if (clean == ".." || clean.starts_with("../"))
    return failf(Errc::invalid_argument, "the archive's entry {} climbs out of the destination", quoted(name));
  if (clean.find('\0') != clean.npos) return failf(Errc::corrupt, "the archive's entry {} has a NUL in its name", quoted(name));
  return clean == "." ? std::string() : clean;
}

class Unpacker {
 public:
  Unpacker(snapshot::LayerWriter& layer, const snapshot::TreeView& lower, const UnpackRules& rules)
      : layer_(layer), lower_(lower), rules_(rules) {}

  Result<> add(const archive::Entry& entry, stream::Source& data) {
    const std::string name = TRY(clean_name(entry.path));
    if (name.empty()) return {};  // its own "./" says nothing about the destination
    const std::string folder = TRY(real_folder(parent_of(name)));
    const std::string path = join(folder, base_name(name));
    const Meta meta = TRY(meta_of(entry));
    if (entry.type == EntryType::directory) return add_folder(path, meta);
    TRY(make_room(path));
    switch (entry.type) {
      case EntryType::file:
        return layer_.file_soon(path, meta, entry.size, data);
      case EntryType::symlink:
        return layer_.symlink(path, entry.link, meta);
      case EntryType::hard_link:
        return add_hard_link(path, entry, meta);
      default:
        return add_device(path, entry, meta);
    }
  }
  std::vector<std::string> take_left_out() { return std::move(left_out_); }

 private:
  Result<Meta> meta_of(const archive::Entry& entry) const {
    constexpr std::uint64_t kMaxId = std::numeric_limits<std::uint32_t>::max() - 1;
    Meta meta{.mode = entry.mode, .mtime_ns = clamped(entry.mtime_ns)};
    if (!rules_.owner && (entry.uid > kMaxId || entry.gid > kMaxId))
      return failf(Errc::corrupt, "the owner {}:{} of the archive's entry {} is out of range", entry.uid, entry.gid,
                   quoted(entry.path));
    meta.uid = rules_.owner ? rules_.owner->uid : static_cast<std::uint32_t>(entry.uid);
    meta.gid = rules_.owner ? rules_.owner->gid : static_cast<std::uint32_t>(entry.gid);
    if (entry.xattrs.empty()) return meta;
    std::vector<sys::Xattr> attributes;
    for (const auto& [name, value] : entry.xattrs)
      if (snapshot::is_layer_xattr(name)) attributes.push_back({name, value});
    meta.xattrs = snapshot::pack_xattrs(attributes);
    return meta;
  }
  std::int64_t clamped(std::int64_t ns) const { return rules_.clamp_ns ? std::min(ns, *rules_.clamp_ns) : ns; }

  /// The folder in the layer that a path of the archive means, links resolved inside the destination; made when missing.
  Result<std::string> real_folder(std::string_view in_archive) {
    if (in_archive.empty()) return rules_.folder;
    if (in_archive == last_name_) return last_folder_;
    std::string real = TRY(resolve(in_archive));
    const std::string path = join(rules_.folder, real);
    if (!folders_.contains(path)) {
      std::optional<snapshot::Entry> nearest = layer_.find(rules_.folder);
      for (std::size_t end = rules_.folder.size(); end < path.size();) {
        end = std::min(path.find('/', end + 1), path.size());
        auto there = layer_.find(std::string_view(path).substr(0, end));
        if (there && there->type != Type::directory) return failf(Errc::conflict, "/{}: not a directory", path.substr(0, end));
        if (!there) break;
        nearest = std::move(there);
      }
      Meta made = new_folder({.mtime_ns = clamped(rules_.now_ns)}, nearest, false);
      made.mode = 0755;   // Docker sets the mode once more, which takes the bit away
      TRY(layer_.ensure_directory(path, made));
      folders_.insert(path);
    }
    last_name_ = in_archive;
    last_folder_ = path;
    return path;
  }

  /// The path below the destination without links.
  Result<std::string> resolve(std::string_view in_archive) {
    if (folders_.contains(join(rules_.folder, in_archive))) return std::string(in_archive);  // folders_ holds no links
    std::optional<Error> climbs;
    auto real = snapshot::resolve_links(in_archive, true, [&](const std::string& at) -> std::optional<std::string> {
      if (climbs) return std::nullopt;
      const auto there = layer_.find(join(rules_.folder, at));
      if (!there || there->type != Type::symlink) return std::nullopt;
      const bool from_top = there->link.starts_with('/');
      const std::string target = clean_path(from_top ? there->link : join(parent_of(at), there->link));
      // At the image's root ".." is the root, for the kernel too.
      if (!rules_.folder.empty() && (target == ".." || target.starts_with("../")))
        climbs =
            Error(Errc::invalid_argument, format("the archive's path {} goes through the link /{} to {}, out of the destination",
                                                 quoted(in_archive), join(rules_.folder, at), quoted(there->link)));
      return there->link;
    });
    if (climbs) return fail(std::move(*climbs));
    return real;
  }

  Result<> add_folder(const std::string& path, const Meta& meta) {
    const auto there = layer_.find(path);
    // A folder that comes back where this archive had replaced a lower one must not show that one's contents.
    bool hides = false;
    if (there && there->type != Type::directory) {
      const auto below = lower_.find(path);
      hides = layer_.own_type(path) && below && below->entry.type == Type::directory;
      forget_folders();  // a link may have led here
    }
    TRY(layer_.directory(path, meta, true));
    if (hides) TRY(layer_.opaque(path));
    folders_.insert(path);
    return {};
  }

  /// What is not a folder replaces everything.
  Result<> make_room(const std::string& path) {
    const auto there = layer_.find(path);
    if (!there) return {};
    if (there->type == Type::symlink || there->type == Type::directory) forget_folders();
    if (layer_.own_type(path) == Type::directory) TRY(layer_.remove(path));
    return {};
  }
  void forget_folders() {
    folders_.clear();
    last_name_.clear();
  }

  Result<> add_device(const std::string& path, const archive::Entry& entry, const Meta& meta) {
    auto made = layer_.device(path, type_of(entry.type), makedev(entry.device_major, entry.device_minor), meta);
    if (made || made.error().code() != Errc::permission_denied) return made;
    left_out_.push_back("/" + path);
    return {};
  }

  Result<> add_hard_link(const std::string& path, const archive::Entry& entry, const Meta& meta) {
    const std::string name = TRY(clean_name(entry.link));
    if (name.empty())
      return failf(Errc::invalid_argument, "the archive's hard link {} is to the destination itself", quoted(entry.path));
    const std::string real = TRY(resolve(parent_of(name)));
    const std::string existing = join(join(rules_.folder, real), base_name(name));
    const auto target = layer_.find(existing);
    if (!target || target->type == Type::directory)
      return failf(Errc::invalid_argument, "the archive's hard link {} is to {}, which is not there as a file",
                   quoted(entry.path), quoted(entry.link));
    if (path == existing) return {};
    TRY(layer_.hard_link(path, existing));
    const bool same = (target->mode == meta.mode || target->type == Type::symlink) && target->uid == meta.uid &&
                      target->gid == meta.gid && target->mtime_ns == meta.mtime_ns &&
                      (meta.xattrs.empty() || target->xattrs == meta.xattrs);
    if (same) return {};
    Meta merged = meta;
    if (merged.xattrs.empty()) merged.xattrs = target->xattrs;
    return layer_.relabel(path, merged);
  }

  snapshot::LayerWriter& layer_;
  const snapshot::TreeView& lower_;
  const UnpackRules& rules_;
  std::unordered_set<std::string> folders_;  // in the layer, real ones
  std::vector<std::string> left_out_;        // devices
  std::string last_name_, last_folder_;      // the last parent: as the archive has it, and as it is
};

}  // namespace

struct Archive::Impl {
  explicit Impl(sys::Fd file) : bytes(std::move(file)), peeked(bytes) {}
  stream::FdSource bytes;
  stream::PeekSource peeked;
  std::unique_ptr<stream::Source> plain;
  std::unique_ptr<archive::TarReader> tar;
  std::optional<archive::Entry> first;
};

Archive::Archive(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Archive::~Archive() = default;

Result<std::unique_ptr<Archive>> Archive::open(sys::Fd file) {
  auto impl = std::make_unique<Impl>(std::move(file));
  const auto kind = stream::detect(TRY(impl->peeked.peek(6)));
  auto plain = stream::decompress(impl->peeked, kind);
  if (!plain) return nullptr;  // only looked like it
  impl->plain = std::move(*plain);
  impl->tar = std::make_unique<archive::TarReader>(*impl->plain);
  auto first = impl->tar->next();
  if (!first || !*first) return nullptr;
  impl->first = std::move(**first);
  return std::unique_ptr<Archive>(new Archive(std::move(impl)));
}

Result<std::vector<std::string>> Archive::unpack(snapshot::LayerWriter& layer, const snapshot::TreeView& lower,
                                                 const UnpackRules& rules, task::Cancel cancel) {
  Unpacker unpacker(layer, lower, rules);
  std::optional<archive::Entry> entry = std::move(impl_->first);
  while (entry) {
    TRY(cancel.check());
    TRY(unpacker.add(*entry, impl_->tar->data()));
    entry = TRY(impl_->tar->next());
  }
  return unpacker.take_left_out();
}

}  // namespace mica::build
