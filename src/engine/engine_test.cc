#include "engine/engine.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "base/format.h"
#include "base/time.h"
#include "engine/layout.h"
#include "sys/fd.h"
#include "sys/mount.h"
#include "sys/userns.h"
#include "support/in_child.h"

using namespace mica;
using support::in_child;
using engine::Engine;

namespace {

sys::TempDir make_folder() {
  auto folder = sys::TempDir::create("/tmp", "engine_test");
  REQUIRE(folder);
  return std::move(*folder);
}

std::unique_ptr<Engine> open(const std::string& root) {
  auto opened = Engine::open({.root = root});
  REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().full_text()));
  return std::move(*opened);
}

oci::ImageId put_image(Engine& engine, int number) {
  store::ImageRow row{.id = {oci::Digest::of(format("config {}", number))}};
  for (int layer = 0; layer < 10; ++layer) row.layers.push_back(format("{:016x}", number * 7 + layer));
  row.created = Timestamp::from_seconds(1'700'000'000 + number * 7919 % 1000);
  row.platform = {.os = "linux", .architecture = "amd64"};
  row.labels = {{"org.opencontainers.image.source", "https://example.com/team/app"}, {"maintainer", "somebody"}};
  REQUIRE(engine.images().put(row, {*oci::Reference::parse(format("example.com/team/app{}:1.{}", number, number))}));
  return row.id;
}

/// Sets or, with nullptr, unsets a variable until this dies.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* before = ::getenv(name)) before_ = before;
    value ? ::setenv(name, value, 1) : ::unsetenv(name);
  }
  ~Variable() { before_ ? ::setenv(name_, before_->c_str(), 1) : ::unsetenv(name_); }

 private:
  const char* name_;
  std::optional<std::string> before_;
};

}  // namespace

TEST_CASE("a store is made when it is missing, closed to others") {
  const auto folder = make_folder();
  const std::string root = folder.path() + "/deep/down";
  std::string temporary;
  {
    const auto engine = open(root);
    CHECK(engine->root() == root);
    CHECK(engine->folder("x") == root + "/x");
    temporary = engine->workspace().path();
    CHECK(temporary.starts_with(root + "/ingest/"));
    CHECK(sys::exists(temporary));
    for (const char* name : {"mica.db", "blobs", "layers", "ingest", "locks"}) CHECK(sys::exists(root + "/" + name));
    struct stat info;
    REQUIRE(::stat(root.c_str(), &info) == 0);
    CHECK((info.st_mode & 07777) == 0700);
    const auto digest = engine->blobs().put("bytes");
    REQUIRE(digest);
    CHECK(sys::exists(root + "/blobs/sha256/" + digest->hex()));
  }
  CHECK_FALSE(sys::exists(temporary));
  CHECK_FALSE(sys::exists(root + "/mica.db-wal"));
}

TEST_CASE("a missing store reads as an empty one and is not made") {
  const auto folder = make_folder();
  for (const std::string& root : {folder.path() + "/none", folder.path()}) {
    auto engine = Engine::open_for_reading({.root = root});
    REQUIRE(engine);
    CHECK((*engine)->images().list()->empty());
    CHECK((*engine)->layers().list()->empty());
    CHECK((*engine)->blobs().list()->empty());
    CHECK((*engine)->images().resolve("alpine").error().code() == Errc::not_found);
    CHECK((*engine)->blobs().put("x").error().code() == Errc::permission_denied);
  }
  CHECK(sys::list_names(*sys::open(folder.path(), 0))->empty());
}

TEST_CASE("what one command stored the next one sees") {
  const auto folder = make_folder();
  const auto id = put_image(*open(folder.path()), 1);
  const auto reading = Engine::open_for_reading({.root = folder.path()});
  REQUIRE(reading);
  CHECK((*reading)->images().resolve("example.com/team/app1:1.1")->id == id);
  CHECK(open(folder.path())->images().list()->size() == 1);
}

TEST_CASE("a relative state folder is taken from the working folder") {
  const auto folder = make_folder();
  const auto outcome = in_child([&]() -> std::string {
    if (::chdir(folder.path().c_str()) != 0) return "no folder";
    auto engine = Engine::open({.root = "./state/../state"});
    return engine ? (*engine)->root() : engine.error().text();
  });
  CHECK(outcome == folder.path() + "/state");
}

