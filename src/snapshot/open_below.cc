#include "snapshot/open_below.h"

#include <fcntl.h>

namespace mica::snapshot {

// A layer may hold paths beyond PATH_MAX (4096): they are made by walking down, and `rm -rf` and tar cope with them.
constexpr std::size_t kMostAtOnce = 4000;

Result<sys::Fd> open_below(const sys::Fd& root, std::string_view path, int flags) {
  if (path.empty()) return sys::open_at(root, ".", flags);
  sys::Fd folder;
  while (path.size() > kMostAtOnce) {
    const std::size_t slash = path.rfind('/', kMostAtOnce);
    if (slash == path.npos || slash == 0) return fail(Error::os(ENAMETOOLONG, "opening a layer's file"));
    folder = TRY(sys::open_strict(folder ? folder : root, std::string(path.substr(0, slash)), O_PATH | O_DIRECTORY));
    path.remove_prefix(slash + 1);
  }
  return sys::open_strict(folder ? folder : root, std::string(path), flags);
}

}  // namespace mica::snapshot
