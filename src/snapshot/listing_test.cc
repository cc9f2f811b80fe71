#include "snapshot/listing.h"

#include <doctest/doctest.h>

#include "snapshot/listing_format.h"
#include "support/layers.h"

using namespace mica;
using namespace mica::snapshot;
using namespace std::literals;

namespace {

struct Folder {
  sys::TempDir dir = *sys::TempDir::create("/tmp", "mica-listing");
  std::string file() const { return dir.path() + "/list"; }
};

/// One entry of every kind and every field set somewhere.
testing::Entries sample() {
  testing::Entries entries = {testing::folder("a"), testing::file("a/x", "hello", 04755), testing::file("a-b", "wide"), testing::opaque("o"),
                              testing::soft_link("l", "../target"), testing::whiteout("w"), testing::file("a0", "x")};
  entries[1].uid = 1000, entries[1].gid = 70000, entries[1].mtime_ns = -5;
  entries[1].xattrs = pack_xattrs({{"user.k", "v"}, {"security.capability", "\x01\x00\x02"s}});
  Entry again = entries[1];
  again.path = "z", again.hard_link = "a/x";
  entries.push_back(again);
  entries.push_back({.path = "dev", .type = Type::char_device, .mode = 0666, .device = 0x103});
  entries.push_back({.path = "fifo", .type = Type::fifo, .mode = 0600});
  return entries;
}

/// Reads everything that can be read; the sum keeps it from being optimised away.
std::size_t touch(const Listing& listing) {
  std::size_t sum = listing.bytes();
  for (std::size_t i = 0; i < listing.size(); ++i) {
    const EntryView entry = listing[i];
    sum += entry.path.size() + listing.path(i).size() + entry.hard_link.size() + unpack_xattrs(entry.xattrs).size() + entry.identity()[0];
    for (const char c : entry.path) sum += static_cast<unsigned char>(c);
    for (const char c : entry.link) sum += static_cast<unsigned char>(c);
    sum += listing.find(entry.path) + listing.below_begin(entry.path) + listing.below_end(entry.path);
  }
  TreeView tree({{listing, ""}, {listing, ""}});
  tree.walk("", [&](const TreeView::Found& found) { return ++sum, found.layer < 2; });
  for (const auto* path : {"a", "a/x", "z", "l/y"}) sum += tree.find(path).has_value() + tree.children(path).size();
  return sum;
}

Result<Listing> open_bytes(const Folder& folder, std::string_view bytes) {
  // A new file each time: some file systems flush one that is overwritten.
  REQUIRE(sys::remove_file(folder.file()));
  REQUIRE(sys::write_file(folder.file(), bytes));
  return Listing::open(folder.file());
}

void seal(std::string& bytes) {
  ListingHeader header;
  std::memcpy(&header, bytes.data(), sizeof header);
  header.header_digest = header_digest(header);
  std::memcpy(bytes.data(), &header, sizeof header);
}

}  // namespace

TEST_CASE("a listing gives back what was put in, in byte order, from memory and from disk") {
  Folder folder;
  const Listing built = Listing::build(sample());
  REQUIRE(built.save(folder.file()));
  const auto opened = Listing::open(folder.file());
  REQUIRE(opened.has_value());
  for (const Listing& listing : {built, *opened}) {
    REQUIRE(listing.size() == 10);
    CHECK(listing.verify().has_value());
    std::string paths;
    for (std::size_t i = 0; i < listing.size(); ++i) paths += std::string(listing.path(i)) + " ";
    CHECK(paths == "a a-b a/x a0 dev fifo l o w z ");
    const EntryView x = listing[2];
    CHECK(x.mode == 04755);
    CHECK(x.uid == 1000);
    CHECK(x.gid == 70000);
    CHECK(x.size == 5);
    CHECK(x.mtime_ns == -5);
    CHECK(x.digest == sha256("hello"));
    CHECK(x.hard_link.empty());
    CHECK(unpack_xattrs(x.xattrs) == std::vector<sys::Xattr>{{"security.capability", "\x01\x00\x02"s}, {"user.k", "v"}});
    CHECK(listing[9].hard_link == "a/x");
    CHECK(listing[4].device == 0x103);
    CHECK(listing[6].link == "../target");
    CHECK(listing[7].opaque);
    CHECK(listing[8].type == Type::whiteout);
    CHECK(listing.has_opaque());
    CHECK_MESSAGE(listing.bytes() == 5 + 4 + 1, "the hard link's bytes count once");
  }
}

TEST_CASE("an empty listing works, is saved and opened") {
  Folder folder;
  const Listing none;
  CHECK(none.size() == 0);
  CHECK(none.find("a") == 0);
  CHECK(none.below_end("") == 0);
  CHECK(none.verify().has_value());
  REQUIRE(none.save(folder.file()));
  const auto opened = Listing::open(folder.file());
  REQUIRE(opened.has_value());
  CHECK(opened->size() == 0);
  CHECK(opened->find("a") == 0);
}

TEST_CASE("paths are found and subtrees are ranges although a folder does not stand beside its subtree") {
  const Listing listing = Listing::build({testing::folder("a"), testing::folder("a/b"), testing::file("a/b/c"), testing::file("a-"), testing::file("a0"),
                                          testing::file("a/b-"), testing::file("\xff")});
  for (std::size_t i = 0; i < listing.size(); ++i) CHECK(listing.find(listing.path(i)) == i);
  for (const auto* path : {"", "A", "a/", "a/b/", "a/b/c/d", "b", "\xff\xff"}) CHECK(listing.find(path) == listing.size());
  const auto below = [&](std::string_view folder) {
    std::string paths;
    for (std::size_t i = listing.below_begin(folder); i < listing.below_end(folder); ++i) paths += std::string(listing.path(i)) + " ";
    return paths;
  };
  CHECK(below("") == "a a- a/b a/b- a/b/c a0 \xff ");
  CHECK(below("a") == "a/b a/b- a/b/c ");
  CHECK(below("a/b") == "a/b/c ");
  CHECK(below("a/b/c") == "");
  CHECK(below("nothing") == "");
}

