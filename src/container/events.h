/// The journal of what happened to containers, images, networks and volumes: one JSON object a line in `events` of the state folder, in Docker's
/// form: {"Type","Action","Actor":{"ID","Attributes"},"scope":"local","time","timeNano"} (status, id and from too for containers and images).
#pragma once
#include <functional>
#include <string>

#include "base/error.h"
#include "base/time.h"
#include "container/definition.h"
#include "json/json.h"

namespace mica::container {

struct Event {
  std::string type;                                     ///< container, image, network, volume, builder
  std::string action;                                   ///< create, start, die, health_status: healthy, ...
  std::string id;                                       ///< of the actor; images: their name or id
  Pairs attributes;                                     ///< "image", "name", "exitCode", labels...
  Timestamp time;                                       ///< 0: now
};
/// One write, appended whole also when several processes write. Rotates at 16 MiB (one old file is kept). Failing to write is no reason to fail: it is
/// logged for --debug.
void record_event(const std::string& state_root, Event event);

/// Events from `since` on (nothing: from now), then those to come until `until`, or until stop_fd is readable.
Result<> read_events(const std::string& state_root, std::optional<Timestamp> since, std::optional<Timestamp> until,
                     const std::function<Result<>(const json::Value&)>& event, int stop_fd = -1);

}  // namespace mica::container
