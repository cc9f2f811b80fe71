/// What an analysis tells, as plain values: every figure is exact to the byte unless its comment says "estimate". Layers are numbered from 0, lowest
/// first; history steps without a layer are no layers.
///
/// *Strict* measure (`Waste`): layers are walked upward; in each, removals (whiteouts, opaque directories) are applied to what lies below, then its
/// entries. A body is *dead* when no path of the final file system leads to it. total = all bodies, live = those that a path still names, waste =
/// total - live. Symlinks, devices and directories weigh nothing. The measure of the tool dive is kept apart (`Dive`).
///
/// These add up: the layers' bytes = total; live + waste = total; deleted + overwritten = waste; reclaimable + inherited = waste; the findings' bytes =
/// the rollups' bytes = waste; the kinds' bytes = live.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "analyze/image.h"

namespace mica::analyze {

/// Why a body is dead. `deleted`: none of its paths is there in the end; `overwritten`: one is, from a later layer.
enum class DeadKind : std::uint8_t { deleted, overwritten };

/// What differs between two files of the same content.
struct Attributes {
  bool owner = false, mode = false, times = false, xattrs = false;
  bool operator==(const Attributes&) const = default;
};

/// A dead body of at least one byte.
struct Finding {
  DeadKind kind = DeadKind::deleted;
  std::string path;                ///< one of its names: the first that is there in the end, else the first
  std::uint64_t bytes = 0;
  std::size_t added_layer = 0;     ///< stores the bytes
  std::size_t hidden_by_layer = 0; ///< took away the last path to them
  bool inherited = false;          ///< added_layer is of the base image: the Dockerfile cannot reclaim it
  bool same_content = false;       ///< a later layer stores the same bytes at that path: chown, chmod, touch, or copied again
  Attributes changed;              ///< of same_content: what is new in the next copy
};

/// Findings told together: a directory all of whose bodies of one layer are dead, hidden by one layer in one way; or a single file.
struct Rollup {
  DeadKind kind = DeadKind::deleted;
  bool same_content = false, inherited = false;
  std::string path;                ///< "": the root
  bool is_directory = false;
  std::uint64_t bytes = 0, files = 0;
  std::size_t added_layer = 0, hidden_by_layer = 0;
  Attributes changed;              ///< of any finding in it
};

struct Waste {
  std::uint64_t bytes = 0, deleted_bytes = 0, overwritten_bytes = 0, same_content_bytes = 0, reclaimable_bytes = 0, inherited_bytes = 0;
  std::uint64_t files = 0;         ///< dead bodies, empty ones not counted
  std::int64_t compressed_bytes = -1;   ///< estimate: each layer's share of its blob; -1: sizes of blobs are not known
};

/// dive's measure: per path all copies of all layers are summed, and all of them are wasted when there are two or more.
struct Dive {
  double efficiency = 1;
  std::uint64_t wasted_bytes = 0;
  std::uint64_t user_bytes = 0;    ///< of all layers but the first
  double wasted_user_percent = 0;  ///< wasted_bytes / user_bytes, as a fraction
};

struct LayerReport {
  std::size_t index = 0;
  std::string diff_id, digest, created_by, instruction;
  int line = 0;                    ///< of the Dockerfile; 0: not known
  bool inherited = false;          ///< of the base image
  std::uint64_t bytes = 0;         ///< of the bodies it stores
  std::int64_t compressed_bytes = -1;
  std::int64_t duration_ns = -1;   ///< of the step's last run
  std::uint64_t files = 0;         ///< bodies
  std::uint64_t directories = 0, symlinks = 0, others = 0;
  std::uint64_t added_files = 0, changed_files = 0, removed_paths = 0;   ///< files that are new, that replace something; paths taken away
  std::uint64_t changed_bytes = 0; ///< of `bytes`: at paths where there was a file below
  std::uint64_t wasted_bytes = 0;  ///< of `bytes`: dead
  std::uint64_t hidden_bytes = 0;  ///< of lower layers, made dead by this one
  std::uint64_t duplicate_bytes = 0;    ///< of `bytes`: live, and stored in this image before
  std::uint64_t package_cache_bytes = 0;   ///< of `bytes`: live, in package managers' caches
};

/// Bodies of the same content among the live ones. bytes: what all but one take.
struct Duplicates {
  std::uint64_t size = 0, copies = 0, bytes = 0;
  std::vector<std::string> paths;  ///< at most kShownCopies, in order of layer and path
  std::vector<std::size_t> layers; ///< of those paths
};
inline constexpr std::size_t kShownCopies = 10;

struct PackageCache {
  std::string manager;             ///< "apt", "npm"
  std::string path;                ///< "var/lib/apt/lists"
  std::size_t layer = 0;           ///< that stores the bytes
  std::uint64_t bytes = 0, files = 0;   ///< live
  std::uint64_t dead_bytes = 0;    ///< removed again by a later layer; part of the waste
  std::string remedy;              ///< "add --mount=type=cache,target=/root/.npm, or ..."
};

struct SizedPath {
  std::string path;
  std::uint64_t bytes = 0, files = 0;   ///< of a directory: all bodies below it
  std::size_t layer = 0;           ///< of a file
};
struct FileKind {
  std::string name;                ///< "shared libraries"
  std::uint64_t bytes = 0, files = 0;   ///< live bodies
};

struct Analysis {
  std::string name, id, digest, platform;
  Base base;
  std::uint64_t total_bytes = 0, live_bytes = 0;
  std::uint64_t files = 0;         ///< bodies
  std::uint64_t live_files = 0;
  double efficiency = 1;           ///< live / total; 1 when there is nothing
  std::int64_t compressed_bytes = -1;   ///< what a pull moves; -1: not known
  Waste waste;
  Dive dive;
  std::uint64_t duplicate_bytes = 0, package_cache_bytes = 0;   ///< of the live bytes
  std::uint64_t sparse_log_bytes = 0;   ///< lastlog and faillog: sizes that mean nothing
  std::vector<LayerReport> layers;
  std::vector<Finding> findings;   ///< largest first, then by layer and path; all of them
  std::vector<Rollup> rollups;     ///< largest first; all of them
  std::vector<Duplicates> duplicates;   ///< most bytes first; all groups
  std::vector<PackageCache> package_caches;   ///< most bytes first
  std::vector<SizedPath> largest_files, largest_directories;   ///< live, at most Options::largest
  std::vector<FileKind> kinds;     ///< most bytes first
};

struct Options {
  std::size_t largest = 20;
};
Analysis analyze(const Image& image, const Options& options = {});

/// A live body and its path, for whoever draws the final file system.
struct LiveFile {
  std::string_view path;           ///< into the image
  std::uint64_t bytes = 0;         ///< 0 for further names of a body
  std::size_t layer = 0;
  const Entry* entry = nullptr;
};
/// The files of the final file system, by path.
std::vector<LiveFile> live_files(const Image& image);

std::string_view name(DeadKind kind);   ///< "deleted", "overwritten"
std::vector<std::string> names(const Attributes& changed);   ///< "owner", "mode", "times", "attributes"

}  // namespace mica::analyze
