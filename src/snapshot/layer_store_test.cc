#include "snapshot/layer_store.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <thread>

#include "base/format.h"
#include "snapshot/layer_tar.h"
#include "support/layers.h"

using namespace mica;
using namespace mica::snapshot;

namespace {

/// A state folder with a database that has what this module needs.
struct Store {
  sys::TempDir dir = *sys::TempDir::create("/tmp", "mica-layers");
  Guarded<db::Database> database{open_database(dir.path() + "/mica.db")};
  LayerStore layers = open();

  static db::Database open_database(const std::string& path) {
    static constexpr std::string_view kLease = "CREATE TABLE lease (token TEXT, layer TEXT, PRIMARY KEY (token, layer)) STRICT, WITHOUT ROWID;\n";
    const std::string sql = std::string(kSchemaSql) + std::string(kLease);
    const std::string_view migrations[] = {sql};
    auto database = db::Database::open(path, {migrations});
    REQUIRE(database.has_value());
    return std::move(*database);
  }
  LayerStore open() {
    REQUIRE(sys::make_directories(dir.path() + "/ingest/1"));
    return LayerStore(dir.path(), dir.path() + "/ingest/1", database);
  }
  void sql(const std::string& text) { REQUIRE(database.lock()->execute(text)); }
  std::vector<std::string> names(const std::string& folder) const {
    const auto opened = sys::open(dir.path() + "/" + folder, O_RDONLY | O_DIRECTORY);
    if (!opened) return {};
    return sys::list_names(*opened).value();
  }
  /// A layer with one file, on disk and listed.
  LayerInfo add(const std::string& name, std::string_view content, const Chain& below = {}, std::string parent_key = {}) {
    auto staged = layers.stage();
    REQUIRE(staged.has_value());
    REQUIRE(sys::write_file(staged->fs() + "/" + name, content));
    const auto lower = layers.view(below);
    REQUIRE(lower.has_value());
    auto info = layers.commit(std::move(*staged), Listing::build({testing::file(name, content)}), *lower, std::move(parent_key));
    REQUIRE(info.has_value());
    return *info;
  }
};

bool is_hex(const std::string& text, std::size_t digits) {
  return text.size() == digits && text.find_first_not_of("0123456789abcdef") == text.npos;
}

oci::DiffId some_diff_id(char digit) { return {oci::Digest::from_hex(std::string(64, digit))}; }

}  // namespace

TEST_CASE("a committed layer is a folder, a listing and a row") {
  Store store;
  const LayerInfo made = store.add("f", "hello");
  CHECK(is_hex(made.id, 16));
  CHECK(is_hex(made.content_id, 64));
  CHECK(made.bytes == 5);
  CHECK(made.entries == 1);
  CHECK(store.names("layers") == std::vector<std::string>{made.id});
  CHECK(store.names("layers/" + made.id) == std::vector<std::string>{"fs", "list"});
  CHECK(store.names("ingest/1").empty());

  LayerStore again = store.open();
  const auto info = again.info(made.id);
  REQUIRE(info.has_value());
  CHECK(info->content_id == made.content_id);
  CHECK(info->created_ns == made.created_ns);
  CHECK(!info->diff_id);
  CHECK(info->parent_key.empty());
  CHECK(again.listing(made.id).value().find("f") == 0);
  CHECK(again.view({made.id}).value().read_file("f", 10).value() == "hello");
  CHECK(again.list().value().size() == 1);
  CHECK(again.info("0123456789abcdef").error().code() == Errc::not_found);
  CHECK(again.listing("0123456789abcdef").error().code() == Errc::not_found);
  CHECK(again.view({made.id, "0123456789abcdef"}).error().code() == Errc::not_found);
}

