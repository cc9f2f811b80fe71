#include "snapshot/layer_tar.h"

#include <fcntl.h>
#include <sys/sysmacros.h>

#include <algorithm>

#include "base/format.h"
#include "snapshot/layer_disk.h"
#include "snapshot/link_groups.h"
#include "snapshot/open_below.h"

namespace mica::snapshot {
namespace {

constexpr std::size_t kBuffer = 256 << 10;
constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kOpaque = ".wh..wh..opq";

archive::EntryType tar_type(Type type) {
  switch (type) {
    case Type::file:
    case Type::whiteout: return archive::EntryType::file;
    case Type::directory: return archive::EntryType::directory;
    case Type::symlink: return archive::EntryType::symlink;
    case Type::char_device: return archive::EntryType::char_device;
    case Type::block_device: return archive::EntryType::block_device;
    case Type::fifo: return archive::EntryType::fifo;
  }
  return archive::EntryType::file;
}

/// Writes entries whose contents lie in the folders of one or several layers.
class Writer {
 public:
  Writer(stream::Sink& to, std::optional<std::int64_t> clamp_ns) : tar_(to), clamp_ns_(clamp_ns), buffer_(kBuffer) {}

  Result<> entry(const EntryView& entry, std::string_view hard_link, std::size_t layer, const std::string& directory) {
    archive::Entry out;
    out.type = tar_type(entry.type);
    out.path = entry.path;
    out.mode = entry.mode;
    out.uid = entry.uid;
    out.gid = entry.gid;
    out.mtime_ns = clamp_ns_ ? std::min(entry.mtime_ns, *clamp_ns_) : entry.mtime_ns;
    if (!hard_link.empty()) {
      out.type = archive::EntryType::hard_link;
      out.link = hard_link;
      return tar_.add(out);
    }
    out.link = entry.link;
    if (entry.type == Type::char_device || entry.type == Type::block_device) {
      out.device_major = major(entry.device);
      out.device_minor = minor(entry.device);
    }
    for (auto& attribute : unpack_xattrs(entry.xattrs)) out.xattrs.emplace_back(std::move(attribute.name), std::move(attribute.value));
    if (entry.type != Type::file) return tar_.add(out);
    out.size = entry.size;
    TRY(tar_.add(out));
    TRY_DOING(content(entry, layer, directory), format("reading {} of a layer", quoted("/" + out.path)));
    return {};
  }
  /// An empty file. Nothing but the name has a meaning; nothing else is there to differ.
  Result<> marker(std::string path) { return tar_.add({.type = archive::EntryType::file, .path = std::move(path), .mode = 0}); }
  Result<> finish() { return tar_.finish(); }

 private:
  Result<> content(const EntryView& entry, std::size_t layer, const std::string& directory) {
    if (entry.size == 0) return {};
    const auto [folder, name] = split_path(entry.path);
    if (roots_.size() <= layer) roots_.resize(layer + 1);
    if (!roots_[layer]) roots_[layer] = TRY(sys::open(directory, O_PATH | O_DIRECTORY));
    if (!folder_ || folder_layer_ != layer || folder_path_ != folder) {
      folder_ = TRY(open_below(roots_[layer], folder, O_PATH | O_DIRECTORY));
      folder_layer_ = layer;
      folder_path_ = folder;
    }
    const auto file = TRY(sys::open_at(folder_, std::string(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    // One byte more than expected is asked for: it tells that the end is reached, or that the file is longer.
    for (std::uint64_t left = entry.size;;) {
      const auto wanted = std::min<std::uint64_t>(left + 1, buffer_.size());
      const std::size_t n = TRY(sys::read_full(file, std::span(buffer_).first(wanted)));
      if (n > left || (n < wanted && n < left)) return fail(Errc::corrupt, "its size differs from the layer's listing");
      TRY(tar_.write(std::span(buffer_).first(n)));
      left -= n;
      if (n < wanted) return {};
    }
  }

  archive::TarWriter tar_;
  const std::optional<std::int64_t> clamp_ns_;
  std::vector<unsigned char> buffer_;
  std::vector<sys::Fd> roots_;  // by layer, opened when needed
  sys::Fd folder_;
  std::size_t folder_layer_ = 0;
  std::string folder_path_;
};

std::string beside(std::string_view path, std::string_view name) {
  const std::string_view folder = split_path(path).first;
  return folder.empty() ? std::string(name) : format("{}/{}", folder, name);
}

}  // namespace

Result<> write_layer_tar(const Listing& listing, const std::string& directory, stream::Sink& to, task::Cancel cancel,
                         std::optional<std::int64_t> clamp_ns) {
  Writer writer(to, clamp_ns);
  for (std::size_t i = 0; i < listing.size(); ++i) {
    TRY(cancel.check());
    const EntryView entry = listing[i];
    const std::string_view name = split_path(entry.path).second;
    if (entry.type == Type::whiteout) {
      TRY(writer.marker(beside(entry.path, format("{}{}", kWhiteout, name))));
      continue;
    }
    if (name.starts_with(kWhiteout))
      return fail(Error(Errc::unsupported, format("{} cannot be kept in an image layer", quoted("/" + std::string(entry.path))))
                      .with_hint("names that begin with \".wh.\" mark deleted files there: rename or remove it"));
    TRY(writer.entry(entry, entry.hard_link, 0, directory));
    if (entry.opaque) TRY(writer.marker(format("{}/{}", entry.path, kOpaque)));
  }
  return writer.finish();
}

Result<> write_tree_tar(const TreeView& tree, stream::Sink& to, task::Cancel cancel, std::optional<std::int64_t> clamp_ns) {
  Writer writer(to, clamp_ns);
  LinkGroups groups(tree);
  Result<> result;
  tree.walk("", [&](const TreeView::Found& found) {
    result = cancel.check();
    if (result) result = writer.entry(found.entry, groups.earlier_name(found).value_or(""), found.layer, tree.layers()[found.layer].directory);
    return result.has_value();
  });
  TRY(std::move(result));
  return writer.finish();
}

}  // namespace mica::snapshot
