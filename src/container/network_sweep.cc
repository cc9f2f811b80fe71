#include "container/network_sweep.h"

#include <dirent.h>

#include "container/network_bridge.h"
#include "container/network_records.h"

namespace mica::container {

void sweep_ground(const Ground& ground) {
  forget_dead(ground, ground.folder);
  std::vector<std::string> folders;
  if (DIR* directory = ::opendir(ground.folder.c_str())) {
    while (const auto* entry = ::readdir(directory))
      if (entry->d_type == DT_DIR && entry->d_name[0] != '.') folders.push_back(ground.folder + "/" + entry->d_name);
    ::closedir(directory);
  }
  for (const auto& folder : folders) {
    forget_dead(ground, folder);
    remove_unused_bridge(ground, folder);
  }
}

Result<> sweep_networks(const std::string& state_root, const task::Cancel& cancel) {
  const std::string folder = TRY(network_folder(state_root));
  auto lock = TRY(lock_ground(folder, cancel));
  const auto ground = TRY(open_ground(folder, false));
  sweep_ground(ground);
  return {};
}

}  // namespace mica::container
