/// What moving an image tells while it works: one line a layer, in Docker's words.
#pragma once
#include <cstdint>
#include <functional>
#include <string>

namespace mica::engine {

struct TransferEvent {
  std::string id;                ///< twelve hex digits of the layer; empty: a remark for the user ("repeating ... in 1 s")
  std::string status;            ///< "Pulling fs layer", "Downloading", "Pull complete", "Pushed", ...
  std::int64_t done = 0, total = 0;   ///< bytes, of "Downloading" and "Pushing"; 0: not said
};
/// Called from any thread, one call at a time. May be empty.
using TransferEvents = std::function<void(const TransferEvent&)>;

}  // namespace mica::engine