TEST_CASE("of a hard-link group the first path is the first, whichever member the writer named") {
  Entry c = testing::file("c", "x"), a = testing::file("a", "x"), b = testing::file("b", "x"), other = testing::file("d", "x");
  a.hard_link = "c", b.hard_link = "a";
  const Listing listing = Listing::build({c, a, b, other});
  CHECK(listing[0].hard_link == "");
  CHECK(listing[1].hard_link == "a");
  CHECK(listing[2].hard_link == "a");
  CHECK(listing[3].hard_link == "");
  CHECK(listing.bytes() == 2);
  CHECK(listing.verify().has_value());
}

TEST_CASE("identity covers everything but path, time and link grouping") {
  const Entry base = sample()[1];
  Entry same = base;
  same.path = "elsewhere", same.mtime_ns = 77, same.hard_link = "other";
  CHECK(base.view().identity() == same.view().identity());
  CHECK(base.view().same_identity(same.view()));
  using Change = void (*)(Entry&);
  const Change changes[] = {[](Entry& e) { e.type = Type::fifo; },  [](Entry& e) { e.opaque = true; },      [](Entry& e) { e.mode ^= 01; },
                            [](Entry& e) { e.uid += 1; },           [](Entry& e) { e.gid += 1; },           [](Entry& e) { e.size += 1; },
                            [](Entry& e) { e.device += 1; },        [](Entry& e) { e.digest[31] ^= 1; },    [](Entry& e) { e.link = "x"; },
                            [](Entry& e) { e.xattrs += "\0\0"s; }};
  for (const auto change : changes) {
    Entry other = base;
    change(other);
    CHECK(other.view().identity() != base.view().identity());
    CHECK(!other.view().same_identity(base.view()));
  }
}

TEST_CASE("attributes pack to the same bytes in any order and unpack again") {
  const std::vector<sys::Xattr> some = {{"user.b", ""}, {"user.a", "\0x"s}};
  const std::vector<sys::Xattr> sorted = {some[1], some[0]};
  CHECK(pack_xattrs(some) == pack_xattrs(sorted));
  CHECK(unpack_xattrs(pack_xattrs(some)) == sorted);
  CHECK(pack_xattrs({}).empty());
  const std::string packed = pack_xattrs(some);
  for (std::size_t length = 0; length < packed.size(); ++length) CHECK(unpack_xattrs(packed.substr(0, length)).size() < 2);
  CHECK(unpack_xattrs("\xff\xff\xff\xff").empty());
  CHECK(is_layer_xattr("user.mime"));
  CHECK(is_layer_xattr("security.capability"));
  CHECK(!is_layer_xattr("security.selinux"));
  CHECK(!is_layer_xattr("trusted.overlay.origin"));
  CHECK(!is_layer_xattr("user.overlay.opaque"));
}

TEST_CASE("any flipped byte and any cut is noticed, and none is dangerous") {
  Folder folder;
  REQUIRE(Listing::build(sample()).save(folder.file()));
  const std::string good = *sys::read_file(folder.file());
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const int mask : {0x01, 0x80, 0xff}) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ mask);
      const auto listing = open_bytes(folder, bad);
      if (!listing) {
        CHECK(listing.error().code() == Errc::corrupt);
        continue;
      }
      touch(*listing);
      CHECK_MESSAGE(!listing->verify(), "byte " << i);
    }
  }
  for (std::size_t length = 0; length < good.size(); ++length) CHECK(!open_bytes(folder, good.substr(0, length)));
  CHECK(!open_bytes(folder, good + "x"));
  CHECK(Listing::open(folder.file() + ".no").error().code() == Errc::not_found);
}

TEST_CASE("a header that lies under a good checksum is refused or harmless") {
  Folder folder;
  REQUIRE(Listing::build(sample()).save(folder.file()));
  const std::string good = *sys::read_file(folder.file());
  for (const std::size_t field : {16, 24, 32, 40, 44}) {
    for (const std::uint64_t value : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{11}, ~std::uint64_t{0}, std::uint64_t{1} << 63, std::uint64_t{1} << 57}) {
      std::string bad = good;
      std::memcpy(bad.data() + field, &value, field >= 40 ? 4 : 8);
      if (bad == good) continue;
      seal(bad);
      const auto listing = open_bytes(folder, bad);
      if (!listing) continue;
      touch(*listing);
      CHECK(!listing->verify());
    }
  }
}

TEST_CASE("random records under good checksums are harmless") {
  Folder folder;
  REQUIRE(Listing::build(sample()).save(folder.file()));
  const std::string good = *sys::read_file(folder.file());
  testing::RandomLayers random(7);
  for (int round = 0; round < 2000; ++round) {
    std::string bad = good;
    for (int n = 0; n < 6; ++n) bad[sizeof(ListingHeader) + random.below(10 * sizeof(ListingRecord))] = static_cast<char>(random.below(256));
    ListingHeader header;
    std::memcpy(&header, bad.data(), sizeof header);
    header.body_digest = sha256(std::string_view(bad).substr(sizeof header));
    std::memcpy(bad.data(), &header, sizeof header);
    seal(bad);
    const auto listing = open_bytes(folder, bad);
    REQUIRE(listing.has_value());
    touch(*listing);
    (void)listing->verify().has_value();
  }
}
