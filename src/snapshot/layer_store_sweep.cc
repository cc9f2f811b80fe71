// Removing layers that nothing needs.
#include <fcntl.h>

#include <algorithm>
#include <set>

#include "base/format.h"
#include "base/log.h"
#include "snapshot/layer_store_impl.h"
#include "sys/fault.h"

namespace mica::snapshot {
namespace {

Result<std::vector<std::string>> folders_in(const std::string& path) {
  const auto folder = sys::open(path, O_RDONLY | O_DIRECTORY);
  if (folder) return sys::list_names(*folder);
  if (folder.error().code() == Errc::not_found) return std::vector<std::string>();
  return fail(folder.error());
}

}  // namespace

Result<std::int64_t> LayerStore::sweep(const std::vector<LayerId>& keep) {
  std::int64_t freed = 0;
  std::vector<LayerId> doomed;
  {
    auto database = impl_->database.lock();
    auto transaction = TRY(database->begin());
    std::set<LayerId> kept;
    auto rows = TRY(database->prepare("SELECT id, bytes, EXISTS (SELECT 1 FROM lease WHERE lease.layer = layer.id) FROM layer"));
    while (TRY(rows.step())) {
      LayerId id = rows.text(0);
      if (rows.integer(2) || std::binary_search(keep.begin(), keep.end(), id)) {
        kept.insert(std::move(id));
      } else {
        freed += rows.integer(1);
        doomed.push_back(std::move(id));
      }
    }
    auto drop = TRY(database->prepare("DELETE FROM layer WHERE id = ?"));
    for (const auto& id : doomed) TRY(drop.reset().bind(id).run());
    // Under the write lock nobody is between a rename and its row: what has no row now was left by a crash.
    const auto names = TRY(folders_in(impl_->layers()));
    std::sort(doomed.begin(), doomed.end());
    const auto rows_end = static_cast<std::ptrdiff_t>(doomed.size());
    for (const auto& name : names) {
      if (kept.count(name) || std::binary_search(doomed.begin(), doomed.begin() + rows_end, name)) continue;
      if (const auto orphan = Listing::open(impl_->folder(name) + "/list")) freed += static_cast<std::int64_t>(orphan->bytes());
      doomed.push_back(name);
    }
    TRY(sys::fault_point("layers dropped"));
    TRY(std::move(transaction).commit());
  }
  sys::crash_point("layer rows deleted");
  for (const auto& id : doomed) {
    impl_->listings.lock()->erase(id);
    impl_->content_ids.lock()->erase(id);
    // Out of the way first, in one step: half a layer is never at its name.
    const std::string away = impl_->temporary + "/swept-" + id;
    const auto moved = sys::rename(impl_->folder(id), away);
    if (!moved && moved.error().code() == Errc::not_found) continue;
    if (!moved) return fail(moved.error());
    TRY(sys::remove_tree(away));
  }
  log::debug("layers: removed {}", doomed.size());
  return freed;
}

}  // namespace mica::snapshot
