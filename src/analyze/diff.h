/// What differs between two images: layers, the final file systems, packages.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "analyze/analysis.h"

namespace mica::analyze {

struct PathChange {
  enum class What : std::uint8_t { added, removed, changed } what = What::changed;
  std::string path;
  Kind kind = Kind::file;          ///< of `removed`: as it was
  std::uint64_t bytes_before = 0, bytes_after = 0;
  // Of `changed`:
  bool type = false, content = false, mode = false, owner = false, attributes = false;   ///< content: of files and links; attributes: extended ones
};
struct LayerChange {
  enum class Where : std::uint8_t { both, before, after } where = Where::both;
  std::string diff_id, instruction;
  std::uint64_t bytes = 0;
};
struct PackageChange {
  std::string manager, name;
  std::string before, after;       ///< versions, joined by ", "; empty version: it has none that is known
  bool was = false, is = false;
};
struct ImageChanges {
  std::vector<LayerChange> layers; ///< those of both or of the first image in its order, then those of the second only
  std::vector<PathChange> paths;   ///< by path; times do not count
  std::vector<PackageChange> packages;   ///< by manager and name
  bool has_rpm = false;            ///< an rpm database is in one of them: its packages are not compared
  std::uint64_t total_before = 0, total_after = 0;   ///< all bodies of all layers
  std::uint64_t live_before = 0, live_after = 0;     ///< of the final file systems
};
ImageChanges compare(const Image& before, const Image& after);

std::string_view name(PathChange::What what);          ///< "added", "removed", "changed"
std::string_view name(LayerChange::Where where);       ///< "both", "before", "after"
std::string_view name(Kind kind);                      ///< "file", "directory", "symlink", "device"
/// "content", "mode", ...
std::vector<std::string> aspects(const PathChange& change);

}  // namespace mica::analyze
