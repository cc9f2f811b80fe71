// Unpacking a layer tar. One pass: the reader takes the tar apart, the pool writes small files behind it and hashes the tar's
// bytes. Everything in the tar is untrusted; names are made clean here, links in their parents are resolved in the tree as it is,
// and LayerWriter puts things where it is told without following any link on disk.
//
// Markers act on lower layers only, wherever they stand in the tar (OCI Image Spec v1.1, layer.md, "Applying Changesets"). So
// they are kept until everything else is in place; then what they speak of is either of this layer, or hidden.
//
// A folder that is in the layer only because something is in it takes the lower tree's metadata, which ties the layer to its
// chain. So do links of lower layers that a name led through, and hard links to lower files.
#include <sys/sysmacros.h>

#include <algorithm>
#include <set>

#include "base/format.h"
#include "base/log.h"
#include "base/text.h"
#include "snapshot/layer_disk.h"
#include "snapshot/layer_tar.h"
#include "snapshot/layer_writer.h"
#include "snapshot/parallel_hash.h"

namespace mica::snapshot {
namespace {

constexpr std::size_t kMaxEntries = 4'000'000;  // each costs a few hundred bytes of memory, and of a tar that compresses well
constexpr std::size_t kMaxPath = 4095;          // PATH_MAX: no other program could unpack more
constexpr std::size_t kMaxName = 255;
constexpr std::string_view kMarker = ".wh.";
constexpr std::string_view kMeta = ".wh..wh.";  // of aufs, but for the opaque mark
constexpr std::string_view kOpaque = ".wh..wh..opq";

std::unexpected<Error> corrupt(std::string_view path, std::string_view why) {
  return failf(Errc::corrupt, "layer entry {}: {}", quoted(path.substr(0, 300)), why);
}

/// What a layer does wrong, in the code that says so.
Error as_corrupt(Error error) {
  const Errc code = error.code();
  return code == Errc::conflict || code == Errc::not_found || code == Errc::invalid_argument
             ? std::move(error).with_code(Errc::corrupt)
             : error;
}

class Unpacker {
 public:
  Unpacker(const StagedLayer& staged, const TreeView& lower, task::Pool& pool, task::Cancel cancel)
      : lower_(lower), writer_(staged, lower, pool), cancel_(std::move(cancel)) {}

  Result<> run(stream::Source& from) {
    archive::TarReader tar(from);
    for (std::size_t count = 0;; ++count) {
      TRY(cancel_.check());
      const auto entry = TRY(tar.next());
      if (!entry) break;
      if (count == kMaxEntries) return failf(Errc::resource_exhausted, "a layer of more than {} entries", kMaxEntries);
      if (auto done = one(*entry, tar.data()); !done)
        return fail(as_corrupt(std::move(done).error()).doing("unpacking the layer"));
    }
    return tar.drain();
  }
  Result<Listing> finish() {
    for (const Marker& marker : markers_)
      if (auto done = apply(marker); !done) return fail(as_corrupt(std::move(done).error()).doing("unpacking the layer"));
    return writer_.finish();
  }
  /// The outcome depends on the layers below.
  bool is_tied() const { return tied_ || !implicit_.empty(); }

 private:
  Result<> one(const archive::Entry& entry, stream::Source& data) {
    const std::string name = TRY(clean_name(entry.path));
    if (name.empty()) return {};  // the root has no place in a layer
    const auto [named_folder, base] = split_path(name);
    if (base.starts_with(kMeta) && base != kOpaque) return {};
    if (is_marked(named_folder)) {
      if (named_folder.find(kMeta) != named_folder.npos) return {};
      return corrupt(entry.path, "a name in its path is reserved for markers");
    }
    if (base.starts_with(kMarker)) {
      const std::string_view hidden = base == kOpaque ? std::string_view() : base.substr(kMarker.size());
      if (base != kOpaque && (hidden.empty() || hidden == "." || hidden == ".."))
        return corrupt(entry.path, "a marker without a name");
      markers_.push_back({std::string(named_folder), std::string(hidden), entry.mtime_ns});
      return {};
    }
    const std::string folder = TRY(resolved(named_folder));
    TRY(make_folders(folder, entry.mtime_ns));
    return place(join(folder, base), entry, data);
  }

  static std::string join(std::string_view folder, std::string_view name) {
    return folder.empty() ? std::string(name) : format("{}/{}", folder, name);
  }
  static Result<std::string> clean_name(std::string_view path) {
    const auto start = path.find_first_not_of('/');
    if (start == path.npos) return std::string();
    std::string name = clean_path(path.substr(start));
    if (name == "..") return corrupt(path, "its name leads out of the layer");
    if (name.starts_with("../")) return corrupt(path, "its name leads out of the layer");
    if (name == ".") name.clear();
    if (name.size() > kMaxPath) return corrupt(path, "its name is too long");
    for (const auto part : split(name, '/'))
      if (part.size() > kMaxName) return corrupt(path, "a part of its name is too long");
    return name;
  }
  static bool is_marked(std::string_view folder) { return folder.starts_with(kMarker) || folder.find("/.wh.") != folder.npos; }

