#include "build/materialise.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <map>

#include "base/format.h"
#include "base/text.h"
#include "base/time.h"

namespace mica::build {
namespace {

using snapshot::Type;

Result<> collect(SourceTree& tree, const Node& node, std::vector<Node>& nodes, task::Cancel cancel) {
  TRY(cancel.check());
  nodes.push_back(node);
  if (node.type != Type::directory) return {};
  const auto children = TRY(tree.children(node.path));
  for (const Node& child : children) TRY(collect(tree, child, nodes, cancel));
  return {};
}

Result<> set_owner_and_mode(const std::string& path, const Node& node) {
  if (::lchown(path.c_str(), node.uid, node.gid) != 0) return fail_errno("setting the owner");
  if (node.type != Type::symlink && ::chmod(path.c_str(), node.mode) != 0) return fail_errno("setting the mode");
  return {};
}

Result<> set_time(const std::string& path, std::int64_t mtime_ns) {
  const Timestamp time{mtime_ns};
  const struct timespec both[2] = {{time.seconds(), time.nanos()}, {time.seconds(), time.nanos()}};
  return ::utimensat(AT_FDCWD, path.c_str(), both, AT_SYMLINK_NOFOLLOW) == 0 ? Result<>() : fail_errno("setting times");
}

Result<> make(const Node& node, const std::string& path) {
  switch (node.type) {
    case Type::directory:
      if (::mkdir(path.c_str(), 0700) != 0) return fail_errno("making a folder");
      break;
    case Type::symlink:
      if (::symlink(node.link.c_str(), path.c_str()) != 0) return fail_errno("making a link");
      break;
    case Type::file: {
      const auto to = TRY(sys::open(path, O_CREAT | O_EXCL | O_WRONLY, 0600));
      if (node.size > 0 || !node.source_path.empty()) {
        const auto folder = TRY(sys::open(node.source_dir, O_RDONLY | O_DIRECTORY));
        const auto from = TRY(sys::open_strict(folder, node.source_path, O_RDONLY));
        if (node.size > 0) TRY(sys::copy_bytes(from, to, node.size));
      }
      break;
    }
    case Type::fifo:
      if (::mkfifo(path.c_str(), 0600) != 0) return fail_errno("making a fifo");
      break;
    case Type::char_device:
    case Type::block_device:
      if (::mknod(path.c_str(), (node.type == Type::char_device ? S_IFCHR : S_IFBLK) | 0600u, node.device) != 0) return fail_errno("making a device");
      break;
    case Type::whiteout: return {};
  }
  return set_owner_and_mode(path, node);
}

}  // namespace

Result<std::vector<Node>> nodes_below(SourceTree& tree, const std::string& path, task::Cancel cancel) {
  tree.expect_all_below(path);
  const std::string real = TRY(tree.resolve(path));
  std::optional<Node> top;
  if (real.empty()) top = Node{.path = "", .type = Type::directory, .mode = 0755};
  else top = TRY(tree.find(real));
  if (!top) return failf(Errc::not_found, "failed to compute cache key: failed to calculate checksum of {}: {}: not found", tree.name(), quoted("/" + path));
  std::vector<Node> nodes;
  TRY(collect(tree, *top, nodes, cancel));
  return nodes;
}

Result<> materialise(const std::vector<Node>& nodes, const std::string& target, task::Cancel cancel) {
  const std::string top = nodes[0].path;
  std::map<std::uint64_t, std::string> linked;
  auto place = [&](const Node& node) { return node.path == top ? target : target + "/" + node.path.substr(top.empty() ? 0 : top.size() + 1); };
  for (const Node& node : nodes) {
    TRY(cancel.check());
    const std::string path = place(node);
    if (node.inode_group != 0 && node.type == Type::file) {
      const auto [first, is_new] = linked.emplace(node.inode_group, path);
      if (!is_new) {
        if (::link(first->second.c_str(), path.c_str()) != 0) return fail_errno(format("linking {}", node.path));
        continue;
      }
    }
    TRY_DOING(make(node, path), format("copying {}", node.path));
  }
  for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) TRY_DOING(set_time(place(*node), node->mtime_ns), format("copying {}", node->path));
  return {};
}

}  // namespace mica::build
