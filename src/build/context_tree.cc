#include "build/context_tree.h"

#include <fcntl.h>

#include "base/format.h"
#include "snapshot/open_below.h"

namespace mica::build {
namespace {

using snapshot::Type;

std::string parent_of(std::string_view path) {
  return std::string(path.substr(0, path.find('/') == path.npos ? 0 : path.rfind('/')));
}
std::string_view last_part(std::string_view path) { return path.substr(path.rfind('/') + 1); }  // npos + 1 is 0
std::string join(const std::string& folder, std::string_view name) {
  return folder.empty() ? std::string(name) : format("{}/{}", folder, name);
}

}  // namespace

Result<> FilledTree::store(Node& node, stream::Source& content, std::uint64_t size, const task::Cancel& cancel) {
  Sha256 hash;
  sys::Fd file;
  if (size > 0) {
    if (!holder_) {
      holder_ = TRY(sys::TempDir::create(temporary_, "context"));
      contents_ = TRY(sys::open(holder_->path(), O_PATH | O_DIRECTORY));
      buffer_.resize(stream::kBufferBytes);
    }
    node.source_dir = holder_->path();
    node.source_path = std::to_string(count_++);
    file = TRY(sys::open_at(contents_, node.source_path, O_WRONLY | O_CREAT | O_EXCL, 0600));
  }
  for (std::uint64_t left = size; left > 0;) {
    TRY(cancel.check());
    const std::size_t n = TRY(content.read(std::span(buffer_).first(std::min<std::uint64_t>(left, buffer_.size()))));
    if (n == 0) return failf(Errc::corrupt, "{} has {} bytes less than it should", quoted(node.path), left);
    const auto bytes = std::span<const unsigned char>(buffer_).first(n);
    hash.update(bytes);
    TRY(sys::write_all(file, bytes));
    left -= n;
  }
  node.size = size;
  node.digest = hash.finish();
  return {};
}

void FilledTree::put(Node node) {
  Folder& folder = folders_[parent_of(node.path)];
  const auto [at, is_new] = folder.try_emplace(std::string(last_part(node.path)));
  if (!is_new && at->second.type == Type::directory && node.type != Type::directory) remove_below(node.path);
  at->second = std::move(node);
}

Node* FilledTree::at(std::string_view path) {
  if (path.empty()) return &root_;
  const auto folder = folders_.find(parent_of(path));
  if (folder == folders_.end()) return nullptr;
  const auto found = folder->second.find(last_part(path));
  return found == folder->second.end() ? nullptr : &found->second;
}

void FilledTree::remove_below(const std::string& folder) {
  std::vector<std::string> waiting = {folder};
  while (!waiting.empty()) {
    const std::string path = std::move(waiting.back());
    waiting.pop_back();
    const auto gone = folders_.extract(path);
    if (gone.empty()) continue;
    for (const auto& [name, node] : gone.mapped())
      if (node.type == Type::directory) waiting.push_back(join(path, name));
  }
}

Result<std::optional<Node>> FilledTree::find(std::string_view path) {
  const Node* node = at(path);
  return node ? std::optional(*node) : std::nullopt;
}

Result<std::vector<Node>> FilledTree::children(std::string_view path) {
  std::vector<Node> nodes;
  const auto folder = folders_.find(std::string(path));
  if (folder == folders_.end()) return nodes;
  nodes.reserve(folder->second.size());
  for (const auto& [name, node] : folder->second) nodes.push_back(node);
  return nodes;
}

Result<> FilledTree::hash(std::span<Node*> files, task::Cancel) {
  for (Node* file : files) {
    const Node* stored = at(file->path);
    if (!stored || !stored->digest) return failf(Errc::not_found, "{} is not in {}", quoted(file->path), name_);
    file->digest = stored->digest;
  }
  return {};
}

Result<std::optional<std::string>> read_tree_file(SourceTree& tree, std::string_view path, std::size_t limit) {
  const std::string real = TRY(tree.resolve(path));
  const auto node = TRY(tree.find(real));
  if (!node || node->type != Type::file) return std::nullopt;
  if (node->source_path.empty()) return std::optional(std::string());
  const auto folder = TRY(sys::open(node->source_dir, O_PATH | O_DIRECTORY));
  const auto file = TRY(snapshot::open_below(folder, node->source_path, O_RDONLY));
  auto text = TRY_DOING(sys::read_fd(file, limit), format("reading {}", quoted(path)));
  return std::optional(std::move(text));
}

}  // namespace mica::build
