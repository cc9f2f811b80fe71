#include "archive/tar.h"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <map>

#include "archive/pax.h"
#include "archive/sparse.h"
#include "archive/tar_format.h"
#include "support/slow_source.h"

using namespace mica;
using testing::SlowSource;
using archive::Entry;
using archive::EntryType;

namespace {

struct Item {
  Entry entry;
  std::string content;
};

std::string corpus(std::string_view name) {
  std::ifstream in(MICA_SOURCE_DIR "/tests/fuzz/corpus/tar/" + std::string(name), std::ios::binary);
  REQUIRE_MESSAGE(in.good(), name);
  return {std::istreambuf_iterator<char>(in), {}};
}

Result<std::vector<Item>> read_tar(std::string bytes, std::size_t step = 1 << 20) {
  SlowSource from(std::move(bytes), step);
  archive::TarReader reader(from);
  std::vector<Item> items;
  while (true) {
    std::optional<Entry> entry = TRY(reader.next());
    if (!entry) break;
    Item item{*entry, ""};
    item.content = TRY(stream::read_all(reader.data(), 64 << 20));
    CHECK(item.content.size() == item.entry.size);
    items.push_back(std::move(item));
  }
  TRY(reader.drain());
  CHECK(from.at_end());
  return items;
}

std::vector<Item> items_of(std::string_view name, std::size_t step = 1 << 20) {
  CAPTURE(name);
  auto items = read_tar(corpus(name), step);
  REQUIRE_MESSAGE(items.has_value(), (items ? std::string() : items.error().text()));
  return std::move(*items);
}

std::string write_tar(const std::vector<Item>& items) {
  stream::MemorySink sink;
  archive::TarWriter writer(sink);
  for (const Item& item : items) {
    const auto added = writer.add(item.entry);
    REQUIRE_MESSAGE(added.has_value(), (added ? std::string() : added.error().text()));
    REQUIRE(writer.write({reinterpret_cast<const unsigned char*>(item.content.data()), item.content.size()}).has_value());
  }
  REQUIRE(writer.finish().has_value());
  return sink.take();
}

const std::string kLong(120, 'a');

}  // namespace

TEST_CASE("a v7 archive is read, folders known by their slash") {
  const auto items = items_of("v7.tar");
  REQUIRE(items.size() == 4);
  CHECK(items[0].entry.path == "d/sub/");
  CHECK(items[0].entry.type == EntryType::directory);
  CHECK(items[1].content == "hello\n");
  CHECK(items[2].entry.type == EntryType::symlink);
  CHECK(items[2].entry.link == "sub/file");
}

TEST_CASE("every type of a ustar archive is read") {
  const auto items = items_of("ustar.tar", 1);
  std::map<std::string, Entry> by_path;
  for (const Item& item : items) by_path[item.entry.path] = item.entry;
  CHECK(by_path.size() == 9);
  CHECK(by_path["d/"].type == EntryType::directory);
  CHECK(by_path["d/"].uid == 1000);
  CHECK(by_path["d/"].gid == 2000);
  CHECK(by_path["d/"].user_name == "u");
  CHECK(by_path["d/"].mtime_ns == 1'700'000'000'000'000'000);
  CHECK(by_path["d/empty1"].mode == 04755);
  CHECK(by_path["d/zero"].size == 0);
  CHECK(by_path["d/pipe"].type == EntryType::fifo);
  CHECK(by_path["d/null"].type == EntryType::char_device);
  CHECK(by_path["d/null"].device_major == 1);
  CHECK(by_path["d/null"].device_minor == 3);
  CHECK(by_path["d/sub/file"].type == EntryType::hard_link);
  CHECK(by_path["d/sub/file"].link == "d/hard");
}

TEST_CASE("long names come out whole in every dialect") {
  for (const std::string name : {"oldgnu_long.tar", "pax_long.tar"})
    for (const std::size_t step : {std::size_t{1}, std::size_t{511}, std::size_t{1} << 20}) {
      const auto items = items_of(name, step);
      REQUIRE(items.size() == 4);
      CHECK(items[0].entry.path == "long/");
      CHECK(items[1].entry.path == "long/" + kLong + "/");
      CHECK(items[2].entry.path == "long/" + kLong + "/" + kLong);
      CHECK(items[2].content == "deep\n");
      CHECK(items[3].entry.link == kLong + "/" + kLong + kLong);
    }
  CHECK(items_of("pax_long.tar")[0].entry.mtime_ns == 1'700'000'000'500'000'000);
}