TEST_CASE("a staged layer that is dropped leaves nothing behind") {
  Store store;
  {
    auto staged = store.layers.stage();
    REQUIRE(staged.has_value());
    CHECK(store.names("ingest/1").size() == 1);
    struct stat status;
    REQUIRE(::stat(staged->fs().c_str(), &status) == 0);
    CHECK((status.st_mode & 07777) == 0755);
    CHECK(sys::exists(staged->work()));
    StagedLayer moved = std::move(*staged);
    CHECK(sys::exists(moved.path()));
  }
  CHECK(store.names("ingest/1").empty());
}

TEST_CASE("tree ids follow content: layers that change nothing leave them, the same content in another layer gives the same") {
  Store store;
  const LayerInfo base = store.add("f", "1"), other_base = store.add("f", "1");
  const LayerInfo same = store.add("f", "1", {base.id}), changed = store.add("f", "2", {base.id});
  CHECK(base.id != other_base.id);
  CHECK(same.content_id.empty());
  const TreeId tree = store.layers.tree_id({base.id}).value();
  CHECK(store.layers.tree_id({}).value().empty());
  CHECK(is_hex(tree, 64));
  CHECK(store.layers.tree_id({other_base.id}).value() == tree);
  CHECK(store.layers.tree_id({base.id, same.id}).value() == tree);
  CHECK(store.layers.tree_id({base.id, changed.id}).value() != tree);
  CHECK(store.layers.tree_id({base.id, changed.id}).value() == next_tree(tree, changed.content_id));
  CHECK(store.open().tree_id({other_base.id, same.id}).value() == tree);
  CHECK(store.layers.tree_id({"0123456789abcdef"}).error().code() == Errc::not_found);
}

TEST_CASE("a layer is found by its DiffID, one that is tied to a chain only there") {
  Store store;
  const LayerInfo base = store.add("base", ""), free = store.add("f", "1"), tied = store.add("g", "1", {base.id}, LayerStore::chain_key({base.id}));
  REQUIRE(store.layers.set_diff_id(free.id, some_diff_id('a')));
  REQUIRE(store.layers.set_diff_id(tied.id, some_diff_id('b')));
  CHECK(store.layers.set_diff_id("0123456789abcdef", some_diff_id('a')).error().code() == Errc::not_found);
  CHECK(store.layers.info(free.id).value().diff_id == some_diff_id('a'));
  const auto found = [&](char digit, const Chain& below) {
    const auto layer = store.layers.find(some_diff_id(digit), below).value();
    return layer ? layer->id : std::string();
  };
  CHECK(found('a', {}) == free.id);
  CHECK(found('a', {base.id}) == free.id);
  CHECK(found('b', {base.id}) == tied.id);
  CHECK(found('b', {}) == "");
  CHECK(found('b', {free.id}) == "");
  CHECK(found('c', {}) == "");
  REQUIRE(sys::remove_tree(store.dir.path() + "/layers/" + free.id));
  CHECK_MESSAGE(found('a', {}) == "", "a row without a folder");
  CHECK(LayerStore::chain_key({}) != LayerStore::chain_key({base.id}));
  CHECK(LayerStore::chain_key({"a", "b"}) != LayerStore::chain_key({"b", "a"}));
  CHECK(LayerStore::chain_key({"ab"}) != LayerStore::chain_key({"a", "b"}));
}

TEST_CASE("a sweep removes what is neither kept nor leased, and folders without rows") {
  Store store;
  std::vector<std::string> keep = {store.add("kept", "1").id, store.add("kept too", "22").id};
  std::sort(keep.begin(), keep.end());
  const LayerInfo leased = store.add("leased", "333"), unused = store.add("unused", "4444"), crashed = store.add("crashed", "55555");
  store.sql(format("INSERT INTO lease VALUES ('t', '{}')", leased.id));
  store.sql(format("DELETE FROM layer WHERE id = '{}'", crashed.id));
  REQUIRE(sys::make_directories(store.dir.path() + "/layers/0000000000000000/fs"));
  const auto before = store.layers.view({unused.id});
  CHECK(store.layers.sweep(keep).value() == 4 + 5);
  std::vector<std::string> left = {keep[0], keep[1], leased.id};
  std::sort(left.begin(), left.end());
  CHECK(store.names("layers") == left);
  CHECK(store.names("ingest/1").empty());
  CHECK(store.layers.info(unused.id).error().code() == Errc::not_found);
  CHECK(store.layers.listing(unused.id).error().code() == Errc::not_found);
  CHECK(store.layers.tree_id({unused.id}).error().code() == Errc::not_found);
  CHECK_MESSAGE(before.value().find("unused").has_value(), "a listing in use stays readable");
  CHECK(store.layers.sweep(keep).value() == 0);
  CHECK(Store().layers.sweep({}).value() == 0);
}

