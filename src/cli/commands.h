/// All commands. Each is defined beside its function.
#pragma once
#include "cli/command.h"

namespace mica::cli {

extern const Command kAnalyze;
extern const Command kAttach;
extern const Command kBase;
extern const Command kBuild;
extern const Command kBuilderDu;
extern const Command kBuilderHistory;
extern const Command kBuilderLogs;
extern const Command kBuilderPrune;
extern const Command kComplete;
extern const Command kCompletion;
extern const Command kCompose;
extern const Command kComposeBuild;
extern const Command kComposeConfig;
extern const Command kComposeCreate;
extern const Command kComposeDown;
extern const Command kComposeExec;
extern const Command kComposeImages;
extern const Command kComposeKill;
extern const Command kComposeLogs;
extern const Command kComposeLs;
extern const Command kComposePause;
extern const Command kComposePort;
extern const Command kComposePs;
extern const Command kComposePull;
extern const Command kComposePush;
extern const Command kComposeRestart;
extern const Command kComposeRm;
extern const Command kComposeRun;
extern const Command kComposeScale;
extern const Command kComposeStart;
extern const Command kComposeStop;
extern const Command kComposeTop;
extern const Command kComposeUnpause;
extern const Command kComposeUp;
extern const Command kComposeVersion;
extern const Command kComposeVolumes;
extern const Command kComposeWait;
extern const Command kContainerInspect;
extern const Command kContainerMonitor;
extern const Command kContainerPrune;
extern const Command kCopy;
extern const Command kCreate;
extern const Command kDiff;
extern const Command kEvents;
extern const Command kExec;
extern const Command kFsck;
extern const Command kHistory;
extern const Command kImageInspect;
extern const Command kImagePrune;
extern const Command kImageTrend;
extern const Command kImages;
extern const Command kImagetoolsCreate;
extern const Command kImagetoolsInspect;
extern const Command kImport;
extern const Command kInfo;
extern const Command kInspect;
extern const Command kInstallAlias;
extern const Command kKill;
extern const Command kLint;
extern const Command kLoad;
extern const Command kLock;
extern const Command kLogin;
extern const Command kLogout;
extern const Command kLogs;
extern const Command kManifestAnnotate;
extern const Command kManifestCreate;
extern const Command kManifestInspect;
extern const Command kManifestPush;
extern const Command kManifestRm;
extern const Command kNetworkConnect;
extern const Command kNetworkCreate;
extern const Command kNetworkDisconnect;
extern const Command kNetworkInspect;
extern const Command kNetworkLs;
extern const Command kNetworkPrune;
extern const Command kNetworkRm;
extern const Command kOutdated;
extern const Command kPause;
extern const Command kPort;
extern const Command kPs;
extern const Command kPull;
extern const Command kPush;
extern const Command kRegistryServe;
extern const Command kRename;
extern const Command kReport;
extern const Command kRestart;
extern const Command kRm;
extern const Command kRmi;
extern const Command kRun;
extern const Command kSave;
extern const Command kStart;
extern const Command kStop;
extern const Command kSync;
extern const Command kSystemDf;
extern const Command kSystemPrune;
extern const Command kTag;
extern const Command kTop;
extern const Command kUnpause;
extern const Command kUpdate;
extern const Command kVersion;
extern const Command kVolumeCreate;
extern const Command kVolumeInspect;
extern const Command kVolumeLs;
extern const Command kVolumePrune;
extern const Command kVolumeRm;
extern const Command kWait;
extern const Command kWhy;

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
