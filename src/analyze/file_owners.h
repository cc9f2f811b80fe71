/// Which package a file belongs to: from the databases that package managers leave in an image, else from where the file lies.
///
/// Read are dpkg's lists (also the checksums that images without dpkg carry) and apk's list of what is installed. What lies in node_modules, site-packages or gems
/// belongs to the package whose folder it is. rpm's database is a binary format of its own and is not read.
#pragma once
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "analyze/image.h"

namespace mica::analyze {

class FileOwners {
 public:
  /// Files whose contents (Layer::contents) it wants to see.
  static bool wants(std::string_view path);
  /// `image` need not outlive it. Contents that were not kept are passed over.
  explicit FileOwners(const Image& image);

  /// Of a path of the final file system: an index of names(); 0: no package is known.
  std::size_t owner(std::string_view path);
  /// "deb libc6", "apk musl", "npm express", "pip requests", "gem rake"; the first is empty.
  const std::vector<std::string>& names() const { return names_; }

 private:
  std::size_t number(std::string name);
  void read_dpkg_list(std::string_view package, std::string_view text);
  void read_checksums(std::string_view package, std::string_view text);
  void read_apk(std::string_view text);
  std::vector<std::string> names_{""};
  std::unordered_map<std::string, std::size_t> numbers_, files_;
};

}  // namespace mica::analyze