TEST_CASE("rows that were not durable at a reboot are dropped, the others stay") {
  Store store;
  const LayerInfo durable = store.add("a", "");
  REQUIRE(store.layers.make_durable());
  const LayerInfo lost = store.add("b", "");
  CHECK(store.open().list().value().size() == 2);
  store.sql("UPDATE layer SET boot_id = 'an earlier one'");
  LayerStore rebooted = store.open();
  CHECK(rebooted.info(durable.id).has_value());
  CHECK(rebooted.info(lost.id).error().code() == Errc::not_found);
  REQUIRE(rebooted.sweep({durable.id}));
  CHECK(store.names("layers") == std::vector<std::string>{durable.id});
  CHECK(rebooted.make_durable().has_value());
}

TEST_CASE("a DiffID is the digest of the layer's tar, computed once and remembered") {
  Store store;
  const LayerInfo made = store.add("f", "hello");
  stream::HashingSink tar(nullptr);
  REQUIRE(write_layer_tar(store.layers.listing(made.id).value(), store.layers.directory(made.id), tar, {}));
  const std::string expected = tar.finish_hex();
  CHECK(store.layers.diff_id(made.id, {}).value().digest.hex() == expected);
  CHECK(store.layers.info(made.id).value().diff_id->digest.hex() == expected);
  REQUIRE(sys::remove_tree(store.layers.directory(made.id)));
  CHECK_MESSAGE(store.open().diff_id(made.id, {}).value().digest.hex() == expected, "read from the row");
  CHECK(store.layers.diff_id("0123456789abcdef", {}).error().code() == Errc::not_found);
  const LayerInfo damaged = store.add("f", "hello");
  REQUIRE(sys::remove_tree(store.layers.directory(damaged.id)));
  CHECK(!store.layers.diff_id(damaged.id, {}));
}

TEST_CASE("callers for one DiffID join; who is told to stop neither gets it nor takes it from the others") {
  Store store;
  for (int round = 0; round < 20; ++round) {
    const LayerInfo made = store.add("f", std::string(200'000, 'x'));
    const auto stopped = task::Cancel::create();
    stopped.stop();
    std::vector<Result<oci::DiffId>> results(8, fail(Errc::internal, "not run"));
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < results.size(); ++i)
        threads.emplace_back([&, i] { results[i] = store.layers.diff_id(made.id, i % 2 ? task::Cancel() : stopped); });
    }
    const auto expected = store.layers.info(made.id).value().diff_id;
    REQUIRE(expected.has_value());
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (results[i]) CHECK(*results[i] == *expected);
      else CHECK((i % 2 == 0 && results[i].error().code() == Errc::cancelled));
    }
  }
}

TEST_CASE("a failure while a layer is committed leaves neither row nor folder") {
  Store store;
  store.sql("CREATE TRIGGER full BEFORE INSERT ON layer BEGIN SELECT RAISE(ABORT, 'no'); END");
  auto staged = store.layers.stage();
  CHECK(!store.layers.commit(std::move(*staged), Listing(), TreeView()));
  CHECK(store.names("layers").empty());
  CHECK(store.names("ingest/1").empty());
  CHECK(store.layers.list().value().empty());
}
