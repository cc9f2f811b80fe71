#include "cli/commands.h"

namespace mica::cli {
namespace {

constexpr Entry kTable[] = {
    {"base", &kBase},
    {"build", &kBuild},
    {"builder build", &kBuild},
    {"builder du", &kBuilderDu},
    {"builder history", &kBuilderHistory},
    {"builder logs", &kBuilderLogs},
    {"builder prune", &kBuilderPrune},
    {"buildx b", &kBuild},
    {"buildx build", &kBuild},
    {"buildx du", &kBuilderDu},
    {"buildx history logs", &kBuilderLogs},
    {"buildx history ls", &kBuilderHistory},
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
    {"image pull", &kPull},
    {"image push", &kPush},
    {"image remove", &kRmi},
    {"image rm", &kRmi},
    {"image save", &kSave},
    {"image tag", &kTag},
    {"images", &kImages},
    {"import", &kImport},
    {"info", &kInfo},
    {"inspect", &kInspect},
    {"load", &kLoad},
    {"login", &kLogin},
    {"logout", &kLogout},
    {"pull", &kPull},
    {"push", &kPush},
    {"rmi", &kRmi},
    {"run", &kRun},
    {"save", &kSave},
    {"system df", &kSystemDf},
    {"system info", &kInfo},
    {"system prune", &kSystemPrune},
    {"tag", &kTag},
    {"version", &kVersion},
    {"why", &kWhy},
};

constexpr GroupEntry kGroups[] = {
    {"builder", "Manage builds"},
    {"buildx", "Manage builds (Docker's plugin name)"},
    {"buildx history", "Look at earlier builds"},
    {"container", "Manage containers"},
    {"image", "Manage images"},
    {"system", "Manage mica"},
};

}  // namespace

std::span<const Entry> command_table() { return kTable; }
std::span<const GroupEntry> command_groups() { return kGroups; }

}  // namespace mica::cli