  /// A folder's path without links. A folder of this layer has none in its path.
  Result<std::string> resolved(std::string_view folder) {
    if (folder == last_folder_ || is_own_folder(folder)) return std::string(folder);
    std::string path = TRY(writer_.resolve(folder, true));
    tied_ |= path != folder;
    return path;
  }

  Result<> make_folders(const std::string& folder, std::int64_t mtime_ns) {
    if (folder == last_folder_) return {};
    for (std::size_t end = 0; end < folder.size();) {
      end = std::min(folder.find('/', end + 1), folder.size());
      if (const auto part = std::string_view(folder).substr(0, end); !is_own_folder(part)) implicit_.emplace(part);
    }
    TRY(writer_.ensure_directory(folder, {.mtime_ns = mtime_ns}));
    last_folder_ = folder;
    return {};
  }
  bool is_own_folder(std::string_view path) const { return writer_.own_type(path) == Type::directory; }

  struct Marker {
    std::string folder, hidden;  // everything in the folder when `hidden` is empty
    std::int64_t mtime_ns;
  };
  Result<> apply(const Marker& marker) {
    const std::string folder = TRY(resolved(marker.folder));
    TRY(make_folders(folder, marker.mtime_ns));
    const Meta fresh{.mtime_ns = marker.mtime_ns};
    if (marker.hidden.empty()) {
      if (folder.empty()) tied_ = true;  // its effect is spelled out for what is there below
      TRY(writer_.opaque(folder));
      return forget_lower(folder, fresh);
    }
    const std::string path = join(folder, marker.hidden);
    const auto own = writer_.own_type(path);
    if (!own || copied_up_.count(path)) return writer_.whiteout(path);
    if (own != Type::directory) return {};
    TRY(writer_.opaque(path));
    if (implicit_.count(path)) TRY(writer_.directory(path, fresh));
    return forget_lower(path, fresh);
  }
  /// Implicit folders below took the metadata of lower ones that are hidden now.
  Result<> forget_lower(const std::string& folder, const Meta& fresh) {
    const std::string prefix = folder.empty() ? "" : folder + "/";
    for (auto path = implicit_.lower_bound(prefix); path != implicit_.end() && path->starts_with(prefix); ++path)
      TRY(writer_.directory(*path, fresh));
    return {};
  }

  Result<> place(const std::string& path, const archive::Entry& entry, stream::Source& data) {
    const Meta meta = TRY(meta_of_entry(entry));
    if (entry.type == archive::EntryType::directory) return place_folder(path, meta);
    if (is_own_folder(path)) TRY(remove_folder(path));
    copied_up_.erase(path);
    switch (entry.type) {
      case archive::EntryType::file:
        return writer_.file_soon(path, meta, entry.size, data);
      case archive::EntryType::hard_link:
        return place_link(path, entry, meta);
      case archive::EntryType::symlink:
        return place_symlink(path, entry, meta);
      case archive::EntryType::char_device:
        return place_device(path, Type::char_device, entry, meta);
      case archive::EntryType::block_device:
        return place_device(path, Type::block_device, entry, meta);
      case archive::EntryType::fifo:
        return writer_.device(path, Type::fifo, 0, meta);
      case archive::EntryType::directory:
        break;
    }
    return {};
  }

