/// A source tree (a build context) made in a few lines. File contents lie in a temporary folder, under numbers.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "build/source_tree.h"
#include "support/layer_fixture.h"

namespace mica::testing {

class MemoryTree : public build::SourceTree {
 public:
  static constexpr std::int64_t kTime = 1'500'000'000'000'000'000;

  build::Node& file(const std::string& path, const std::string& content = "", std::uint32_t mode = 0644) {
    build::Node& node = add(path, snapshot::Type::file, mode);
    node.size = content.size();
    node.source_dir = contents_.path();
    node.source_path = std::to_string(count_++);
    must(sys::write_file(node.source_dir + "/" + node.source_path, content));
    digests_[path] = sha256(content);
    return node;
  }
  build::Node& folder(const std::string& path, std::uint32_t mode = 0755) { return add(path, snapshot::Type::directory, mode); }
  build::Node& soft_link(const std::string& path, const std::string& target) {
    build::Node& node = add(path, snapshot::Type::symlink, 0777);
    node.link = target;
    return node;
  }
  build::Node& add(const std::string& path, snapshot::Type type, std::uint32_t mode) {
    for (std::size_t slash = path.find('/'); slash != path.npos; slash = path.find('/', slash + 1)) {
      const auto [parent, is_new] = nodes_.try_emplace(path.substr(0, slash));
      if (is_new) parent->second = {.path = parent->first, .type = snapshot::Type::directory, .mode = 0755, .mtime_ns = kTime};
    }
    return nodes_[path] = {.path = path, .type = type, .mode = mode, .mtime_ns = kTime};
  }

  Result<std::optional<build::Node>> find(std::string_view path) override {
    if (path.empty()) return build::Node{.type = snapshot::Type::directory, .mode = 0755, .mtime_ns = kTime};
    const auto found = nodes_.find(std::string(path));
    if (found == nodes_.end()) return std::nullopt;
    return found->second;
  }
  Result<std::vector<build::Node>> children(std::string_view path) override {
    ++listed;
    const std::string prefix = path.empty() ? "" : std::string(path) + "/";
    std::vector<build::Node> nodes;
    for (const auto& [name, node] : nodes_)
      if (name.starts_with(prefix) && name.find('/', prefix.size()) == name.npos) nodes.push_back(node);
    return nodes;
  }
  std::string hidden_by(std::string_view path) override { return path == hidden ? rule : ""; }
  Result<> hash(std::span<build::Node*> files, task::Cancel) override {
    for (build::Node* file : files) file->digest = digests_.at(file->path);
    return {};
  }
  bool is_local_context() const override { return true; }
  std::string name() const override { return "the build context"; }

  std::string hidden, rule;
  int listed = 0;  ///< folders that were asked for

 private:
  sys::TempDir contents_ = must(sys::TempDir::create("/tmp", "mica-tree"));
  std::map<std::string, build::Node> nodes_;
  std::map<std::string, Sha256Bytes> digests_;
  int count_ = 0;
};

}  // namespace mica::testing