TEST_CASE("base-256 numbers, negative times, global headers and attributes are read") {
  CHECK(items_of("gnu_ids.tar")[0].entry.uid == 3'000'000'000);
  CHECK(items_of("gnu_negative_time.tar")[0].entry.mtime_ns == -100'000'000'000);
  CHECK(items_of("pax_global.tar")[0].entry.mtime_ns == 1'600'000'000'250'000'000);
  const auto utf8 = items_of("pax_utf8_xattr.tar");
  CHECK(utf8[1].entry.path == "ü/ñ");
  CHECK(utf8[1].entry.xattrs == std::vector<std::pair<std::string, std::string>>{{"user.test", "value"}});
  const auto python = items_of("python_pax.tar");
  CHECK(python[0].entry.path == std::string(150, 'p') + "/é");
  CHECK(python[0].entry.uid == std::uint64_t{1} << 33);
  CHECK(python[0].entry.mtime_ns == 1'500'000'000);
  CHECK(python[0].entry.xattrs == std::vector<std::pair<std::string, std::string>>{{"user.a", "1"}, {"user.b", "2"}});
}

TEST_CASE("sparse files are expanded in all four encodings") {
  std::string wanted(1 << 20, '\0');
  for (std::size_t i = 0; i < 6; ++i) wanted[i * 65536 + 32768] = static_cast<char>('0' + i);
  for (const char* name : {"sparse_old.tar", "sparse_0.0.tar", "sparse_0.1.tar", "sparse_1.0.tar"})
    for (const std::size_t step : {std::size_t{100}, std::size_t{1} << 20}) {
      CAPTURE(name);
      const auto items = items_of(name, step);
      REQUIRE(items.size() == 1);
      CHECK(items[0].entry.path == "sq");
      CHECK(items[0].entry.size == wanted.size());
      CHECK((items[0].content == wanted));
    }
}

TEST_CASE("a layer of Docker's is written again to the same bytes") {
  auto items = items_of("docker_layer.tar");
  for (Item& item : items)
    if (item.entry.type == EntryType::directory) item.entry.path.pop_back();
  CHECK((write_tar(items) == corpus("docker_layer.tar")));
}

TEST_CASE("what is written is read back") {
  std::vector<Item> items;
  items.push_back({{.type = EntryType::directory, .path = "dir", .mode = 01777, .uid = 7, .gid = 8, .mtime_ns = 5'000'000'000}, ""});
  items.push_back({{.path = "dir/file", .size = 5, .mtime_ns = 1}, "12345"});
  items.push_back({{.path = "dir/" + kLong + "/" + kLong, .size = 600}, std::string(600, 'z')});
  items.push_back({{.path = std::string(90, 'x') + "/" + std::string(90, 'y'), .size = 0}, ""});
  items.push_back({{.path = "größe", .uid = 4'000'000'000, .gid = 2'097'152, .size = 0, .mtime_ns = -1'500'000'000}, ""});
  items.push_back({{.type = EntryType::symlink, .path = "l", .link = std::string(101, 'l'), .mode = 0777}, ""});
  items.push_back({{.type = EntryType::hard_link, .path = "h", .link = "dir/file"}, ""});
  items.push_back({{.type = EntryType::block_device, .path = "b", .device_major = 259, .device_minor = 1'048'575}, ""});
  items.push_back({{.path = "caps", .size = 0, .xattrs = {{"security.capability", std::string("\1\0\0\2\n=", 6)}, {"user.z", ""}}}, ""});
  items.push_back({{.path = "large", .size = 300'000}, std::string(300'000, 'q')});
  const std::string bytes = write_tar(items);
  CHECK(bytes.size() % 512 == 0);
  const auto again = read_tar(bytes);
  REQUIRE(again.has_value());
  REQUIRE(again->size() == items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    Entry wanted = items[i].entry;
    if (wanted.type == EntryType::directory) wanted.path += '/';
    const Entry& got = (*again)[i].entry;
    CAPTURE(wanted.path);
    CHECK(got.path == wanted.path);
    CHECK(got.type == wanted.type);
    CHECK(got.link == wanted.link);
    CHECK(got.mode == wanted.mode);
    CHECK(got.uid == wanted.uid);
    CHECK(got.gid == wanted.gid);
    CHECK(got.size == wanted.size);
    CHECK(got.mtime_ns == wanted.mtime_ns);
    CHECK(got.device_major == wanted.device_major);
    CHECK(got.device_minor == wanted.device_minor);
    CHECK(got.xattrs == wanted.xattrs);
    CHECK(((*again)[i].content == items[i].content));
  }
}

TEST_CASE("PAX is used only for what ustar cannot say") {
  const auto blocks = [](Entry entry) { return write_tar({{std::move(entry), ""}}).size() / 512 - 2; };
  CHECK(blocks({.path = std::string(100, 'a')}) == 1);
  CHECK(blocks({.path = std::string(101, 'a')}) == 3);
  CHECK(blocks({.path = std::string(155, 'a') + "/" + std::string(100, 'b')}) == 1);
  CHECK(blocks({.path = std::string(156, 'a') + "/b"}) == 3);
  CHECK(blocks({.type = EntryType::directory, .path = std::string(99, 'a')}) == 1);
  CHECK(blocks({.type = EntryType::directory, .path = std::string(100, 'a')}) == 3);
  CHECK(blocks({.type = EntryType::symlink, .path = "a", .link = std::string(100, 'a')}) == 1);
  CHECK(blocks({.type = EntryType::symlink, .path = "a", .link = std::string(101, 'a')}) == 3);
  CHECK(blocks({.path = "é"}) == 3);
  CHECK(blocks({.path = "a", .uid = 2'097'151}) == 1);
  CHECK(blocks({.path = "a", .uid = 2'097'152}) == 3);
  CHECK(blocks({.path = "a", .mtime_ns = 1'000'000'000}) == 1);
  CHECK(blocks({.path = "a", .mtime_ns = 1'000'000'001}) == 3);
  const std::string root = write_tar({{{.type = EntryType::directory, .path = ""}, ""}});
  CHECK(std::string_view(root.c_str()) == "./");
}

TEST_CASE("the writer refuses what would make a wrong archive") {
  stream::MemorySink sink;
  archive::TarWriter writer(sink);
  CHECK(writer.add({.path = std::string("a\0b", 3)}).error().code() == Errc::invalid_argument);
  CHECK(writer.add({.path = "a", .xattrs = {{"user.a=b", ""}}}).error().code() == Errc::invalid_argument);
  CHECK(writer.add({.type = EntryType::char_device, .path = "a", .device_major = 1u << 30}).error().code() == Errc::unsupported);
  REQUIRE(writer.add({.path = "a", .size = 2}).has_value());
  const unsigned char three[3] = {};
  CHECK(writer.write(three).error().code() == Errc::conflict);
  CHECK(writer.add({.path = "b"}).error().code() == Errc::conflict);
  CHECK(writer.finish().error().code() == Errc::conflict);
}

TEST_CASE("damaged archives are corrupt") {
  const std::string good = corpus("ustar.tar");
  for (const std::size_t cut : {1u, 511u, 513u, 1000u}) {
    CAPTURE(cut);
    CHECK(read_tar(good.substr(0, cut)).error().code() == Errc::corrupt);
  }
  CHECK(read_tar(good.substr(0, 512)).has_value());
  CHECK(read_tar("").has_value());
  CHECK(read_tar(std::string(512, '\0')).has_value());
  CHECK(read_tar(corpus("bad_checksum.tar")).error().code() == Errc::corrupt);
  CHECK(read_tar(std::string(512, '\0') + good).error().code() == Errc::corrupt);
  CHECK(read_tar(std::string(4096, 'x')).error().code() == Errc::corrupt);
  const std::string pax = corpus("pax_long.tar");
  CHECK(read_tar(pax.substr(0, 1024)).error().code() == Errc::corrupt);
  for (const char* name : {"sparse_old.tar", "sparse_1.0.tar"}) {
    const std::string sparse = corpus(name);
    CHECK(read_tar(sparse.substr(0, sparse.size() - 4 * 512)).error().code() == Errc::corrupt);
  }
}

TEST_CASE("bytes behind the end marker are left for drain") {
  const auto items = read_tar(corpus("docker_layer.tar") + std::string(9000, '\0'));
  REQUIRE(items.has_value());
  CHECK(items->size() == 1);
}

TEST_CASE("header numbers are octal or base 256") {
  using namespace std::literals;
  struct Row {
    std::string_view field;
    std::optional<std::int64_t> value;
  };
  for (const Row& row : {
           Row{"0000644\0"sv, 0644}, Row{"   644 \0"sv, 0644}, Row{"\0\0\0\0"sv, 0}, Row{"        "sv, 0}, Row{"77777777777\0"sv, 077777777777},
           Row{"777777777777"sv, 0777777777777}, Row{"12 junk"sv, 012}, Row{"12x"sv, {}}, Row{"-1"sv, {}}, Row{"8"sv, {}},
           Row{"\x80\0\0\0\0\0\0\0\0\0\1\0"sv, 256}, Row{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x9c"sv, -100},
           Row{"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff"sv, INT64_MAX}, Row{"\x80\0\0\0\x80\0\0\0\0\0\0\0"sv, {}},
           Row{"\xff\xff\xff\xff\x80\0\0\0\0\0\0\0"sv, INT64_MIN}, Row{"\xff\xff\xff\xff\x7f\0\0\0\0\0\0\0"sv, {}},
           Row{"\xbf\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"sv, {}},
       }) {
    CAPTURE(row.field.size());
    CHECK(archive::number(row.field) == row.value);
  }
}

TEST_CASE("PAX records are exact") {
  std::string bytes;
  archive::append_pax(bytes, "path", "x");
  CHECK(bytes == "9 path=x\n");
  bytes.clear();
  archive::append_pax(bytes, "k", std::string(93, 'v'));  // 99 bytes would need a length of 3 digits
  CHECK(bytes.substr(0, 4) == "99 k");
  archive::append_pax(bytes, "k", std::string(94, 'v'));
  CHECK(archive::parse_pax(bytes)->size() == 2);
  for (const char* bad : {"x", "10 path=x", "11 path=x\n", "8 path=x\n", "-1 a=b\n", "3 \n", "6 =ab\n", "6 abc\n", "99999999999 a=b\n", " 6 a=b\n"}) {
    CAPTURE(bad);
    CHECK(archive::parse_pax(bad).error().code() == Errc::corrupt);
  }
  for (const auto& [text, ns] : {std::pair<const char*, std::int64_t>{"1.5", 1'500'000'000}, {"-1.5", -1'500'000'000}, {"0", 0}, {"-0.000000001", -1},
                                 {"1.0000000019", 1'000'000'001}, {"99999999999999999999", INT64_MAX}}) {
    CAPTURE(text);
    CHECK(archive::parse_pax_time(text) == ns);
  }
  for (const char* bad : {"", ".", "-", "1.x", "1e3", " 1", "--1"}) {
    CAPTURE(bad);
    CHECK_FALSE(archive::parse_pax_time(bad).has_value());
  }
  CHECK(archive::pax_time(-1'500'000'000) == "-1.5");
  CHECK(archive::pax_time(2'000'000'010) == "2.00000001");
}

TEST_CASE("sparse maps that lie are refused") {
  using archive::SparseMap;
  struct Row {
    SparseMap map;
    std::uint64_t stored;
    bool good;
  };
  for (const Row& row : {Row{{10, {{0, 2}, {5, 3}}}, 5, true}, Row{{10, {{0, 2}, {1, 3}}}, 5, false}, Row{{10, {{5, 3}, {0, 2}}}, 5, false},
                         Row{{10, {{8, 3}}}, 3, false}, Row{{10, {{8, 2}}}, 3, false}, Row{{10, {{UINT64_MAX, 2}}}, 2, false},
                         Row{{10, {{2, UINT64_MAX}}}, 2, false}, Row{{std::uint64_t{1} << 62, {}}, 0, false}, Row{{0, {}}, 0, true}}) {
    SparseMap map = row.map;
    CHECK(archive::check_sparse(map, row.stored).has_value() == row.good);
  }
  CHECK(archive::parse_sparse_list("0,1,2,3")->size() == 2);
  CHECK_FALSE(archive::parse_sparse_list("0,1,2").has_value());
  CHECK_FALSE(archive::parse_sparse_list("0,-1").has_value());
}