  Result<> place_folder(const std::string& path, const Meta& meta) {
    TRY(writer_.directory(path, meta, true));
    implicit_.erase(path);
    copied_up_.erase(path);
    return {};
  }
  Result<> remove_folder(const std::string& path) {
    TRY(writer_.remove(path));
    last_folder_.clear();
    implicit_.erase(path);
    implicit_.erase(implicit_.lower_bound(path + "/"), implicit_.lower_bound(path + "0"));
    return {};
  }
  Result<> place_symlink(const std::string& path, const archive::Entry& entry, const Meta& meta) {
    if (entry.link.empty()) return corrupt(entry.path, "a symbolic link to nowhere");
    if (entry.link.size() > kMaxPath) return corrupt(entry.path, "its link target is too long");
    return writer_.symlink(path, entry.link, meta);
  }
  Result<> place_link(const std::string& path, const archive::Entry& entry, Meta meta) {
    const std::string named = TRY(clean_name(entry.link));
    const auto [named_folder, name] = split_path(named);
    const std::string folder = TRY(resolved(named_folder));
    const std::string target = join(folder, name);
    if (name.empty()) return corrupt(entry.path, "a hard link to the root");
    if (!writer_.own_type(target)) {
      tied_ = true;
      copied_up_.insert(target);
    }
    TRY(writer_.hard_link(path, target));
    // As tar does, the last entry's owner, mode and time win, for all names. Attributes are not repeated by every archiver.
    const auto now = writer_.find(path);
    if (meta.xattrs.empty()) meta.xattrs = now->xattrs;
    const bool same = now->mode == meta.mode && now->uid == meta.uid && now->gid == meta.gid && now->mtime_ns == meta.mtime_ns &&
                      now->xattrs == meta.xattrs;
    if (same || now->type == Type::symlink) return {};
    return writer_.relabel(path, meta);
  }
  Result<> place_device(const std::string& path, Type type, const archive::Entry& entry, const Meta& meta) {
    const std::uint64_t device = makedev(entry.device_major, entry.device_minor);
    // Overlayfs takes this one for a whiteout; so do we, whoever wrote it.
    if (type == Type::char_device && device == 0) {
      const auto [folder, name] = split_path(path);
      markers_.push_back({std::string(folder), std::string(name), entry.mtime_ns});
      return {};
    }
    auto made = writer_.device(path, type, device, meta);
    if (made || made.error().code() != Errc::permission_denied) return made;
    log::debug("{}; left out, as by other programs without root", made.error().text());
    return {};
  }

  static Result<Meta> meta_of_entry(const archive::Entry& entry) {
    constexpr std::uint64_t kMaxId = 0xfffffffe;  // the next one means "leave it"
    if (entry.uid > kMaxId || entry.gid > kMaxId) return corrupt(entry.path, "its owner's id is too large");
    Meta meta{.mode = entry.mode & 07777, .mtime_ns = entry.mtime_ns};
    meta.uid = static_cast<std::uint32_t>(entry.uid);
    meta.gid = static_cast<std::uint32_t>(entry.gid);
    std::vector<sys::Xattr> attributes;
    for (const auto& [name, value] : entry.xattrs) attributes.push_back({name, value});
    meta.xattrs = layer_xattrs(pack_xattrs(attributes));
    return meta;
  }

  const TreeView& lower_;
  LayerWriter writer_;
  task::Cancel cancel_;
  std::string last_folder_;  // known to be a folder of this layer, as the root is
  std::vector<Marker> markers_;
  std::set<std::string, std::less<>> implicit_;
  std::set<std::string> copied_up_;  // in this layer only for a hard link's sake
  bool tied_ = false;
};

}  // namespace

Result<UnpackedLayer> unpack_layer_tar(stream::Source& tar, LayerStore& layers, const TreeView& lower, task::Pool& pool, task::Cancel cancel) {
  auto staged = TRY(layers.stage());
  ParallelHashSource hashed(tar, pool);
  Listing listing;
  bool tied = false;
  {
    Unpacker unpacker(staged, lower, pool, std::move(cancel));
    TRY(unpacker.run(hashed));
    listing = TRY(unpacker.finish());
    tied = unpacker.is_tied();
  }
  oci::DiffId diff_id{oci::Digest::from_hex(hex(hashed.finish()))};
  return UnpackedLayer{std::move(staged), std::move(listing), std::move(diff_id), tied};
}

Result<LayerInfo> commit_unpacked(UnpackedLayer unpacked, LayerStore& layers, const Chain& below) {
  if (auto same = TRY(layers.find(unpacked.diff_id, below))) return std::move(*same);
  const auto lower = TRY(layers.view(below));
  auto layer = TRY(layers.commit(std::move(unpacked.staged), unpacked.listing, lower, unpacked.tied ? LayerStore::chain_key(below) : std::string()));
  TRY(layers.set_diff_id(layer.id, unpacked.diff_id));
  layer.diff_id = unpacked.diff_id;
  return layer;
}

Result<Applied> apply_layer_tar(stream::Source& tar, LayerStore& layers, const Chain& below, task::Pool& pool,
                                task::Cancel cancel, DiffIdOf which) {
  const auto lower = TRY(layers.view(below));
  auto unpacked = TRY(unpack_layer_tar(tar, layers, lower, pool, cancel));
  if (which == DiffIdOf::canonical) {
    const auto made = TRY(layers.commit(std::move(unpacked.staged), unpacked.listing, lower, unpacked.tied ? LayerStore::chain_key(below) : std::string()));
    const auto canonical = TRY(layers.diff_id(made.id, cancel));
    const auto oldest = TRY(layers.find(canonical, below));
    return Applied{oldest.value_or(made), canonical};
  }
  const oci::DiffId diff_id = unpacked.diff_id;
  auto layer = TRY(commit_unpacked(std::move(unpacked), layers, below));
  return Applied{std::move(layer), diff_id};
}

}  // namespace mica::snapshot
