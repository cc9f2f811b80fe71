#include "build/tar_context.h"

#include <sys/sysmacros.h>

#include <algorithm>
#include <limits>

#include "archive/tar.h"
#include "archive/tar_format.h"
#include "base/format.h"
#include "base/text.h"
#include "build/archive_types.h"
#include "build/context_tree.h"
#include "stream/compression.h"

namespace mica::build {
namespace {

using archive::EntryType;
using snapshot::Type;

constexpr std::size_t kMaxEntries = 4'000'000;  // each costs some hundred bytes of memory, and of a tar that compresses well
constexpr std::size_t kMaxPath = 4095;          // PATH_MAX
constexpr std::size_t kMaxName = 255;

std::unexpected<Error> corrupt(std::string_view path, std::string_view why) {
  return failf(Errc::corrupt, "the archive's entry {}: {}", quoted(path.substr(0, 300)), why);
}

std::string parent_of(std::string_view path) {
  return std::string(path.substr(0, path.find('/') == path.npos ? 0 : path.rfind('/')));
}
std::string join(const std::string& folder, std::string_view name) {
  return folder.empty() ? std::string(name) : format("{}/{}", folder, name);
}

/// Clean and relative; "" is the root.
Result<std::string> clean_name(const std::string& name) {
  const auto start = name.find_first_not_of('/');
  if (start == name.npos) return std::string();
  std::string clean = clean_path(std::string_view(name).substr(start));
  if (clean == ".." || clean.starts_with("../")) return corrupt(name, "its name climbs out of the archive");
  if (clean.find('\0') != clean.npos) return corrupt(name, "its name has a NUL");
  if (clean.size() > kMaxPath) return corrupt(name, "its name is too long");
  for (const auto part : split(clean, '/'))
    if (part.size() > kMaxName) return corrupt(name, "a part of its name is too long");
  return clean == "." ? std::string() : clean;
}

class Unpacker {
 public:
  Unpacker(FilledTree& tree, const task::Cancel& cancel) : tree_(tree), cancel_(cancel) {}

  Result<> run(archive::TarReader& tar) {
    for (std::size_t count = 0;; ++count) {
      TRY(cancel_.check());
      const auto entry = TRY(tar.next());
      if (!entry) return {};
      if (count == kMaxEntries) return failf(Errc::resource_exhausted, "an archive of more than {} entries", kMaxEntries);
      TRY(add(*entry, tar.data()));
    }
  }

 private:
  Result<> add(const archive::Entry& entry, stream::Source& data) {
    const std::string name = TRY(clean_name(entry.path));
    if (name.empty()) {  // its own "./" says nothing but the time
      tree_.set_root_time(entry.mtime_ns);
      return {};
    }
    const std::string folder = TRY(real_folder(parent_of(name), entry));
    Node node = TRY(node_of(entry, join(folder, base_name(name))));
    if (entry.type == EntryType::hard_link) return add_hard_link(entry, std::move(node));
    if (entry.type == EntryType::file) TRY(tree_.store(node, data, entry.size, cancel_));
    put(std::move(node));
    return {};
  }

  void put(Node node) {
    const Node* there = tree_.at(node.path);
    if (there && (there->type == Type::directory || there->type == Type::symlink))
      last_.reset();  // it may have led to the last parent
    tree_.put(std::move(node));
  }

  static Result<Node> node_of(const archive::Entry& entry, std::string path) {
    constexpr std::uint64_t kMaxId = std::numeric_limits<std::uint32_t>::max() - 1;
    if (entry.uid > kMaxId || entry.gid > kMaxId)
      return corrupt(entry.path, format("its owner {}:{} is out of range", entry.uid, entry.gid));
    Node node{.path = std::move(path), .type = type_of(entry.type), .mode = entry.mode};
    node.uid = static_cast<std::uint32_t>(entry.uid);
    node.gid = static_cast<std::uint32_t>(entry.gid);
    node.mtime_ns = entry.mtime_ns;
    if (node.type == Type::symlink) {
      if (entry.link.empty() || entry.link.size() > kMaxPath || entry.link.find('\0') != entry.link.npos)
        return corrupt(entry.path, "a link to nowhere");
      node.link = entry.link;
      node.mode = 0777;
    }
    if (node.type == Type::char_device || node.type == Type::block_device)
      node.device = makedev(entry.device_major, entry.device_minor);
    std::vector<sys::Xattr> attributes;
    for (const auto& [key, value] : entry.xattrs)
      if (snapshot::is_layer_xattr(key)) attributes.push_back({key, value});
    node.xattrs = snapshot::pack_xattrs(attributes);
    return node;
  }

