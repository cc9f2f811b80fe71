#include "cli/tui_image.h"

#include <fcntl.h>

#include "analyze/tar_layer.h"
#include "base/format.h"
#include "base/text.h"
#include "cli/tui.h"
#include "sys/fd.h"

namespace mica::cli {
namespace {

/// Into the working folder, never over something that is there.
Result<std::string> write_here(engine::Engine& engine, engine::ReadImage request, const WantedFile& file, const task::Cancel& cancel) {
  request.wanted = [&](std::string_view path) { return path == file.path; };
  const auto again = TRY(engine::read_image(engine, request, cancel));
  if (file.layer >= again.image.layers.size()) return fail(Errc::conflict, "the image is another one by now");
  const auto& contents = again.image.layers[file.layer].contents;
  const auto content = contents.find(file.path);
  if (content == contents.end()) return failf(Errc::resource_exhausted, "{} is larger than {}: use 'mica save' for it", file.name, human_size(static_cast<std::int64_t>(analyze::kMaxKeptBytes)));
  // Without set-user-id bits: it belongs to whoever looks at the image.
  const auto out = TRY(sys::open(file.name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, static_cast<int>(file.mode & 0777)));
  TRY(sys::write_all(out, content->second));
  return format("wrote ./{} ({})", file.name, human_size(static_cast<std::int64_t>(content->second.size())));
}

}  // namespace

Result<> browse_image(engine::Engine& engine, const engine::ReadImage& request, const engine::AnalyzedImage& analyzed, const task::Cancel& cancel) {
  const auto write = [&](const WantedFile& file) { return write_here(engine, request, file, cancel); };
  return browse(analyzed.source.image, analyzed.analysis, write, cancel);
}

}  // namespace mica::cli
