#include "build/new_folder.h"

#include <sys/stat.h>

namespace mica::build {

snapshot::Meta new_folder(snapshot::Meta fresh, const std::optional<snapshot::Entry>& parent, bool has_owner) {
  if (!parent || (parent->mode & S_ISGID) == 0) return fresh;
  fresh.mode |= S_ISGID;
  if (!has_owner) fresh.gid = parent->gid;
  return fresh;
}

}  // namespace mica::build
