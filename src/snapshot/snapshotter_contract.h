/// What every Snapshotter must do, as test cases to be run over each implementation.
#pragma once
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "snapshot/snapshotter.h"
#include "support/layer_fixture.h"

namespace mica::snapshot {

class SnapshotterContract {
 public:
  SnapshotterContract(testing::LayerFixture& fixture, Snapshotter& snapshotter) : fixture_(fixture), snapshotter_(snapshotter) {
    make_base();
  }

  void check() {
    scratch_is_an_empty_root();
    nothing_changed();
    every_kind_of_change();
    folders_that_come_and_go();
    lower_layers_stay_as_they_are();
    roots_do_not_see_each_other();
    dropped_roots_leave_nothing();
    read_only_roots_have_no_changes();
    whiteouts_of_nothing_do_not_show();
    further_layers_are_no_changes();
    two_hundred_layers();
    a_stop_is_heard();
  }

 private:
  using Lines = testing::Lines;

  void make_base() {
    using namespace testing;
    TarItem su = tar_file("bin/su", "su", 04755), old = tar_folder("old", 0700);
    su.entry.uid = 3;
    old.entry.uid = old.entry.gid = 7;
    std::vector<TarItem> items = {tar_folder("bin"),
                                  su,
                                  tar_file("bin/tool", "tool", 0755),
                                  tar_link("bin/tool2", "bin/tool", 0755),
                                  tar_symlink("sbin", "bin"),
                                  tar_file("bin/alone", "alone"),
                                  tar_folder("etc", 0711),
                                  tar_file("etc/a", "a"),
                                  tar_file("etc/b", "b"),
                                  tar_file("etc/c", "c", 0600),
                                  old,
                                  tar_file("old/f", "f"),
                                  tar_folder("old/sub"),
                                  tar_file("old/sub/g", "g"),
                                  tar_folder("var"),
                                  tar_file("var/hidden", "h"),
                                  tar_folder("tmp", 01777)};
    for (auto& item : items) item.entry.mtime_ns = 1'500'000'000'000'000'001;
    base_ = {must(fixture_.apply(tar(items))).layer.id};
    base_.push_back(
        must(fixture_.apply(
                 tar({tar_file("etc/.wh.b"), tar_folder("var"), tar_file("var/.wh..wh..opq"), tar_file("var/new", "n")}), base_))
            .layer.id);
  }

  std::unique_ptr<RootFs> writable(const Chain& chain) { return testing::must(snapshotter_.writable(chain, {})); }

  /// The tree at a root, as lines without what mounts may show differently (groups of hard links).
  Lines shown(const std::string& root) { return without_groups(testing::lines_of(fixture_.scan(root))); }
  static Lines without_groups(Lines lines) {
    for (auto& line : lines) line = line.substr(0, line.find(" = "));
    return lines;
  }
  /// Opaque or not is the implementation's choice as long as the merged tree is right.
  static Lines without_marks(Lines lines) {
    for (auto& line : lines) line = line.substr(0, line.find(" opaque"));
    return without_groups(std::move(lines));
  }
  Lines visible(const Chain& chain) { return without_groups(testing::lines_of(testing::must(fixture_.layers.view(chain)))); }

  /// Takes the changes, lists and commits them over the chain, and checks that the chain now shows what the root showed.
  Lines changes(std::unique_ptr<RootFs> root, const Chain& chain, Chain* top = nullptr) {
    const Lines before = shown(root->path());
    auto staged = testing::must(root->take_changes());
    root.reset();
    const Listing listing = fixture_.scan(staged.fs());
    auto layer = testing::must(fixture_.layers.commit(std::move(staged), listing, testing::must(fixture_.layers.view(chain))));
    Chain with = chain;
    with.push_back(layer.id);
    CHECK(visible(with) == before);
    const auto again = testing::must(snapshotter_.read_only(with, {}));
    CHECK(shown(again->path()) == before);
    if (top) *top = with;
    const auto folder = testing::must(sys::open(fixture_.layers.directory(layer.id) + "/..", O_RDONLY | O_DIRECTORY));
    CHECK(testing::must(sys::list_names(folder)) == Lines{"fs", "list"});
    return testing::lines_of(listing);
  }

