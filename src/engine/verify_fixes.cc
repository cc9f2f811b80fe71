#include "engine/verify_fixes.h"

#include <algorithm>

#include "analyze/package_caches.h"
#include "base/format.h"
#include "base/text.h"
#include "engine/build_image.h"
#include "sys/fd.h"

namespace mica::engine {
namespace {

struct Built {
  std::string image;
  double seconds = 0;
};

Result<Built> build(Engine& engine, const VerifyRequest& request, std::string_view text, build::EventSink* events, task::Cancel cancel) {
  const auto folder = TRY(sys::TempDir::create(engine.workspace().path(), "verify-"));
  const std::string path = folder.path() + "/Dockerfile";
  TRY(sys::write_file(path, text));
  BuildImage wanted{.context = {.context = request.context, .dockerfile = path}};
  wanted.build_args = request.build_args;
  const auto result = TRY(build_image(engine, wanted, events, std::move(cancel)));
  return Built{.image = result.image_id.digest.str(), .seconds = static_cast<double>(result.report.duration_ns) / 1e9};
}

/// Written anew, with times and process numbers in it, whenever packages are installed or users are made.
bool is_unstable(std::string_view path) {
  constexpr std::string_view kFolders[] = {"var/log", "var/cache/ldconfig", "var/cache/debconf", "var/lib/dpkg", "var/lib/apt", "tmp", "var/tmp"};
  constexpr std::string_view kBackups[] = {"etc/passwd-", "etc/group-", "etc/shadow-", "etc/gshadow-", "etc/subuid-", "etc/subgid-"};
  return std::any_of(std::begin(kFolders), std::end(kFolders), [&](std::string_view folder) { return analyze::is_within(path, folder); }) ||
         std::find(std::begin(kBackups), std::end(kBackups), path) != std::end(kBackups) || path.find("__pycache__/") != std::string_view::npos;
}

}  // namespace

Result<FixesVerified> verify_fixes(Engine& engine, const VerifyRequest& request, build::EventSink* events, task::Cancel cancel) {
  const auto before = TRY_DOING(build(engine, request, request.before, events, cancel), format("building {} before the fixes", request.file));
  const auto after = TRY_DOING(build(engine, request, request.after, events, cancel), format("building {} after the fixes", request.file));
  FixesVerified verified;
  verified.seconds_before = before.seconds;
  verified.seconds_after = after.seconds;
  verified.difference = TRY(diff_images(engine, {.what = before.image}, {.what = after.image}, cancel));
  const auto& changes = verified.difference.changes;
  verified.bytes_saved = static_cast<std::int64_t>(changes.total_before) - static_cast<std::int64_t>(changes.total_after);
  for (const auto& change : changes.paths) {
    if (change.what == analyze::PathChange::What::removed && analyze::find_cache(change.path).rule) verified.cleaned.push_back(change);
    else if (is_unstable(change.path)) verified.unstable.push_back(change);
    else verified.lost.push_back(change);
  }
  return verified;
}

}  // namespace mica::engine
