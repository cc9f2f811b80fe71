#include "snapshot/snapshotter.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "snapshot/overlay_snapshotter.h"
#include "snapshot/snapshotter_contract.h"
#include "support/layer_fixture.h"
#include "sys/mount.h"
#include "sys/process.h"
#include "sys/userns.h"

using namespace mica;
using namespace mica::snapshot;
using namespace mica::testing;

namespace {

bool can_mount() {
  static const bool entered = ::geteuid() == 0 && sys::enter_private_mount_namespace().has_value();
  return entered;
}

}  // namespace

TEST_CASE("the copy snapshotter keeps the contract") {
  if (::geteuid() != 0) return;
  LayerFixture fixture;
  const auto snapshotter = must(make_snapshotter(Kind::copy, fixture.layers, fixture.dir.path(), fixture.pool));
  CHECK(snapshotter->name() == "copy");
  SnapshotterContract(fixture, *snapshotter).check();
}

TEST_CASE("the overlay snapshotter keeps the contract") {
  if (!can_mount()) return;
  LayerFixture fixture;
  const auto snapshotter = must(make_snapshotter(Kind::overlay, fixture.layers, fixture.dir.path(), fixture.pool));
  CHECK(snapshotter->name() == "overlay");
  SnapshotterContract(fixture, *snapshotter).check();
}

TEST_CASE("overlay is chosen where it works, which is remembered until the next boot") {
  if (!can_mount()) return;
  LayerFixture fixture;
  const std::string folder = fixture.dir.path(), file = folder + "/overlay-works";
  const auto chosen = [&](const std::string& state) {
    return std::string(must(make_snapshotter(Kind::automatic, fixture.layers, state, fixture.pool))->name());
  };
  CHECK(chosen(folder) == "overlay");
  const std::string boot = must(sys::read_file("/proc/sys/kernel/random/boot_id"));
  CHECK(must(sys::read_file(file)) == boot);
  must(sys::write_file(file, "an earlier boot\n"));
  CHECK(chosen(folder) == "overlay");
  CHECK_MESSAGE(must(sys::read_file(file)) == boot, "it was tried again");
  // Overlayfs does not take an upper folder on another overlay.
  must(sys::make_directories(folder + "/l"));
  must(sys::make_directories(folder + "/u"));
  must(sys::make_directories(folder + "/w"));
  must(sys::make_directories(folder + "/nested"));
  const auto mount =
      must(sys::Mount::overlay({.lowers = {folder + "/l"}, .upper = folder + "/u", .work = folder + "/w"}, folder + "/nested"));
  CHECK(chosen(folder + "/nested") == "copy");
  CHECK_MESSAGE(!sys::exists(folder + "/nested/overlay-works"), "a failure is not remembered");
  must(sys::write_file(folder + "/nested/overlay-works", boot));
  CHECK_MESSAGE(chosen(folder + "/nested") == "overlay", "a success is believed");
  const auto names = must(sys::list_names(must(sys::open(folder + "/nested", O_RDONLY | O_DIRECTORY))));
  CHECK_MESSAGE(names == Lines{"overlay-works"}, "trials leave nothing behind");
}

TEST_CASE("a read-only overlay root cannot be written") {
  if (!can_mount()) return;
  LayerFixture fixture;
  const auto layer = must(fixture.apply(tar({tar_file("f", "x")})));
  OverlaySnapshotter snapshotter(fixture.layers);
  for (const Chain& chain : {Chain{}, Chain{layer.layer.id}}) {
    const auto root = must(snapshotter.read_only(chain, {}));
    CHECK(sys::open(root->path() + "/new", O_CREAT | O_WRONLY).error().os_number() == EROFS);
  }
}

TEST_CASE("taking changes waits for the last user of the root") {
  if (!can_mount()) return;
  LayerFixture fixture;
  OverlaySnapshotter snapshotter(fixture.layers);
  const auto root = must(snapshotter.writable({}, {}));
  auto holder = must(sys::open(root->path(), O_RDONLY | O_DIRECTORY));
  task::Group group(fixture.pool, {});
  group.run([&](task::Cancel) -> Result<> {
    ::usleep(50'000);
    holder.reset();
    return {};
  });
  must(root->take_changes());
  must(group.wait());
}

TEST_CASE("inside a user namespace: the same layers are made, with the marks that overlayfs reads there" * doctest::skip()) {
  REQUIRE(sys::is_rootless());
  LayerFixture fixture;
  TarItem device{{.type = archive::EntryType::char_device, .path = "null", .device_major = 1, .device_minor = 3}, ""};
  const auto base =
      must(fixture.apply(tar({tar_folder("d"), tar_file("d/old", "o"), tar_folder("e"), tar_file("e/f", "f"), device})));
  const auto top = must(fixture.apply(
      tar({tar_folder("d"), tar_file("d/.wh..wh..opq"), tar_folder("e"), tar_file("e/.wh.f"), tar_file("new", "n")}),
      {base.layer.id}));
  const Chain chain = {base.layer.id, top.layer.id};
  const Lines expected = {"d d 755", "d e 755", "f new 644 1"};
  CHECK(lines_of(must(fixture.layers.view(chain))) == expected);
  char value[8];
  CHECK(::getxattr((fixture.layers.directory(top.layer.id) + "/d").c_str(), "user.overlay.opaque", value, sizeof value) == 1);
  check_same(fixture.scan(fixture.layers.directory(top.layer.id)), must(fixture.layers.listing(top.layer.id)));

  TarItem foreign = tar_file("f");
  foreign.entry.uid = 4'000'000'000;
  const auto refused = fixture.apply(tar({foreign}));
  REQUIRE(!refused.has_value());
  CHECK(refused.error().code() == Errc::unsupported);
  CHECK(!refused.error().hint().empty());

  for (const Kind kind : {Kind::overlay, Kind::copy}) {
    const auto snapshotter = must(make_snapshotter(kind, fixture.layers, fixture.dir.path(), fixture.pool));
    const auto root = must(snapshotter->writable(chain, {}));
    CHECK(lines_of(fixture.scan(root->path())) == expected);
    must(sys::remove_tree(root->path() + "/e"));
    must(sys::make_directories(root->path() + "/e"));
    must(sys::remove_file(root->path() + "/new"));
    const auto staged = must(root->take_changes());
    const Lines opaque = {"d e 755 opaque", "w new"}, plain = {"d e 755", "w new"};
    CHECK(lines_of(fixture.scan(staged.fs())) == (kind == Kind::overlay ? opaque : plain));
  }
}

TEST_CASE("layers and roots work without root") {
  const auto unshare = sys::find_program("unshare");
  if (!unshare || !sys::run_and_capture({*unshare, "--user", "--map-root-user", "--mount", "true"})) {
    MESSAGE("no user namespaces here");
    return;
  }
  const auto self = must(sys::read_link_at(must(sys::open("/proc/self", O_PATH | O_DIRECTORY)), "exe"));
  const auto run = sys::run_and_capture(
      {*unshare, "--user", "--map-root-user", "--mount", self, "--no-skip", "--test-case=inside a user namespace*"});
  CHECK_MESSAGE(run.has_value(), run.error().text());
}