  void write(const std::string& path, std::string_view content) { testing::must(sys::write_file(path, content)); }

  void scratch_is_an_empty_root() {
    auto root = writable({});
    struct stat status;
    REQUIRE(::stat(root->path().c_str(), &status) == 0);
    CHECK((status.st_mode & 07777) == 0755);
    CHECK(status.st_uid == 0);
    CHECK(status.st_gid == 0);
    CHECK(shown(root->path()).empty());
    write(root->path() + "/f", "first");
    CHECK(changes(std::move(root), {}) == Lines{"f f 644 5"});
  }

  void nothing_changed() {
    auto root = writable(base_);
    CHECK(shown(root->path()) == visible(base_));
    CHECK(testing::must(sys::read_file(root->path() + "/sbin/su")) == "su");
    CHECK(changes(std::move(root), base_).empty());
  }

  void every_kind_of_change() {
    auto root = writable(base_);
    const std::string& at = root->path();
    write(at + "/etc/a", "A");                             // content, same size
    REQUIRE(::chmod((at + "/etc/c").c_str(), 0644) == 0);  // mode
    REQUIRE(::chown((at + "/tmp").c_str(), 1, 2) == 0);    // owner of a folder
    REQUIRE(::chmod((at + "/tmp").c_str(), 01777) == 0);
    REQUIRE(::unlink((at + "/bin/su").c_str()) == 0);  // deleted
    REQUIRE(::link((at + "/bin/alone").c_str(), (at + "/new link").c_str()) == 0);
    REQUIRE(::unlink((at + "/sbin").c_str()) == 0);  // another type
    REQUIRE(::mkdir((at + "/sbin").c_str(), 0711) == 0);
    REQUIRE(::mkfifo((at + "/sbin/fifo").c_str(), 0600) == 0);
    REQUIRE(::symlink("/etc/a", (at + "/link").c_str()) == 0);
    REQUIRE(::rename((at + "/var/new").c_str(), (at + "/var/moved").c_str()) == 0);
    write(at + "/etc/b", "back");  // over a whiteout
    const Lines lines = changes(std::move(root), base_);
    CHECK(without_marks(lines) == Lines{"d bin 755", "f bin/alone 644 5", "w bin/su", "d etc 711", "f etc/a 644 1",
                                        "f etc/b 644 4", "f etc/c 644 1", "l link -> /etc/a", "f new link 644 5", "d sbin 711",
                                        "p sbin/fifo 600", "d tmp 1777 1:2", "d var 755", "f var/moved 644 1", "w var/new"});
    CHECK(std::count(lines.begin(), lines.end(), "f new link 644 5 = bin/alone") == 1);
  }

  void folders_that_come_and_go() {
    auto root = writable(base_);
    const std::string& at = root->path();
    testing::must(sys::remove_tree(at + "/old"));  // made again, with another content
    testing::must(sys::make_directories(at + "/old/sub"));
    write(at + "/old/sub/other", "o");
    testing::must(sys::remove_tree(at + "/etc"));  // a file now
    write(at + "/etc", "file");
    testing::must(sys::remove_tree(at + "/bin"));  // gone
    REQUIRE(::mkdir((at + "/passing").c_str(), 0755) == 0);
    REQUIRE(::rmdir((at + "/passing").c_str()) == 0);
    Chain top;
    const Lines lines = changes(std::move(root), base_, &top);
    CHECK(std::count(lines.begin(), lines.end(), "w bin") == 1);
    CHECK(std::count(lines.begin(), lines.end(), "f etc 644 4") == 1);
    CHECK(visible(top) == Lines{"f etc 644 4", "d old 755", "d old/sub 755", "f old/sub/other 644 1", "l sbin -> bin",
                                "d tmp 1777", "d var 755", "f var/new 644 1"});
    auto next = writable(top);
    write(next->path() + "/old/f", "again");
    CHECK(changes(std::move(next), top) == Lines{"d old 755", "f old/f 644 5"});
  }

