// DiffIDs of layers, each computed once however many ask.
#include <chrono>

#include "base/format.h"
#include "snapshot/layer_store_impl.h"
#include "snapshot/layer_tar.h"
#include "stream/stream.h"

namespace mica::snapshot {
namespace {

// A stop token cannot wake a waiter on a condition.
constexpr std::chrono::milliseconds kLookForStop{20};

}  // namespace

Result<oci::DiffId> LayerStore::diff_id(const LayerId& id, task::Cancel cancel) {
  for (;;) {
    const auto known = TRY(info(id));
    if (known.diff_id) return *known.diff_id;
    auto computations = impl_->computations.lock();
    auto& running = (*computations)[id];
    if (!running) {
      const auto mine = running = std::make_shared<Impl::Computation>();
      computations.mutex().unlock();
      auto result = compute_diff_id(id, cancel);
      computations.mutex().lock();
      mine->result = result;
      computations->erase(id);
      impl_->computed.notify_all();
      return result;
    }
    const auto theirs = running;
    while (!theirs->result) {
      TRY(cancel.check());
      impl_->computed.wait_for(computations.mutex(), kLookForStop);
    }
    // Somebody else's stop is not ours: start again.
    if (*theirs->result || theirs->result->error().code() != Errc::cancelled) return *theirs->result;
  }
}

Result<oci::DiffId> LayerStore::compute_diff_id(const LayerId& id, const task::Cancel& cancel) {
  // Again, now that nobody else computes it: the last one may have ended between the look and our start.
  const auto known = TRY(info(id));
  if (known.diff_id) return *known.diff_id;
  const Listing entries = TRY(listing(id));
  stream::HashingSink hash(nullptr);
  TRY_DOING(write_layer_tar(entries, directory(id), hash, cancel), format("computing the DiffID of layer {}", id));
  const oci::DiffId diff_id{oci::Digest::from_hex(hash.finish_hex())};
  const bool read_only = impl_->database.lock()->read_only();
  if (!read_only) TRY(set_diff_id(id, diff_id));
  return diff_id;
}

}  // namespace mica::snapshot
