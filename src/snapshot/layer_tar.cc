#include "snapshot/layer_tar.h"

#include <fcntl.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <deque>

#include "base/format.h"
#include "snapshot/layer_disk.h"
#include "snapshot/link_groups.h"
#include "snapshot/open_below.h"

namespace mica::snapshot {
namespace {

constexpr std::size_t kBuffer = 256 << 10;
constexpr std::size_t kMaxAhead = 32;  // entries, each may hold a file open
constexpr std::uint64_t kMaxAheadBytes = 16 << 20;
constexpr std::uint64_t kMaxAdvice = 1 << 20;  // of one file; beyond, the kernel sees that it is read from front to back
constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kOpaque = ".wh..wh..opq";

archive::EntryType tar_type(Type type) {
  switch (type) {
    case Type::file:
    case Type::whiteout:
      return archive::EntryType::file;
    case Type::directory:
      return archive::EntryType::directory;
    case Type::symlink:
      return archive::EntryType::symlink;
    case Type::char_device:
      return archive::EntryType::char_device;
    case Type::block_device:
      return archive::EntryType::block_device;
    case Type::fifo:
      return archive::EntryType::fifo;
  }
  return archive::EntryType::file;
}

/// Writes entries whose contents lie in the folders of one or several layers.
///
/// Files are opened, and the kernel is told to read them, some entries before it is their turn: a layer that is not in the page
/// cache comes in as fast as the disk can, not one small file after the other.
class Writer {
 public:
  Writer(stream::Sink& to, std::optional<std::int64_t> clamp_ns) : tar_(to), clamp_ns_(clamp_ns), buffer_(kBuffer) {}

  /// What `entry` refers to must live until finish().
  Result<> add(const EntryView& entry, std::string hard_link, std::size_t layer, const std::string& directory) {
    Item item{.entry = entry, .hard_link = std::move(hard_link)};
    if (entry.type == Type::file && item.hard_link.empty() && entry.size > 0) {
      item.file = open(entry, layer, directory);
      const auto wanted = std::min(entry.size, kMaxAdvice);
      if (item.file) ::posix_fadvise(item.file->get(), 0, static_cast<off_t>(wanted), POSIX_FADV_WILLNEED);
      ahead_bytes_ += wanted;
    }
    return push(std::move(item));
  }
  /// An empty file. Nothing but the name has a meaning; nothing else is there to differ.
  Result<> marker(std::string path) { return push({.marker = std::move(path)}); }
  Result<> finish() {
    while (!ahead_.empty()) TRY(pop());
    return tar_.finish();
  }

 private:
  struct Item {
    EntryView entry;
    std::string hard_link, marker;
    Result<sys::Fd> file;  // of one with content; a failure to open it is told when it is its turn
  };

  Result<sys::Fd> open(const EntryView& entry, std::size_t layer, const std::string& directory) {
    const auto [folder, name] = split_path(entry.path);
    if (roots_.size() <= layer) roots_.resize(layer + 1);
    if (!roots_[layer]) roots_[layer] = TRY(sys::open(directory, O_PATH | O_DIRECTORY));
    if (!folder_ || folder_layer_ != layer || folder_path_ != folder) {
      folder_ = TRY(open_below(roots_[layer], folder, O_PATH | O_DIRECTORY));
      folder_layer_ = layer;
      folder_path_ = folder;
    }
    return sys::open_at(folder_, std::string(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  }

  Result<> push(Item item) {
    ahead_.push_back(std::move(item));
    while (ahead_.size() > kMaxAhead || (ahead_bytes_ > kMaxAheadBytes && ahead_.size() > 1)) TRY(pop());
    return {};
  }
  Result<> pop() {
    const Item item = std::move(ahead_.front());
    ahead_.pop_front();
    if (!item.marker.empty()) return tar_.add({.type = archive::EntryType::file, .path = item.marker, .mode = 0});
    return write(item);
  }

  Result<> write(const Item& item) {
    const EntryView& entry = item.entry;
    archive::Entry out;
    out.type = tar_type(entry.type);
    out.path = entry.path;
    out.mode = entry.mode;
    out.uid = entry.uid;
    out.gid = entry.gid;
    out.mtime_ns = clamp_ns_ ? std::min(entry.mtime_ns, *clamp_ns_) : entry.mtime_ns;
    if (!item.hard_link.empty()) {
      out.type = archive::EntryType::hard_link;
      out.link = item.hard_link;
      return tar_.add(out);
    }
    out.link = entry.link;
    if (entry.type == Type::char_device || entry.type == Type::block_device) {
      out.device_major = major(entry.device);
      out.device_minor = minor(entry.device);
    }
    for (auto& attribute : unpack_xattrs(entry.xattrs))
      out.xattrs.emplace_back(std::move(attribute.name), std::move(attribute.value));
    if (entry.type != Type::file) return tar_.add(out);
    out.size = entry.size;
    TRY(tar_.add(out));
    if (entry.size == 0) return {};
    ahead_bytes_ -= std::min(entry.size, kMaxAdvice);
    TRY_DOING(content(item), format("reading {} of a layer", quoted("/" + out.path)));
    return {};
  }

  Result<> content(const Item& item) {
    if (!item.file) return fail(item.file.error());
    // One byte more than expected is asked for: it tells that the end is reached, or that the file is longer.
    for (std::uint64_t left = item.entry.size;;) {
      const auto wanted = std::min<std::uint64_t>(left + 1, buffer_.size());
      const std::size_t n = TRY(sys::read_full(*item.file, std::span(buffer_).first(wanted)));
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
  std::deque<Item> ahead_;
  std::uint64_t ahead_bytes_ = 0;
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
      return fail(Error(Errc::unsupported, format("{} cannot be kept in an image layer", quoted(format("/{}", entry.path))))
                      .with_hint("names that begin with \".wh.\" mark deleted files there: rename or remove it"));
    TRY(writer.add(entry, std::string(entry.hard_link), 0, directory));
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
    if (result)
      result =
          writer.add(found.entry, groups.earlier_name(found).value_or(""), found.layer, tree.layers()[found.layer].directory);
    return result.has_value();
  });
  TRY(std::move(result));
  return writer.finish();
}

}  // namespace mica::snapshot