  void lower_layers_stay_as_they_are() {
    const std::string folder = fixture_.layers.directory(base_[0]);
    const Listing before = fixture_.scan(folder);
    auto root = writable(base_);
    for (const auto* path : {"/bin/tool", "/etc/a", "/old/sub/g"}) write(root->path() + path, "changed");
    REQUIRE(::chmod((root->path() + "/bin/tool2").c_str(), 0) == 0);
    testing::must(sys::remove_tree(root->path() + "/old"));
    testing::check_same(fixture_.scan(folder), before);
    changes(std::move(root), base_);
    testing::check_same(fixture_.scan(folder), before);
  }

  void roots_do_not_see_each_other() {
    auto one = writable(base_), two = writable(base_);
    write(one->path() + "/one", "");
    write(two->path() + "/two", "");
    CHECK(!sys::exists(one->path() + "/two"));
    CHECK(changes(std::move(one), base_) == Lines{"f one 644 0"});
    CHECK(changes(std::move(two), base_) == Lines{"f two 644 0"});
  }

  void dropped_roots_leave_nothing() {
    {
      const auto root = writable(base_), other = testing::must(snapshotter_.read_only(base_, {}));
      write(root->path() + "/f", "");
    }
    const auto ingest = testing::must(sys::open(fixture_.dir.path() + "/ingest/1", O_RDONLY | O_DIRECTORY));
    CHECK(testing::must(sys::list_names(ingest)).empty());
  }

  void read_only_roots_have_no_changes() {
    for (const Chain& chain : {Chain{}, Chain{base_[0]}, base_}) {
      const auto root = testing::must(snapshotter_.read_only(chain, {}));
      CHECK(shown(root->path()) == visible(chain));
      const auto taken = root->take_changes();
      REQUIRE(!taken.has_value());
      CHECK(taken.error().code() == Errc::conflict);
    }
  }

  void whiteouts_of_nothing_do_not_show() {
    const auto layer = testing::must(fixture_.apply(testing::tar({testing::tar_file(".wh.nothing"), testing::tar_file("f")})));
    for (const auto& root : {testing::must(snapshotter_.read_only({layer.layer.id}, {})),
                             testing::must(snapshotter_.writable({layer.layer.id}, {}))})
      CHECK(shown(root->path()) == Lines{"f f 644 0"});
  }

  void further_layers_are_no_changes() {
    const auto extra = testing::must(fixture_.apply(
        testing::tar({testing::tar_folder("proc", 0555), testing::tar_folder("etc", 0711), testing::tar_file("etc/hosts")})));
    const auto view = testing::must(fixture_.layers.view({extra.layer.id}));
    auto root = testing::must(snapshotter_.writable(base_, view.layers(), {}));
    CHECK(sys::exists(root->path() + "/proc"));
    CHECK(sys::exists(root->path() + "/etc/hosts"));
    CHECK(sys::exists(root->path() + "/etc/a"));
    write(root->path() + "/f", "");
    auto staged = testing::must(root->take_changes());
    CHECK(testing::lines_of(fixture_.scan(staged.fs())) == Lines{"f f 644 0"});
  }

  void two_hundred_layers() {
    Chain chain = base_;
    for (int i = 0; i < 200; ++i)
      chain.push_back(testing::must(fixture_.apply(testing::tar(
                                        {testing::tar_file("top", std::to_string(i)), testing::tar_file(format("f{}", i))})))
                          .layer.id);
    auto root = writable(chain);
    CHECK(testing::must(sys::read_file(root->path() + "/top")) == "199");
    CHECK(sys::exists(root->path() + "/f0"));
    REQUIRE(::unlink((root->path() + "/f100").c_str()) == 0);
    CHECK(changes(std::move(root), chain) == Lines{"w f100"});
  }

  void a_stop_is_heard() {
    const auto cancel = task::Cancel::create();
    cancel.stop();
    const auto root = snapshotter_.writable(base_, cancel);
    REQUIRE(!root.has_value());
    CHECK(root.error().code() == Errc::cancelled);
  }

  testing::LayerFixture& fixture_;
  Snapshotter& snapshotter_;
  Chain base_;
};

}  // namespace mica::snapshot