TEST_CASE("a store of a newer mica, or none of ours, is refused with a hint") {
  const auto folder = make_folder();
  open(folder.path())->database().lock()->execute("PRAGMA user_version=99").value();
  for (const auto& opened : {Engine::open({.root = folder.path()}).error(), Engine::open_for_reading({.root = folder.path()}).error()}) {
    CHECK(opened.code() == Errc::unsupported);
    CHECK(opened.text().find("version 99") != std::string::npos);
    CHECK_FALSE(opened.hint().empty());
  }
  REQUIRE(sys::write_file(folder.path() + "/mica.db", std::string(10'000, 'x')));
  for (const auto& opened : {Engine::open({.root = folder.path()}).error(), Engine::open_for_reading({.root = folder.path()}).error()}) {
    CHECK(opened.code() == Errc::corrupt);
    CHECK(opened.hint().find("mica fsck") != std::string::npos);
  }
}

TEST_CASE("opening removes what a killed process left, and only that") {
  const auto folder = make_folder();
  const auto living = open(folder.path());
  REQUIRE(sys::write_file(living->workspace().path() + "/file", "x"));
  const auto died = in_child([&]() -> std::string {
    auto engine = Engine::open({.root = folder.path()});
    if (!engine || !sys::write_file((*engine)->workspace().path() + "/file", "x")) return "failed";
    if (!(*engine)->database().lock()->execute(format("INSERT INTO lease VALUES ('{}', 'layer')", (*engine)->workspace().token()))) return "failed";
    ::kill(::getpid(), SIGKILL);
    return "alive";
  });
  REQUIRE(died == "died");
  CHECK(sys::list_names(*sys::open(folder.path() + "/ingest", 0))->size() == 2);
  const auto next = open(folder.path());
  CHECK(sys::exists(living->workspace().path() + "/file"));
  CHECK(sys::list_names(*sys::open(folder.path() + "/ingest", 0))->size() == 2);
  auto database = next->database().lock();
  auto leases = database->prepare("SELECT count(*) FROM lease");
  REQUIRE(*leases->step());
  CHECK(leases->integer(0) == 0);
}

TEST_CASE("an engine drops its leases when it ends") {
  const auto folder = make_folder();
  const auto other = open(folder.path());
  {
    const auto engine = open(folder.path());
    engine->database()
        .lock()
        ->execute("INSERT INTO layer (id, content_id, bytes, entries, created_ns, parent_key, boot_id) VALUES ('one', '', 0, 0, 0, '', '')")
        .value();
    REQUIRE(engine->workspace().lease(engine->database(), {"one"}));
  }
  auto database = other->database().lock();
  auto leases = database->prepare("SELECT count(*) FROM lease");
  REQUIRE(*leases->step());
  CHECK(leases->integer(0) == 0);
}

TEST_CASE("a store on a read-only file system is for looking") {
  const auto folder = make_folder();
  put_image(*open(folder.path()), 1);
  if (!sys::can_mount()) {
    MESSAGE("skipped: needs the right to mount");
    return;
  }
  const auto outcome = in_child([&]() -> std::string {
    if (auto done = sys::enter_private_mount_namespace(); !done) return done.error().text();
    auto mount = sys::Mount::bind(folder.path(), folder.path(), true);
    if (!mount) return mount.error().text();
    const auto refused = Engine::open({.root = folder.path()});
    if (refused) return "opened for writing";
    std::string text = format("{}, {}", name(refused.error().code()), refused.error().hint().substr(folder.path().size()));
    auto engine = Engine::open_for_reading({.root = folder.path()});
    return text + (engine ? format(", {} image", (*engine)->images().list()->size()) : engine.error().text());
  });
  CHECK(outcome ==
        "permission_denied,  can only be read: images, inspect, history and save work there; name another state folder with --root or MICA_ROOT, 1 image");
}

TEST_CASE("the state folder of root and of others") {
  const Variable no_root("MICA_ROOT", nullptr), no_data("XDG_DATA_HOME", nullptr), home("HOME", "/home/anna");
  {
    const Variable user("MICA_ROOTLESS_UID", "0");
    CHECK(engine::default_root() == "/var/lib/mica");
  }
  const Variable user("MICA_ROOTLESS_UID", "1000");
  CHECK(engine::default_root() == "/home/anna/.local/share/mica");
  {
    const Variable data("XDG_DATA_HOME", "/data/anna");
    CHECK(engine::default_root() == "/data/anna/mica");
  }
  {
    const Variable data("XDG_DATA_HOME", "data");
    CHECK(engine::default_root() == "/home/anna/.local/share/mica");
  }
  const Variable root("MICA_ROOT", "/srv/images");
  CHECK(engine::default_root() == "/srv/images");
}

TEST_CASE("opening and listing a thousand images, measured") {
  const auto folder = make_folder();
  {
    const auto engine = open(folder.path());
    for (int i = 0; i < 1000; ++i) put_image(*engine, i);
  }
  std::vector<std::int64_t> times;
  for (int i = 0; i < 9; ++i) {
    const std::int64_t start = monotonic_ns();
    {
      auto engine = Engine::open_for_reading({.root = folder.path()});
      REQUIRE(engine);
      CHECK((*engine)->images().list()->size() == 1000);
      CHECK((*engine)->images().names()->size() == 1000);
    }
    times.push_back(monotonic_ns() - start);
  }
  MESSAGE(format("first {:.2f} ms, fastest {:.2f} ms", static_cast<double>(times[0]) / 1e6, static_cast<double>(*std::ranges::min_element(times)) / 1e6));
}
