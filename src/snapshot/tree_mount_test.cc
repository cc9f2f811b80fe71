// The merged tree as the kernel makes it, against the one made from listings.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>

#include "base/format.h"
#include "snapshot/tree_view.h"
#include "support/layers.h"
#include "sys/mount.h"
#include "sys/userns.h"

using namespace mica;
using namespace mica::snapshot;

namespace {

/// Writes a layer as overlayfs would have left it. Files are their own digest's byte, so that contents tell layers apart.
void write_layer(const std::string& root, const testing::Entries& layer) {
  REQUIRE(sys::make_directories(root));
  for (const auto& entry : layer) {
    const std::string path = root + "/" + entry.path;
    switch (entry.type) {
      case Type::directory:
        REQUIRE(::mkdir(path.c_str(), 0755) == 0);
        REQUIRE(::chmod(path.c_str(), entry.mode) == 0);
        if (entry.opaque) REQUIRE(::lsetxattr(path.c_str(), "trusted.overlay.opaque", "y", 1, 0) == 0);
        break;
      case Type::whiteout: REQUIRE(::mknod(path.c_str(), S_IFCHR, 0) == 0); break;
      case Type::symlink: REQUIRE(::symlink(entry.link.c_str(), path.c_str()) == 0); break;
      default: REQUIRE(sys::write_file(path, std::string(1, static_cast<char>(entry.digest[0])))); break;
    }
  }
}

void list_mounted(const sys::Fd& folder, const std::string& prefix, std::vector<std::string>& lines) {
  const auto names = sys::list_names(folder);
  REQUIRE(names.has_value());
  for (const auto& name : *names) {
    const auto status = sys::lstat_at(folder, name);
    // A folder of one layer alone is read as it is: overlayfs lists a whiteout in it, which then is not there.
    if (!status && status.error().code() == Errc::not_found) continue;
    REQUIRE(status.has_value());
    const std::string path = prefix + name;
    if (S_ISLNK(status->st_mode)) lines.push_back(path + " -> " + sys::read_link_at(folder, name).value());
    if (S_ISREG(status->st_mode)) lines.push_back(path + " = " + sys::read_fd(sys::open_at(folder, name, O_RDONLY).value()).value());
    if (!S_ISDIR(status->st_mode)) continue;
    lines.push_back(format("{} {:o}", path, status->st_mode & 07777));
    list_mounted(sys::open_at(folder, name, O_RDONLY | O_DIRECTORY).value(), path + "/", lines);
  }
}

std::vector<std::string> list_view(const TreeView& view) {
  std::vector<std::string> lines;
  view.walk("", [&](const TreeView::Found& found) {
    std::string line(found.entry.path);
    if (found.entry.type == Type::symlink) line += " -> " + std::string(found.entry.link);
    if (found.entry.type == Type::file) line += " = " + view.read_file(found.entry.path, 1).value();
    if (found.entry.type == Type::directory) line += format(" {:o}", found.entry.mode);
    lines.push_back(line);
    return true;
  });
  return lines;
}

}  // namespace

TEST_CASE("scanned layers merge to the tree that overlayfs shows") {
  if (!sys::can_mount()) {
    MESSAGE("skipped: mounting overlayfs needs CAP_SYS_ADMIN");
    return;
  }
  const auto dir = *sys::TempDir::create("/tmp", "mica-merge");
  task::Pool pool(2);
  int merged_entries = 0;
  for (std::uint32_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    testing::RandomLayers random(seed);
    std::vector<TreeView::Layer> layers;
    sys::OverlaySpec spec;
    for (std::uint32_t n = 2 + random.below(4); n > 0; --n) {
      const std::string root = format("{}/{}-{}", dir.path(), seed, n);
      write_layer(root, random.layer());
      const auto opened = sys::open(root, O_RDONLY | O_DIRECTORY);
      auto listing = scan_layer(*opened, pool, {});
      REQUIRE(listing.has_value());
      layers.push_back({*listing, root});
      spec.lowers.insert(spec.lowers.begin(), root);
    }
    const std::string target = dir.path() + "/merged";
    REQUIRE(sys::make_directories(target));
    auto mount = sys::Mount::overlay(spec, target);
    if (!mount && seed == 1) {
      MESSAGE("skipped: " << mount.error().text());
      return;
    }
    REQUIRE(mount.has_value());
    std::vector<std::string> mounted;
    list_mounted(sys::open(target, O_RDONLY | O_DIRECTORY).value(), "", mounted);
    REQUIRE(std::move(*mount).unmount());
    std::sort(mounted.begin(), mounted.end());
    auto viewed = list_view(TreeView(layers));
    std::sort(viewed.begin(), viewed.end());
    CHECK(mounted == viewed);
    merged_entries += static_cast<int>(viewed.size());
  }
  CHECK(merged_entries > 300);
}
