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
    {"buildx imagetools create", &kImagetoolsCreate},
    {"buildx imagetools inspect", &kImagetoolsInspect},
    {"buildx prune", &kBuilderPrune},
    {"container run", &kRun},
    {"copy", &kCopy},
    {"fsck", &kFsck},
    {"history", &kHistory},
    {"image build", &kBuild},
    {"image copy", &kCopy},
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
    {"image sync", &kSync},
    {"image tag", &kTag},
    {"images", &kImages},
    {"import", &kImport},
    {"info", &kInfo},
    {"inspect", &kInspect},
    {"load", &kLoad},
    {"lock", &kLock},
    {"login", &kLogin},
    {"logout", &kLogout},
    {"manifest annotate", &kManifestAnnotate},
    {"manifest create", &kManifestCreate},
    {"manifest inspect", &kManifestInspect},
    {"manifest push", &kManifestPush},
    {"manifest rm", &kManifestRm},
    {"outdated", &kOutdated},
    {"pull", &kPull},
    {"push", &kPush},
    {"registry serve", &kRegistryServe},
    {"rmi", &kRmi},
    {"run", &kRun},
    {"save", &kSave},
    {"sync", &kSync},
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
    {"buildx imagetools", "Work on images in registries"},
    {"container", "Manage containers"},
    {"image", "Manage images"},
    {"manifest", "Manage image manifests and manifest lists"},
    {"registry", "Work with registries"},
    {"system", "Manage mica"},
};

}  // namespace

std::span<const Entry> command_table() { return kTable; }
std::span<const GroupEntry> command_groups() { return kGroups; }

}  // namespace mica::cli
