#include "snapshot/snapshotter.h"

#include "base/format.h"
#include "base/log.h"
#include "base/text.h"
#include "snapshot/copy_snapshotter.h"
#include "snapshot/overlay_snapshotter.h"
#include "sys/fd.h"
#include "sys/userns.h"

namespace mica::snapshot {
namespace {

/// `<state folder>/overlay-works` holds the id of the boot under which a trial mount worked last. Failures are not remembered:
/// the next run may have more rights, or the module loaded by then.
class Trial {
 public:
  explicit Trial(const std::string& state_folder) : folder_(state_folder), file_(state_folder + "/overlay-works") {}

  bool overlay_works() const {
    if (!sys::can_mount()) {
      log::debug("snapshotter: no right to mount");
      return false;
    }
    const auto boot = sys::read_file("/proc/sys/kernel/random/boot_id", 4096);
    const auto known = sys::read_file(file_, 4096);
    if (boot && known && trim(*known) == trim(*boot)) return true;
    const auto tried = OverlaySnapshotter::try_out(folder_);
    if (!tried) {
      log::debug("snapshotter: overlay does not work here: {}", tried.error().text());
      return false;
    }
    if (boot)
      if (const auto written = sys::write_file(file_, *boot); !written) log::debug("snapshotter: {}", written.error().text());
    return true;
  }

 private:
  std::string folder_, file_;
};

}  // namespace

Result<std::unique_ptr<Snapshotter>> make_snapshotter(Kind kind, LayerStore& layers, const std::string& state_folder,
                                                      task::Pool& pool) {
  if (kind == Kind::automatic) kind = Trial(state_folder).overlay_works() ? Kind::overlay : Kind::copy;
  if (kind == Kind::overlay) return std::make_unique<OverlaySnapshotter>(layers);
  return std::make_unique<CopySnapshotter>(layers, pool);
}

}  // namespace mica::snapshot
