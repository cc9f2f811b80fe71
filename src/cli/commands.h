/// All commands. Each is defined beside its function.
#pragma once
#include "cli/command.h"

namespace mica::cli {

extern const Command kBase, kBuild, kBuilderDu, kBuilderHistory, kBuilderLogs, kBuilderPrune, kFsck, kHistory, kImageInspect, kImagePrune, kImages, kImport, kInfo, kInspect,
    kLoad, kRmi, kRun, kSave, kSystemDf, kSystemPrune, kTag, kVersion,
    kWhy;

/// A name by which a command is reached: {"image ls", &kImages}. Sorted by name.
struct Entry {
  std::string_view name;
  const Command* command;
};
std::span<const Entry> command_table();
/// Groups such as "image" (and groups in groups: "buildx history"), with their summary.
struct GroupEntry {
  std::string_view name, summary;
};
std::span<const GroupEntry> command_groups();

}  // namespace mica::cli
