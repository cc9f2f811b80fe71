#include "engine/fill_volume.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/format.h"
#include "base/text.h"
#include "sys/lock.h"
#include "sys/process.h"

namespace mica::engine {
namespace {

Result<bool> is_empty(const std::string& folder) {
  const auto dir = TRY(sys::open(folder, O_RDONLY | O_DIRECTORY));
  const auto names = TRY(sys::list_names(dir));
  return names.empty();
}

}  // namespace

Result<> fill_volume(Engine&, const std::string& volume, const std::string& root, const std::string& target, const task::Cancel& cancel) {
  if (!TRY(is_empty(volume))) return {};
  const auto tree = TRY(sys::open(root, O_PATH | O_DIRECTORY));
  const auto from = sys::open_beneath(tree, target, O_RDONLY | O_DIRECTORY);
  if (!from) return {};   // the image has nothing there, or no folder
  const std::string place = dir_name(volume), filling = place + "/_filling";
  const auto lock = TRY(sys::FileLock::acquire(place + "/lock", sys::LockMode::exclusive, cancel.fd()));
  if (!TRY(is_empty(volume))) return {};
  TRY(sys::remove_tree(filling));
  TRY(sys::make_directories(filling, 0755));
  // cp keeps owners, times, hard links, holes and extended attributes, and follows no link. The folder is named by its descriptor, so that
  // nothing of the image's own links is followed on the way to it either.
  TRY(sys::run_and_capture({"cp", "-a", format("/proc/{}/fd/{}/.", ::getpid(), from->get()), filling}));
  if (::rename(filling.c_str(), volume.c_str()) != 0) return fail_errno(format("filling {}", volume));
  return {};
}

}  // namespace mica::engine
