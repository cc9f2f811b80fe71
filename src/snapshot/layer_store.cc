#include "snapshot/layer_store.h"

#include "base/format.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "snapshot/content_id.h"
#include "snapshot/layer_store_impl.h"
#include "sys/fault.h"

namespace mica::snapshot {

TreeId next_tree(const TreeId& parent, const std::string& content_id) {
  if (content_id.empty()) return parent;
  return Sha256().field(parent).field(content_id).finish_hex();
}

LayerStore::LayerStore(std::string root, std::string temporary, Guarded<db::Database>& database)
    : impl_(std::make_shared<Impl>(std::move(root), std::move(temporary), database)) {
  // Whatever stands in the way of this meets the first real query too, which can say so.
  if (const auto dropped = impl_->drop_lost_rows(); !dropped) log::debug("layers: {}", dropped.error().text());
}

std::string LayerStore::directory(const LayerId& id) const { return impl_->folder(id) + "/fs"; }

Result<Listing> LayerStore::listing(const LayerId& id) {
  {
    auto listings = impl_->listings.lock();
    if (const auto found = listings->find(id); found != listings->end()) return found->second;
  }
  Listing listing = TRY_DOING(Listing::open(impl_->folder(id) + "/list"), format("reading the listing of layer {}", id));
  impl_->listings.lock()->emplace(id, listing);
  return listing;
}

Result<TreeView> LayerStore::view(const Chain& chain) {
  std::vector<TreeView::Layer> layers;
  layers.reserve(chain.size());
  for (const auto& id : chain) {
    Listing listing = TRY(this->listing(id));
    layers.push_back({std::move(listing), directory(id)});
  }
  return TreeView(std::move(layers));
}

Result<TreeId> LayerStore::tree_id(const Chain& chain) {
  TreeId tree;
  for (const auto& id : chain) {
    std::optional<std::string> content;
    {
      auto known = impl_->content_ids.lock();
      if (const auto found = known->find(id); found != known->end()) content = found->second;
    }
    if (!content) {
      auto layer = TRY(info(id));
      content = std::move(layer.content_id);
      impl_->content_ids.lock()->emplace(id, *content);
    }
    tree = next_tree(tree, *content);
  }
  return tree;
}

std::string LayerStore::chain_key(const Chain& chain) {
  Sha256 hash;
  for (const auto& id : chain) hash.field(id);
  return hash.finish_hex();
}

Result<StagedLayer> LayerStore::stage() {
  StagedLayer staged(impl_->temporary + "/layer-" + random_hex(8));
  TRY(sys::make_directories(staged.fs(), 0755));
  TRY(sys::make_directories(staged.work(), 0755));
  return staged;
}

Result<LayerInfo> LayerStore::commit(StagedLayer staged, const Listing& listing, const TreeView& lower, std::string parent_key) {
  LayerInfo info{.id = random_hex(8), .content_id = content_id(listing, lower), .parent_key = std::move(parent_key)};
  info.bytes = static_cast<std::int64_t>(listing.bytes());
  info.entries = static_cast<std::int64_t>(listing.size());
  info.created_ns = now().ns;
  TRY(sys::remove_tree(staged.work()));
  TRY_DOING(listing.save(staged.path() + "/list"), "saving the layer's listing");
  TRY(sys::make_directories(impl_->layers(), 0755));
  TRY(sys::fault_point("layer listed"));
  {
    auto database = impl_->database.lock();
    auto transaction = TRY(database->begin());
    TRY(sys::rename(staged.path_, impl_->folder(info.id)));
    staged.path_ = impl_->folder(info.id);  // from here on it is removed there if the row cannot be entered
    TRY(sys::fault_point("layer renamed"));
    TRY_DOING(Impl::insert(*database, info), "entering the layer");
    TRY(std::move(transaction).commit());
    staged.path_.clear();
  }
  sys::crash_point("layer entered");
  impl_->listings.lock()->emplace(info.id, listing);
  impl_->content_ids.lock()->emplace(info.id, info.content_id);
  return info;
}

StagedLayer::StagedLayer(std::string path) : path_(std::move(path)) {}
StagedLayer::StagedLayer(StagedLayer&& other) noexcept : path_(std::exchange(other.path_, {})) {}
StagedLayer& StagedLayer::operator=(StagedLayer&& other) noexcept {
  std::swap(path_, other.path_);
  return *this;
}
StagedLayer::~StagedLayer() {
  if (path_.empty()) return;
  if (const auto removed = sys::remove_tree(path_); !removed) log::debug("layers: {}", removed.error().text());
}

// A layer that was moved away or committed has no place: a path made of nothing would be one of the host's.
const std::string& StagedLayer::path() const {
  MICA_ASSERT(!path_.empty(), "a staged layer is used once");
  return path_;
}
std::string StagedLayer::fs() const { return path() + "/fs"; }
std::string StagedLayer::work() const { return path() + "/work"; }

}  // namespace mica::snapshot
