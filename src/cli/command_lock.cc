#include "base/format.h"
#include "cli/commands.h"
#include "engine/interrupt.h"
#include "engine/inline_pins.h"
#include "engine/lock_images.h"

namespace mica::cli {
namespace {

constexpr Flag kFlags[] = {
    {"build-arg", 0, "stringArray", "Set build-time variables"},
    {"check", 0, "", "Compare the lock with the Dockerfile, change nothing;\nexit status 1: they differ"},
    {"file", 'f', "string", "Name of the Dockerfile, or of a compose file\n(default: \"Dockerfile\")"},
    {"inline", 0, "", "Write the digests into the Dockerfile instead, behind\nthe names"},
    {"platform", 0, "stringArray", "Set target platforms, where image names depend on\nthem"},
    {"update", 0, "", "Move what is locked to what the tags stand for now:\nall, or the NAMEs"},
};
constexpr int kTrouble = 2;   ///< of --check: could not be compared

std::string what_changed(const engine::LockChange& change) {
  using Kind = engine::LockChange::Kind;
  if (change.kind == Kind::removed) return format("removed {}\n", change.name);
  const std::string now = change.after->digest.str();
  const std::string created = change.after->created ? format(" (created {})", rfc3339(*change.after->created)) : "";
  if (change.kind == Kind::added) return format("added {} {}{}\n", change.name, now, created);
  return format("moved {} {} to {}{}\n", change.name, change.before->digest.str(), now, created);
}

Result<int> check(engine::CopySession& session, const engine::LockRequest& request, const task::Cancel& cancel) {
  auto checked = engine::check_lock(session, request, cancel);
  if (!checked) return fail(std::move(checked).error().with_exit_status(kTrouble));
  for (const auto& remark : checked->remarks) note("warning: " + remark + "\n");
  for (const auto& name : checked->missing)
    TRY(print(checked->exists ? format("{} is not in {}\n", name, checked->path)
                              : format("{} is a floating tag: {} has no lock\n", name, request.dockerfile)));
  for (const auto& name : checked->stale) TRY(print(format("{} is in {}, but {} does not use it\n", name, checked->path, request.dockerfile)));
  if (checked->missing.empty() && checked->stale.empty()) return 0;
  note(format("  hint: 'mica lock{}' brings the lock up to date\n", request.dockerfile == "Dockerfile" ? "" : " -f " + request.dockerfile));
  return 1;
}

Result<int> pin(engine::CopySession& session, const engine::LockRequest& request, const task::Cancel& cancel) {
  const auto inlined = TRY(engine::pin_inline(session, request, cancel));
  for (const auto& remark : inlined.remarks) note("warning: " + remark + "\n");
  for (const auto& one : inlined.pins) TRY(print(format("{}:{}: {} to {}\n", request.dockerfile, one.line, one.before, one.after)));
  for (const auto& change : inlined.lock_changes) TRY(print(what_changed(change)));
  note(format("{}: {} name{} rewritten\n", request.dockerfile, inlined.pins.size(), inlined.pins.size() == 1 ? "" : "s"));
  return 0;
}

Result<int> run(Context& context) {
  const Args& args = context.args;
  const engine::LockRequest request{.dockerfile = args.text("file", "Dockerfile"), .build_args = args.list("build-arg"), .platforms = args.list("platform"),
                                    .update = args.flag("update"), .names = args.positionals()};
  if (!request.names.empty() && !request.update)
    return fail(Error(Errc::invalid_argument, "names are for --update only").with_hint(format("-f names the Dockerfile; 'mica lock --update {}' moves that image", request.names[0])));
  if (args.flag("check") && request.update) return fail(Errc::invalid_argument, "--check changes nothing: it does not go with --update");
  if (args.flag("check") && args.flag("inline")) return fail(Errc::invalid_argument, "--check changes nothing: it does not go with --inline");
  const auto interrupt = TRY(engine::Interrupt::install());
  engine::CopySession session([](std::string text) { note(text + "\n"); });
  if (args.flag("check")) return check(session, request, interrupt.cancel());
  if (args.flag("inline")) return pin(session, request, interrupt.cancel());
  const auto locked = TRY(engine::lock_images(session, request, interrupt.cancel()));
  for (const auto& remark : locked.remarks) note("warning: " + remark + "\n");
  for (const auto& change : locked.changes) TRY(print(what_changed(change)));
  note(format("{}: {} image{}{}\n", locked.path, locked.images, locked.images == 1 ? "" : "s", locked.written ? "" : ", no changes"));
  return 0;
}

}  // namespace

constinit const Command kLock{.usage = "[OPTIONS] [NAME...]",
                              .summary = "Pin base images of a Dockerfile or compose file to digests, in mica.lock",
                              .aliases = {},
                              .flags = kFlags,
                              .least = 0,
                              .needs = Needs::nothing,
                              .run = run};

}  // namespace mica::cli
