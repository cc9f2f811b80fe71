/// Packages of an image, as the databases of package managers and the names of metadata files tell. Foreign text, read with limits; nothing is run.
///
///   dpkg   var/lib/dpkg/status and status.d/*      name, version
///   apk    lib/apk/db/installed (also in usr/lib)  name, version
///   pip    NAME-VERSION.dist-info, .egg-info       name, version
///   npm    node_modules/NAME/package.json          name
///   rpm    only that there is a database
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "analyze/image.h"
#include "analyze/stack.h"

namespace mica::analyze {

inline constexpr std::size_t kMaxPackages = 200'000;             ///< of a database; what comes after is left out

struct Package {
  std::string manager, name, version;
  auto operator<=>(const Package&) const = default;
};
struct Packages {
  std::vector<Package> list;       ///< sorted, each once
  bool has_rpm = false;            ///< an rpm database is there, which is not read
};

/// Whether find_packages wants the content of the file at a path (Layer::contents).
bool is_package_database(std::string_view path);
Packages find_packages(const Image& image, const Stack& stack);

/// Paragraphs of "Package:", "Version:", "Status:"; packages that are not installed are left out.
std::vector<Package> parse_dpkg_status(std::string_view text);
/// Paragraphs of "P:" and "V:".
std::vector<Package> parse_apk_installed(std::string_view text);

}  // namespace mica::analyze
