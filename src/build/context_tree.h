/// A source tree that somebody fills: entries are kept in memory, contents as numbered files in a folder of ours. So nothing that
/// an archive says about names, links, owners or devices touches the disk, and it needs no rights to say it. Internal to the
/// module.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "build/source_tree.h"
#include "stream/stream.h"
#include "sys/fd.h"

namespace mica::build {

class FilledTree : public SourceTree {
 public:
  /// `temporary`: where the folder for contents is made, when the first file comes. `local`: as is_local_context() says.
  FilledTree(std::string temporary, std::string name, bool local)
      : temporary_(std::move(temporary)), name_(std::move(name)), local_(local) {}

  /// Writes `size` bytes and fills the node's size, digest and source. Errors: corrupt (fewer bytes), cancelled.
  Result<> store(Node& node, stream::Source& content, std::uint64_t size, const task::Cancel& cancel);
  /// Puts a node at its path, whose parent must be there. What was there goes, but for the contents of a folder when a folder
  /// comes.
  void put(Node node);
  /// Null: nothing there. Valid until the entry goes.
  Node* at(std::string_view path);
  void set_root_time(std::int64_t mtime_ns) { root_.mtime_ns = mtime_ns; }

  Result<std::optional<Node>> find(std::string_view path) override;
  Result<std::vector<Node>> children(std::string_view path) override;
  Result<> hash(std::span<Node*> files, task::Cancel cancel) override;
  bool is_local_context() const override { return local_; }
  std::string name() const override { return name_; }

 private:
  using Folder = std::map<std::string, Node, std::less<>>;
  void remove_below(const std::string& folder);

  const std::string temporary_, name_;
  const bool local_;
  Node root_{.type = snapshot::Type::directory, .mode = 0755};
  std::unordered_map<std::string, Folder> folders_;  // entries by the folder that they are in
  std::optional<sys::TempDir> holder_;
  sys::Fd contents_;
  std::uint64_t count_ = 0;
  std::vector<unsigned char> buffer_;
};

/// The bytes of a file of any tree, its own links and those on the way followed; nullopt: there is no such file.
/// Errors: resource_exhausted beyond `limit`, those of reading.
Result<std::optional<std::string>> read_tree_file(SourceTree& tree, std::string_view path, std::size_t limit);

}  // namespace mica::build
