#include "engine/analyze_image.h"

#include "base/format.h"
#include "engine/analyze_sources.h"
#include "sys/fd.h"

namespace mica::engine {
namespace {

constexpr std::string_view kTransports[] = {"docker://", "oci:", "oci-archive:", "docker-archive:"};

bool names_a_place(std::string_view what) {
  for (const std::string_view transport : kTransports)
    if (what.starts_with(transport)) return true;
  return false;
}
bool names_a_path(std::string_view what) { return what == "-" || what.starts_with('/') || what.starts_with("./") || what.starts_with("../"); }

Result<LayeredImage> read_path(Engine& engine, const ReadImage& request, task::Cancel cancel) {
  return read_image_files(engine, {.kind = ImagePlace::Kind::oci_archive, .path = request.what}, true, request, std::move(cancel));
}

Result<LayeredImage> read_any(Engine& engine, const ReadImage& request, task::Cancel cancel) {
  const std::string& what = request.what;
  if (names_a_place(what)) {
    const auto place = TRY(ImagePlace::parse(what));
    if (place.kind == ImagePlace::Kind::registry) return read_remote_image(engine, place, request, cancel);
    return read_image_files(engine, place, false, request, cancel);
  }
  if (names_a_path(what)) return read_path(engine, request, cancel);
  auto row = engine.images().resolve(what);
  if (row) return read_stored_image(engine, *row, request, cancel);
  if (sys::exists(what)) return read_path(engine, request, cancel);
  const auto code = row.error().code();
  if (code != Errc::not_found && code != Errc::invalid_argument) return fail(std::move(row).error());
  if (!request.remote) {
    if (!row.error().hint().empty()) return fail(std::move(row).error());
    return fail(std::move(row).error().with_hint(format("--remote looks for it at its registry, docker://{} too", what)));
  }
  const auto place = TRY(ImagePlace::parse(what));
  return read_remote_image(engine, place, request, cancel);
}

}  // namespace

Result<LayeredImage> read_image(Engine& engine, const ReadImage& request, task::Cancel cancel) {
  auto image = TRY(read_any(engine, request, cancel));
  TRY(find_base(engine, request, image));
  return image;
}

Result<AnalyzedImage> analyze_image(Engine& engine, const ReadImage& request, const analyze::Options& options, task::Cancel cancel) {
  AnalyzedImage out;
  out.source = TRY(read_image(engine, request, cancel));
  out.analysis = analyze::analyze(out.source.image, options);
  return out;
}

}  // namespace mica::engine
