#include "engine/make_base.h"

#include <unistd.h>

#include <cstdlib>

#include "base/format.h"
#include "base/text.h"
#include "engine/import_image.h"
#include "base/environment.h"
#include "sys/process.h"

namespace mica::engine {
namespace {

/// Accounts have the day on which their password was last changed: the day of the base, which is not today's. (With SOURCE_DATE_EPOCH
/// they have that one's already.) The root filesystem is in $1; `since`: when its making began, in seconds.
std::string account_days_hook(std::int64_t since) {
  constexpr std::int64_t kDay = 86400;
  return format("newest=$(find \"$1\" -xdev -type f ! -newermt @{0} -printf '%T@\\n' | sort -n | tail -n 1); "
                "for file in \"$1/etc/shadow\" \"$1/etc/shadow-\"; do "
                "[ ! -e \"$file\" ] || sed -i -E \"s/^([^:]*:[^:]*:)({1}|{2}):/\\1$((${{newest%.*}} / {3})):/\" \"$file\"; done",
                since, since / kDay, since / kDay + 1, kDay);
}

/// Ours, with temporary files where they vanish with this process.
std::vector<std::string> environment(const std::string& temporary) {
  std::vector<std::string> env;
  for (char** variable = ::environ; *variable; ++variable) env.emplace_back(*variable);
  set_variable(env, "TMPDIR", temporary);
  return env;
}

}  // namespace

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
  const Timestamp begun = Timestamp::from_seconds(now().seconds());
  if (!std::getenv("SOURCE_DATE_EPOCH")) spawn.argv.push_back("--customize-hook=" + account_days_hook(begun.seconds()));
  spawn.argv.push_back(request.suite);
  spawn.argv.push_back(tar);
  if (!request.mirror.empty()) spawn.argv.push_back(request.mirror);
  spawn.stdout_fd = 2;
  spawn.env = environment(engine.workspace().path());
  spawn.new_pid_namespace = true;   // it starts others
  auto process = TRY_DOING(sys::Process::start(spawn), "starting mmdebstrap");
  const auto exit = TRY(process.wait(cancel.fd()));
  if (exit.status != 0)
    return fail(Error(Errc::unavailable, format("mmdebstrap failed with status {}", exit.status)).with_hint("its own messages stand above"));
  return import_image(engine, {.source = tar, .name = request.name, .changes = request.changes,
                               .message = format("{} by mmdebstrap", request.suite), .platform = request.platform,
                               .made_since = begun}, cancel);
}

}  // namespace mica::engine
