#include "snapshot/layer_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/format.h"
#include "snapshot/layer_writer-impl.h"
#include "snapshot/resolve_links.h"

namespace mica::snapshot {
namespace {

Result<> check_path(std::string_view path) {
  if (!path.empty() && path.find('\0') == path.npos) {
    bool clean = true;
    for (std::size_t begin = 0; clean && begin <= path.size();) {
      const std::size_t end = std::min(path.find('/', begin), path.size());
      const std::string_view part = path.substr(begin, end - begin);
      clean = !part.empty() && part != "." && part != "..";
      begin = end + 1;
    }
    if (clean) return {};
  }
  return failf(Errc::invalid_argument, "{} is not a clean relative path", quoted(path));
}

std::unexpected<Error> not_a_folder(std::string_view path) {
  return failf(Errc::conflict, "{} is not a folder", quoted(format("/{}", path)));
}

}  // namespace

Meta meta_of(const EntryView& entry) {
  return {
      .mode = entry.mode, .uid = entry.uid, .gid = entry.gid, .mtime_ns = entry.mtime_ns, .xattrs = std::string(entry.xattrs)};
}

void set_meta(Entry& entry, const Meta& meta) {
  entry.mode = meta.mode & 07777;
  entry.uid = meta.uid;
  entry.gid = meta.gid;
  entry.mtime_ns = meta.mtime_ns;
  entry.xattrs = layer_xattrs(meta.xattrs);
}

Result<> LayerWriter::Impl::start() {
  if (disk) return {};
  disk = TRY(LayerDisk::open(fs));
  behind.emplace(*disk, memory, pool);
  return {};
}

LayerNode* LayerWriter::Impl::own(std::string_view path) {
  const auto found = nodes.find(path);
  return found == nodes.end() ? nullptr : &found->second;
}

std::optional<TreeView::Found> LayerWriter::Impl::lower_at(std::string_view path) {
  for (auto slash = path.find('/'); slash != path.npos; slash = path.find('/', slash + 1)) {
    const LayerNode* above = own(path.substr(0, slash));
    if (!above) break;  // nor is anything deeper
    if (above->entry.type != Type::directory || above->entry.opaque) return std::nullopt;
  }
  return finder.find(path);
}

Result<> LayerWriter::Impl::ensure_folder(std::string_view path, const Meta& fresh) {
  if (path.empty() || path == last_folder) return {};
  bool hidden = false;  // the lower tree has no say any more
  for (std::size_t end = 0; end < path.size();) {
    end = std::min(path.find('/', end + 1), path.size());
    const std::string_view part = path.substr(0, end);
    const auto node = nodes.find(part);
    if (node != nodes.end() && node->second.entry.type == Type::directory) {
      hidden |= node->second.entry.opaque;
      continue;
    }
    if (node != nodes.end()) {
      if (node->second.entry.type != Type::whiteout) return not_a_folder(part);
      TRY(erase(node));
      TRY(add_folder(part, fresh, true));
      hidden = true;
      continue;
    }
    const auto below = hidden ? std::nullopt : finder.find(part);
    if (below && below->entry.type != Type::directory) return not_a_folder(part);
    TRY(add_folder(part, below ? meta_of(below->entry) : fresh, false));
  }
  last_folder = path;
  return {};
}

Result<> LayerWriter::Impl::add_folder(std::string_view path, const Meta& meta, bool opaque) {
  const auto [parent, name] = split_path(path);
  const auto make = [&]() -> Result<> {
    const sys::Fd* folder = TRY(disk->folder(parent));
    return disk->make_folder(*folder, std::string(name));
  };
  TRY_DOING(make(), quoted(path));
  Entry& entry = nodes[std::string(path)].entry;
  entry.type = Type::directory;
  entry.opaque = opaque;
  set_meta(entry, meta);
  return {};
}

Result<LayerWriter::Impl::Nodes::iterator> LayerWriter::Impl::claim(const std::string& path, const Meta& meta) {
  TRY(check_path(path));
  TRY(start());
  TRY(ensure_folder(split_path(path).first, {.mtime_ns = meta.mtime_ns}));
  const auto [node, is_new] = nodes.try_emplace(path);
  if (is_new) return node;
  if (node->second.entry.type == Type::directory) return failf(Errc::conflict, "{} is a folder", quoted("/" + path));
  TRY(erase(node));
  return nodes.try_emplace(path).first;
}

Result<> LayerWriter::Impl::erase(Nodes::iterator node) {
  TRY(settle());
  const std::string path = node->first;
  const auto [parent, name] = split_path(path);
  const sys::Fd* folder = TRY(disk->folder(parent));
  if (node->second.entry.type != Type::directory) {
    if (::unlinkat(folder->get(), std::string(name).c_str(), 0) != 0)
      return fail(std::move(fail_errno("removing").error().doing(path)));
    nodes.erase(node);
    return {};
  }
  TRY(sys::remove_tree_at(*folder, std::string(name)));
  disk->forget(path);
  last_folder.clear();
  nodes.erase(node);
  nodes.erase(nodes.lower_bound(path + "/"), nodes.lower_bound(path + "0"));  // '0' follows '/'
  return {};
}

Result<> LayerWriter::Impl::settle() {
  if (!behind || (behind->empty() && pending_links.empty())) return {};
  TRY(behind->wait([this](WriteBehind::File& file) {
    Entry& shared = attributes(*file.node);
    shared.size = file.placed.size;
    shared.digest = file.placed.digest;
    shared.xattrs = std::move(file.placed.xattrs);
    file.node->pending = false;
  }));
  for (const auto& [node, existing] : pending_links) {
    TRY(link_on_disk(node->first, existing));
    node->second.pending = false;
  }
  pending_links.clear();
  return {};
}

Result<> LayerWriter::Impl::drop_idle_whiteouts() {
  for (auto next = nodes.begin(); next != nodes.end();) {
    const auto node = next++;
    if (node->second.entry.type != Type::whiteout) continue;
    bool idle = false;
    for (std::string_view above = split_path(node->first).first; !idle && !above.empty(); above = split_path(above).first)
      idle = own(above)->entry.opaque;
    if (idle) TRY(erase(node));
  }
  return {};
}

LayerWriter::LayerWriter(const StagedLayer& staged, const TreeView& lower, task::Pool& pool)
    : impl_(std::make_unique<Impl>(staged, lower, pool)) {}
LayerWriter::~LayerWriter() = default;

Result<> LayerWriter::ensure_directory(const std::string& path, const Meta& fresh) {
  if (path.empty()) return {};
  TRY(check_path(path));
  TRY(impl_->start());
  return impl_->ensure_folder(path, fresh);
}

Result<> LayerWriter::directory(const std::string& path, const Meta& meta, bool replace) {
  TRY(check_path(path));
  TRY(impl_->start());
  const std::string_view parent = split_path(path).first;
  TRY(impl_->ensure_folder(parent, {.mtime_ns = meta.mtime_ns}));
  const auto node = impl_->nodes.find(path);
  if (node == impl_->nodes.end()) return impl_->add_folder(path, meta, false);
  Entry& entry = node->second.entry;
  if (entry.type == Type::directory) {
    set_meta(entry, meta);
    return {};
  }
  const bool was_hidden = entry.type == Type::whiteout;
  if (!was_hidden && !replace) return not_a_folder(path);
  TRY(impl_->erase(node));
  return impl_->add_folder(path, meta, was_hidden);
}

Result<> LayerWriter::symlink(const std::string& path, const std::string& target, const Meta& meta) {
  const auto node = TRY(impl_->claim(path, meta));
  const auto make = [&]() -> Result<> {
    const auto [parent, name] = split_path(path);
    const sys::Fd* folder = TRY(impl_->disk->folder(parent));
    TRY(impl_->disk->make_symlink(*folder, std::string(name), target));
    Entry& entry = node->second.entry;
    entry.type = Type::symlink;
    entry.link = target;
    set_meta(entry, meta);
    entry.mode = 0777;
    entry.xattrs = TRY(impl_->disk->label(*folder, std::string(name), entry.type, meta_of(entry.view()), true));
    return {};
  };
  TRY_DOING(make(), quoted(path));
  return {};
}

Result<> LayerWriter::device(const std::string& path, Type type, std::uint64_t device, const Meta& meta) {
  const bool known = type == Type::char_device || type == Type::block_device || type == Type::fifo;
  if (!known || (type == Type::char_device && device == 0))
    return failf(Errc::invalid_argument, "{} is not a device", quoted(path));
  const auto node = TRY(impl_->claim(path, meta));
  const auto make = [&]() -> Result<> {
    const auto [parent, name] = split_path(path);
    const sys::Fd* folder = TRY(impl_->disk->folder(parent));
    if (auto made = impl_->disk->make_device(*folder, std::string(name), type, device); !made) {
      impl_->nodes.erase(node);
      return made;
    }
    Entry& entry = node->second.entry;
    entry.type = type;
    entry.device = type == Type::fifo ? 0 : device;
    set_meta(entry, meta);
    entry.xattrs = TRY(impl_->disk->label(*folder, std::string(name), type, meta_of(entry.view()), true));
    return {};
  };
  TRY_DOING(make(), quoted(path));
  return {};
}

Result<> LayerWriter::whiteout(const std::string& path) {
  TRY(check_path(path));
  TRY(impl_->start());
  const auto [parent, name] = split_path(path);
  TRY(impl_->ensure_folder(parent, {}));
  if (const auto node = impl_->nodes.find(path); node != impl_->nodes.end()) {
    if (node->second.entry.type == Type::whiteout) return {};
    TRY(impl_->erase(node));
  }
  const auto make = [&]() -> Result<> {
    const sys::Fd* folder = TRY(impl_->disk->folder(parent));
    return impl_->disk->make_device(*folder, std::string(name), Type::whiteout, 0);
  };
  TRY_DOING(make(), format("hiding {}", quoted(path)));
  impl_->nodes[path].entry.type = Type::whiteout;
  return {};
}

Result<> LayerWriter::opaque(const std::string& directory) {
  if (!directory.empty()) {
    TRY(ensure_directory(directory, {}));
    impl_->own(directory)->entry.opaque = true;
    return {};
  }
  // Overlayfs does not look for marks on the roots of its layers, and the root has no place in a listing.
  for (const auto& name : impl_->lower.children("")) {
    LayerNode* node = impl_->own(name);
    if (!node)
      TRY(whiteout(name));
    else if (node->entry.type == Type::directory)
      node->entry.opaque = true;
  }
  return {};
}

Result<> LayerWriter::relabel(const std::string& path, const Meta& meta) {
  LayerNode* node = impl_->own(path);
  if (!node || node->entry.type == Type::whiteout) return failf(Errc::not_found, "{} is not in the layer", quoted(path));
  if (node->entry.type == Type::directory) return failf(Errc::conflict, "{} is a folder", quoted(path));
  TRY(impl_->settle());
  Entry& shared = impl_->attributes(*node);
  set_meta(shared, meta);
  if (node->entry.type == Type::symlink) shared.mode = 0777;
  const auto label = [&]() -> Result<> {
    const auto [parent, name] = split_path(path);
    const sys::Fd* folder = TRY(impl_->disk->folder(parent));
    shared.xattrs = TRY(impl_->disk->label(*folder, std::string(name), node->entry.type, meta_of(shared.view()), false));
    return {};
  };
  TRY_DOING(label(), quoted(path));
  return {};
}

std::optional<Entry> LayerWriter::find(std::string_view path) const {
  if (path.empty()) return Entry{.type = Type::directory, .mode = 0755};
  LayerNode* node = impl_->own(path);
  if (!node) {
    const auto below = impl_->lower_at(path);
    if (!below) return std::nullopt;
    return Entry::of(below->entry);
  }
  if (node->entry.type == Type::whiteout) return std::nullopt;
  Entry entry = impl_->attributes(*node);
  entry.path = path;
  entry.opaque = false;
  return entry;
}

std::optional<Type> LayerWriter::own_type(std::string_view path) const {
  if (path.empty()) return Type::directory;
  const LayerNode* node = impl_->own(path);
  if (!node) return std::nullopt;
  return node->entry.type;
}

Result<std::string> LayerWriter::resolve(std::string_view path, bool follow_last) const {
  return resolve_links(path, follow_last, [this](const std::string& at) -> std::optional<std::string> {
    if (const LayerNode* node = impl_->own(at)) {
      if (node->entry.type != Type::symlink) return std::nullopt;
      return node->entry.link;
    }
    const auto below = impl_->lower_at(at);
    if (!below || below->entry.type != Type::symlink) return std::nullopt;
    return std::string(below->entry.link);
  });
}

Result<> LayerWriter::remove(const std::string& path) {
  const auto node = impl_->nodes.find(path);
  if (node == impl_->nodes.end()) return failf(Errc::not_found, "{} is not in the layer", quoted(path));
  return impl_->erase(node);
}

Result<Listing> LayerWriter::finish() {
  auto& nodes = impl_->nodes;
  TRY(impl_->start());
  TRY(impl_->settle());
  TRY(impl_->drop_idle_whiteouts());
  // Deepest first: a folder may lose our own right to enter it.
  for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) {
    Entry& entry = node->second.entry;
    if (entry.type != Type::directory) continue;
    const auto label = [&]() -> Result<> {
      const auto [parent, name] = split_path(node->first);
      const sys::Fd* folder = TRY(impl_->disk->folder(parent));
      if (entry.opaque) TRY(impl_->disk->mark_opaque(*folder, std::string(name)));
      entry.xattrs = TRY(impl_->disk->label(*folder, std::string(name), entry.type, meta_of(entry.view()), true));
      return {};
    };
    TRY_DOING(label(), quoted(node->first));
  }
  std::vector<Entry> entries;
  entries.reserve(nodes.size());
  std::vector<std::string> heads(impl_->groups.size());  // path of each group's first name
  while (!nodes.empty()) {
    auto node = nodes.extract(nodes.begin());
    LayerNode& value = node.mapped();
    Entry entry = value.group ? impl_->groups[value.group - 1] : std::move(value.entry);
    entry.path = std::move(node.key());
    if (value.group) {
      std::string& head = heads[value.group - 1];
      if (head.empty())
        head = entry.path;
      else
        entry.hard_link = head;
    }
    entries.push_back(std::move(entry));
  }
  return Listing::build(std::move(entries));
}

}  // namespace mica::snapshot