  /// The folder that a path of the archive means, made with its parents when missing.
  Result<std::string> real_folder(const std::string& named, const archive::Entry& entry) {
    if (named.empty()) return std::string();
    if (last_ && last_->first == named) return last_->second;
    std::string real = TRY_DOING(tree_.resolve(named), format("the archive's entry {}", quoted(entry.path.substr(0, 300))));
    if (real.size() > kMaxPath) return corrupt(entry.path, "links make its name too long");
    for (std::size_t end = 0; end < real.size();) {
      end = std::min(real.find('/', end + 1), real.size());
      const std::string part = real.substr(0, end);
      const Node* there = tree_.at(part);
      if (there && there->type != Type::directory) return corrupt(entry.path, format("{} is no folder", quoted(part)));
      // The entry's time, not the clock's: the same archive gives the same tree.
      if (!there) tree_.put({.path = part, .type = Type::directory, .mode = 0755, .mtime_ns = entry.mtime_ns});
    }
    last_ = {named, real};
    return real;
  }

  /// As tar does it: the last entry's owner, mode and time are the inode's. Attributes are not repeated by every archiver.
  Result<> add_hard_link(const archive::Entry& entry, Node node) {
    const std::string named = TRY(clean_name(entry.link));
    const std::string folder =
        TRY_DOING(tree_.resolve(parent_of(named)), format("the archive's entry {}", quoted(entry.path.substr(0, 300))));
    const std::string existing = join(folder, base_name(named));
    Node* target = named.empty() ? nullptr : tree_.at(existing);
    if (!target || target->type == Type::directory)
      return corrupt(entry.path, format("a hard link to {}, which is not there as a file", quoted(entry.link)));
    if (target->type == Type::file && target->inode_group == 0) {
      names_.push_back({existing});
      target->inode_group = names_.size();
    }
    Node linked = *target;
    linked.path = node.path;
    if (linked.type == Type::file && linked.path != existing) names_[linked.inode_group - 1].push_back(linked.path);
    if (linked.type != Type::symlink) linked.mode = node.mode;
    linked.uid = node.uid;
    linked.gid = node.gid;
    linked.mtime_ns = node.mtime_ns;
    if (!node.xattrs.empty()) linked.xattrs = node.xattrs;
    if (linked.type == Type::file) {
      for (const std::string& name : names_[linked.inode_group - 1])
        if (Node* other = tree_.at(name); other && other->inode_group == linked.inode_group) relabel(*other, linked);
    } else {
      relabel(*target, linked);
    }
    put(std::move(linked));
    return {};
  }
  static void relabel(Node& node, const Node& as) {
    node.mode = as.mode;
    node.uid = as.uid;
    node.gid = as.gid;
    node.mtime_ns = as.mtime_ns;
    node.xattrs = as.xattrs;
  }

  FilledTree& tree_;
  const task::Cancel& cancel_;
  std::optional<std::pair<std::string, std::string>> last_;  // the last parent: as the archive names it, and without links
  std::vector<std::vector<std::string>> names_;              // of each group of hard links, number 1 first
};

}  // namespace

bool looks_like_archive(std::string_view bytes) {
  if (stream::detect(bytes) != stream::Compression::none) return true;
  if (bytes.size() < archive::kBlock) return false;
  archive::Block block;
  std::copy_n(bytes.begin(), block.size(), block.begin());
  return archive::is_zero(block) || archive::checksum_matches(block);
}

Result<std::unique_ptr<SourceTree>> read_tar_context(stream::Source& from, const std::string& temporary, std::string name,
                                                     task::Cancel cancel) {
  stream::PeekSource peeked(from);
  const auto kind = stream::detect(TRY(peeked.peek(6)));
  std::unique_ptr<stream::Source> plain;
  if (kind != stream::Compression::none) plain = TRY(stream::decompress(peeked, kind));
  archive::TarReader tar(plain ? *plain : static_cast<stream::Source&>(peeked));
  auto tree = std::make_unique<FilledTree>(temporary, std::move(name), false);
  TRY(Unpacker(*tree, cancel).run(tar));
  return std::unique_ptr<SourceTree>(std::move(tree));
}

}  // namespace mica::build
