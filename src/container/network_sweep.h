/// What dead monitors left on the ground: interfaces, firewall rules, addresses, bridges without users.
#pragma once
#include "container/network_ground.h"

namespace mica::container {

/// The ground must be locked. Cheap when there is nothing to do.
void sweep_ground(const Ground& ground);
/// The same, with the lock; for `system prune` and `fsck`. Errors: cancelled.
Result<> sweep_networks(const std::string& state_root, const task::Cancel& cancel);

}  // namespace mica::container
