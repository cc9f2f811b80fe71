#include "engine/make_base.h"

#include "base/format.h"
#include "base/text.h"
#include "engine/import_image.h"
#include "sys/process.h"

namespace mica::engine {

Result<oci::ImageId> make_base(Engine& engine, const MakeBase& request, task::Cancel cancel) {
  const auto program = sys::find_program("mmdebstrap");
  if (!program)
    return fail(Error(Errc::not_found, "mmdebstrap is not installed").with_hint("install the package mmdebstrap, or import a root filesystem tar with 'mica import'"));
  for (const auto& word : {request.suite, request.mirror, request.variant})
    if (word.starts_with("-")) return failf(Errc::invalid_argument, "{} is not a suite, mirror or variant", quoted(word));
  const std::string tar = engine.workspace().path() + "/base.tar";
  sys::Spawn spawn;
  spawn.argv = {*program, "--variant=" + request.variant, "--format=tar"};
  if (!request.include.empty()) spawn.argv.push_back("--include=" + join(request.include, ","));
  if (!request.platform.empty()) {
    const auto platform = TRY(oci::Platform::parse(request.platform));
    const std::string& arch = platform.architecture;
    spawn.argv.push_back("--architectures=" + (arch == "arm" ? std::string("armhf") : arch == "386" ? "i386" : arch == "ppc64le" ? "ppc64el" : arch));
  }
  // What mmdebstrap takes from this machine would make the image differ from one machine to the next.
  spawn.argv.push_back("--customize-hook=rm -f \"$1/etc/hostname\" \"$1/etc/resolv.conf\"");
  spawn.argv.push_back(request.suite);
  spawn.argv.push_back(tar);
  if (!request.mirror.empty()) spawn.argv.push_back(request.mirror);
  spawn.stdout_fd = 2;
  auto process = TRY_DOING(sys::Process::start(spawn), "starting mmdebstrap");
  const auto exit = TRY(process.wait(cancel.fd()));
  if (exit.status != 0)
    return fail(Error(Errc::unavailable, format("mmdebstrap failed with status {}", exit.status)).with_hint("its own messages stand above"));
  return import_image(engine, {.source = tar, .name = request.name, .changes = request.changes,
                               .message = format("{} by mmdebstrap", request.suite), .platform = request.platform}, cancel);
}

}  // namespace mica::engine
