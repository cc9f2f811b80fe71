#include "cli/commands.h"

#include "cli/build_flags.h"
#include "cli/command_build.h"

namespace mica::cli {
namespace {

constexpr Entry kTable[] = {
    {"base", &kBase},
    {"build", &kBuild},
    {"builder build", &kBuild},
    {"builder du", &kBuilderDu},
    {"builder prune", &kBuilderPrune},
    {"buildx b", &kBuild},
    {"buildx build", &kBuild},
    {"buildx du", &kBuilderDu},
    {"buildx prune", &kBuilderPrune},
    {"container run", &kRun},
    {"fsck", &kFsck},
    {"history", &kHistory},
    {"image build", &kBuild},
    {"image history", &kHistory},
    {"image import", &kImport},
    {"image inspect", &kImageInspect},
    {"image list", &kImages},
    {"image load", &kLoad},
    {"image ls", &kImages},
    {"image prune", &kImagePrune},
    {"image remove", &kRmi},
    {"image rm", &kRmi},
    {"image save", &kSave},
    {"image tag", &kTag},
    {"images", &kImages},
    {"import", &kImport},
    {"info", &kInfo},
    {"inspect", &kInspect},
    {"load", &kLoad},
    {"rmi", &kRmi},
    {"run", &kRun},
    {"save", &kSave},
    {"system df", &kSystemDf},
    {"system info", &kInfo},
    {"system prune", &kSystemPrune},
    {"tag", &kTag},
    {"version", &kVersion},
};

constexpr GroupEntry kGroups[] = {
    {"builder", "Manage builds"},
    {"buildx", "Manage builds (Docker's plugin name)"},
    {"container", "Manage containers"},
    {"image", "Manage images"},
    {"system", "Manage mica"},
};

}  // namespace

constinit const Command kBuild{.usage = "[OPTIONS] PATH | URL | -",
                               .summary = "Build an image from a Dockerfile",
                               .aliases = "mica build, mica builder build, mica image build, mica buildx b",
                               .flags = kBuildFlags,
                               .least = 1,
                               .most = 1,
                               .needs = Needs::mounts,
                               .run = command_build};

std::span<const Entry> command_table() { return kTable; }
std::span<const GroupEntry> command_groups() { return kGroups; }

}  // namespace mica::cli
