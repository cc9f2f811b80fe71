#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>

#include "base/format.h"
#include "base/text.h"
#include "cli/build_flags.h"
#include "cli/build_lint.h"
#include "cli/build_pages.h"
#include "cli/build_request.h"
#include "cli/build_warnings.h"
#include "cli/commands.h"
#include "cli/progress.h"
#include "engine/interrupt.h"
#include "sys/fd.h"

namespace mica::cli {
namespace {

using engine::BuildAction;

/// Files that the result is written to: whether that will work should be known before an hour of building; and an id of the
/// build before must not be taken for the one of a build that failed.
Result<> prepare_result_file(const std::string& path, std::string_view flag, bool remove) {
  if (path.empty()) return {};
  const std::string folder = dir_name(path);
  if (::access(folder.c_str(), W_OK) != 0 && ::access(path.c_str(), W_OK) != 0) return fail_errno(format("preparing --{} {}", flag, path));
  if (remove && ::unlink(path.c_str()) != 0 && errno != ENOENT) return fail_errno(format("removing the old {}", path));
  return {};
}

/// Where the Dockerfile is, for people and editors; its name when it is in no folder of this machine.
std::string path_of_dockerfile(const engine::BuildImage& request, const std::string& name) {
  std::string path = request.context.dockerfile.empty() ? request.context.context + "/" + name : request.context.dockerfile;
  char full[PATH_MAX];
  return ::realpath(path.c_str(), full) ? std::string(full) : name;
}

/// As one would type it here.
std::string short_path(const std::string& path) {
  char here[PATH_MAX];
  if (!::getcwd(here, sizeof here)) return path;
  const std::string folder = format("{}/", here);
  return path.starts_with(folder) ? path.substr(folder.size()) : path;
}

bool writes_to_stdout(const engine::BuildImage& request) {
  return std::any_of(request.outputs.begin(), request.outputs.end(), [](const auto& output) { return output.destination == "-"; });
}

Result<int> print_record(const json::Value& value) {
  TRY(print(json::write_pretty(value, 2) + "\n"));
  return 0;
}

/// What an action that builds nothing found out. Found warnings are a failure, as for Docker.
Result<int> print_findings(const BuildCall& call, const engine::BuildResult& result, const std::vector<build::Warned>& warnings) {
  const auto& file = result.file;
  switch (call.request.action) {
    case BuildAction::check:
      TRY(call.json ? print(json::write_pretty(check_record(warnings, file.name, file.source), 2) + "\n")
                    : print(check_page(warnings, path_of_dockerfile(call.request, file.name)) +
                            (call.lint ? lint_page(call.request, file.source, path_of_dockerfile(call.request, file.name)) : "")));
      return warnings.empty() ? 0 : 1;
    case BuildAction::targets:
      if (call.json) return print_record(targets_record(result));
      TRY(print(targets_page(result)));
      return 0;
    case BuildAction::dry_run: TRY(print(dry_run_page(result.report))); return 0;
    case BuildAction::build: break;
  }
  return 0;
}

Result<int> write_result(const BuildCall& call, const engine::BuildResult& result) {
  const std::string id = result.image_id.digest.empty() ? "" : result.image_id.digest.str();
  if (!call.iid_file.empty()) TRY_DOING(sys::write_file(call.iid_file, id), "writing the image ID file");
  if (!call.metadata_file.empty()) {
    const char* asked = std::getenv("BUILDX_METADATA_WARNINGS");
    const MetadataStyle style{.index = call.request.platforms.size() > 1, .warnings = asked && std::string_view(asked) != "0" && std::string_view(asked) != "false"};
    TRY_DOING(sys::write_file(call.metadata_file, json::write_pretty(metadata_record(result, style), 2)), "writing the metadata file");
  }
  if (call.progress == "quiet" && !id.empty() && !writes_to_stdout(call.request)) TRY(print(id + "\n"));
  return 0;
}

Result<int> run(Context& context) {
  BuildCall call = TRY(build_call(context.args));
  const bool builds = call.request.action == BuildAction::build;
  // Findings are read on a terminal: the steps on the way there would be in the way.
  if (!builds && call.progress == "auto") call.progress = "quiet";
  const auto progress = TRY(make_progress(call.progress));
  if (call.request.debug_shell && (!::isatty(STDIN_FILENO) || !::isatty(STDERR_FILENO)))
    return fail(Errc::invalid_argument, "--debug opens a shell where a step fails: it needs a terminal");
  if (builds) {
    TRY(prepare_result_file(call.iid_file, "iidfile", true));
    TRY(prepare_result_file(call.metadata_file, "metadata-file", false));
    add_configured_proxies(client_config_file(), call.request.build_args);
  }

  const auto interrupt = TRY(engine::Interrupt::install());
  auto engine = TRY(engine::Engine::open(context.options));
  WarningKeeper keeper(*progress);
  const auto result = engine::build_image(*engine, call.request, &keeper, interrupt.cancel());
  progress->finish();
  const bool tells = builds && call.progress != "quiet" && call.progress != "rawjson" && call.progress != "none";
  if (tells) note(warning_summary(keeper.warnings(), use_colour()));
  if (!result) return fail(result.error());
  if (tells && call.lint) note(lint_note(call.request, result->file.source, short_path(path_of_dockerfile(call.request, result->file.name))));
  for (const auto& remark : result->remarks) note(format("WARNING: {}\n", remark));
  return builds ? write_result(call, *result) : print_findings(call, *result, keeper.warnings());
}

}  // namespace

constinit const Command kBuild{.usage = "[OPTIONS] PATH | URL | -",
                               .summary = "Build an image from a Dockerfile",
                               .aliases = "mica build, mica builder build, mica image build, mica buildx b",
                               .flags = kBuildFlags,
                               .least = 1,
                               .most = 1,
                               .needs = Needs::mounts,
                               .run = run};

}  // namespace mica::cli
