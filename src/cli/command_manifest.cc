#include "base/format.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/report_error.h"
#include "engine/interrupt.h"
#include "engine/layout.h"
#include "engine/manifest_tools.h"

namespace mica::cli {
namespace {

constexpr Flag kCreateFlags[] = {
    {"amend", 'a', "", "Amend an existing manifest list"},
    {"insecure", 0, "", "Allow communication with an insecure registry"},
};
constexpr Flag kAnnotateFlags[] = {
    {"arch", 0, "string", "Set architecture"},
    {"os", 0, "string", "Set operating system"},
    {"os-features", 0, "strings", "Set operating system feature"},
    {"os-version", 0, "string", "Set operating system version"},
    {"variant", 0, "string", "Set architecture variant"},
};
constexpr Flag kInspectFlags[] = {
    {"insecure", 0, "", "Allow communication with an insecure registry"},
    {"verbose", 'v', "", "Output additional info including layers and platform"},
};
constexpr Flag kPushFlags[] = {
    {"insecure", 0, "", "Allow push to an insecure registry"},
    {"purge", 'p', "", "Remove the local manifest list after push"},
};

void remark(std::string text) { note(text + "\n"); }

engine::ManifestLists lists_of(const Context& context) {
  return engine::ManifestLists(context.options.root.empty() ? engine::default_root() : context.options.root);
}

Result<int> create(Context& context) {
  const auto& words = context.args.positionals();
  const engine::CreateManifestList request{.list = words[0], .manifests = {words.begin() + 1, words.end()}, .amend = context.args.flag("amend"),
                                           .insecure = context.args.flag("insecure")};
  const auto interrupt = TRY(engine::Interrupt::install());
  engine::CopySession session(remark);
  const auto name = TRY(engine::create_manifest_list(session, lists_of(context), request, interrupt.cancel()));
  TRY(print(format("Created manifest list {}\n", name.str())));
  return 0;
}

Result<int> annotate(Context& context) {
  const Args& args = context.args;
  engine::AnnotateManifest request{.list = args.positional(0), .manifest = args.positional(1), .os = args.text("os"), .architecture = args.text("arch"),
                                   .variant = args.text("variant"), .os_version = args.text("os-version")};
  for (const auto& value : args.list("os-features"))
    for (const auto one : split(value, ','))
      if (!one.empty()) request.os_features.emplace_back(one);
  TRY(engine::annotate_manifest(lists_of(context), request));
  return 0;
}

Result<int> inspect(Context& context) {
  const Args& args = context.args;
  const bool of_list = args.positionals().size() == 2;
  const engine::InspectManifest request{.list = of_list ? args.positional(0) : "", .manifest = args.positionals().back(), .verbose = args.flag("verbose"),
                                        .insecure = args.flag("insecure")};
  const auto interrupt = TRY(engine::Interrupt::install());
  engine::CopySession session(remark);
  const auto text = TRY(engine::inspect_manifest(session, lists_of(context), request, interrupt.cancel()));
  TRY(print(text));
  return 0;
}

Result<int> push(Context& context) {
  const Args& args = context.args;
  const engine::PushManifestList request{.list = args.positional(0), .purge = args.flag("purge"), .insecure = args.flag("insecure")};
  const auto interrupt = TRY(engine::Interrupt::install());
  engine::CopySession session(remark);
  const auto pushed = [](const std::string& line) { (void)print(format("Pushed ref {}\n", line)); };
  const auto digest = TRY(engine::push_manifest_list(session, lists_of(context), request, pushed, interrupt.cancel()));
  TRY(print(digest.str() + "\n"));
  return 0;
}

Result<int> remove(Context& context) {
  int status = 0;
  for (const auto& name : context.args.positionals())
    if (auto removed = engine::remove_manifest_list(lists_of(context), name); !removed) status = report_error(removed.error());
  return status;
}

}  // namespace

constinit const Command kManifestAnnotate{.usage = "[OPTIONS] MANIFEST_LIST MANIFEST",
                                          .summary = "Add additional information to a local image manifest",
                                          .aliases = {},
                                          .flags = kAnnotateFlags,
                                          .least = 2,
                                          .most = 2,
                                          .needs = Needs::nothing,
                                          .run = annotate};
constinit const Command kManifestCreate{.usage = "MANIFEST_LIST MANIFEST [MANIFEST...]",
                                        .summary = "Create a local manifest list for annotating and pushing to a registry",
                                        .aliases = {},
                                        .flags = kCreateFlags,
                                        .least = 2,
                                        .needs = Needs::nothing,
                                        .run = create};
constinit const Command kManifestInspect{.usage = "[OPTIONS] [MANIFEST_LIST] MANIFEST",
                                         .summary = "Display an image manifest, or manifest list",
                                         .aliases = {},
                                         .flags = kInspectFlags,
                                         .least = 1,
                                         .most = 2,
                                         .needs = Needs::nothing,
                                         .run = inspect};
constinit const Command kManifestPush{.usage = "[OPTIONS] MANIFEST_LIST",
                                      .summary = "Push a manifest list to a repository",
                                      .aliases = {},
                                      .flags = kPushFlags,
                                      .least = 1,
                                      .most = 1,
                                      .needs = Needs::nothing,
                                      .run = push};
constinit const Command kManifestRm{.usage = "MANIFEST_LIST [MANIFEST_LIST...]",
                                    .summary = "Delete one or more manifest lists from local storage",
                                    .aliases = {},
                                    .flags = {},
                                    .least = 1,
                                    .needs = Needs::nothing,
                                    .run = remove};

}  // namespace mica::cli
