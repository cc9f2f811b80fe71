#include "store/blob_store.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/lock.h"

using namespace mica;
using store::BlobStore;

namespace {

struct Store {
  static sys::TempDir make_folder() {
    auto folder = sys::TempDir::create("/tmp", "blob_test");
    REQUIRE(folder);
    REQUIRE(sys::make_directories(folder->path() + "/tmp"));
    return std::move(*folder);
  }
  sys::TempDir folder = make_folder();
  std::string root = folder.path();
  BlobStore blobs{root, root + "/tmp"};

  oci::Digest put(std::string_view bytes) {
    auto digest = blobs.put(bytes);
    REQUIRE(digest);
    return *digest;
  }
  std::vector<std::string> left_over() { return *sys::list_names(*sys::open(root + "/tmp", O_RDONLY | O_DIRECTORY)); }
};

std::span<const unsigned char> bytes_of(std::string_view text) { return {reinterpret_cast<const unsigned char*>(text.data()), text.size()}; }

/// Makes a blob look as if it had been put an hour ago.
void age(const std::string& path) {
  timespec times[2];
  ::clock_gettime(CLOCK_REALTIME, &times[0]);
  times[0].tv_sec -= 3600;
  times[1] = times[0];
  REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
}

}  // namespace

TEST_CASE("a blob is found under the digest of its bytes") {
  Store store;
  for (const std::string& bytes : {std::string(), std::string("hello"), std::string(3 << 20, '\xff')}) {
    const auto digest = store.put(bytes);
    CHECK(digest == oci::Digest::of(bytes));
    CHECK(store.blobs.has(digest));
    CHECK(*store.blobs.size(digest) == static_cast<std::int64_t>(bytes.size()));
    CHECK(*store.blobs.read(digest) == bytes);
    CHECK(store.blobs.open(digest).has_value());
    CHECK(store.blobs.path(digest) == store.root + "/blobs/sha256/" + digest.hex());
  }
  CHECK(store.blobs.list()->size() == 3);
  CHECK(store.left_over().empty());
}

TEST_CASE("a missing blob is not found") {
  Store store;
  const auto digest = oci::Digest::of("nothing");
  CHECK(store.blobs.list()->empty());
  for (const auto& wanted : {digest, oci::Digest()}) {
    CHECK_FALSE(store.blobs.has(wanted));
    CHECK(store.blobs.size(wanted).error().code() == Errc::not_found);
    CHECK(store.blobs.read(wanted).error().code() == Errc::not_found);
    CHECK(store.blobs.open(wanted).error().code() == Errc::not_found);
  }
  CHECK(store.blobs.read(digest).error().text() == "blob " + digest.str() + " is not in the store");
}

TEST_CASE("reading verifies the bytes and keeps the limit") {
  Store store;
  const auto digest = store.put("hello");
  CHECK(store.blobs.read(digest, 4).error().code() == Errc::resource_exhausted);
  CHECK(store.blobs.read(digest, 5).has_value());
  REQUIRE(sys::write_file(store.blobs.path(digest), "jello"));
  const auto read = store.blobs.read(digest);
  CHECK(read.error().code() == Errc::corrupt);
  CHECK(read.error().text().find("expected: " + digest.str()) != std::string::npos);
  CHECK(read.error().text().find("actual:   " + oci::Digest::of("jello").str()) != std::string::npos);
}

TEST_CASE("a blob that is there is not written again, a torn one is") {
  Store store;
  const auto digest = store.put("hello");
  struct stat first, second;
  REQUIRE(::stat(store.blobs.path(digest).c_str(), &first) == 0);
  store.put("hello");
  REQUIRE(::stat(store.blobs.path(digest).c_str(), &second) == 0);
  CHECK(first.st_ino == second.st_ino);
  REQUIRE(::truncate(store.blobs.path(digest).c_str(), 2) == 0);
  store.put("hello");
  CHECK(*store.blobs.read(digest) == "hello");
  CHECK(store.left_over().empty());
}

TEST_CASE("a blob that need not last yet is there all the same") {
  Store store;
  const auto digest = store.blobs.put("log", store::Sync::later);
  REQUIRE(digest);
  CHECK(*store.blobs.read(*digest) == "log");
}

TEST_CASE("bytes that come in pieces become a blob when they are committed") {
  Store store;
  auto ingest = store.blobs.begin();
  REQUIRE(ingest);
  CHECK((*ingest)->write(bytes_of("hel")).has_value());
  CHECK((*ingest)->write(bytes_of("lo")).has_value());
  CHECK((*ingest)->size() == 5);
  const auto digest = oci::Digest::of("hello");
  CHECK_FALSE(store.blobs.has(digest));
  CHECK(*(*ingest)->commit(digest) == digest);
  CHECK(*store.blobs.read(digest) == "hello");
  ingest->reset();
  CHECK(*store.blobs.read(digest) == "hello");
  CHECK(store.left_over().empty());
}

TEST_CASE("other bytes than expected, or none committed, leave nothing") {
  Store store;
  auto wrong = store.blobs.begin();
  REQUIRE(wrong);
  REQUIRE((*wrong)->write(bytes_of("evil")));
  const auto refused = (*wrong)->commit(oci::Digest::of("good"));
  CHECK(refused.error().code() == Errc::corrupt);
  auto dropped = store.blobs.begin();
  REQUIRE(dropped);
  REQUIRE((*dropped)->write(bytes_of("half")));
  CHECK(store.left_over().size() == 2);
  wrong->reset();
  dropped->reset();
  CHECK(store.left_over().empty());
  CHECK(store.blobs.list()->empty());
}

TEST_CASE("a store opened for reading takes nothing in") {
  Store store;
  BlobStore reading(store.root, "");
  CHECK(reading.put("x").error().code() == Errc::permission_denied);
  CHECK(reading.begin().error().code() == Errc::permission_denied);
}

TEST_CASE("a sweep deletes what is old and not kept") {
  Store store;
  const auto kept = store.put("kept"), old = store.put("old"), again = store.put("again");
  for (const auto& digest : {kept, old, again}) age(store.blobs.path(digest));
  REQUIRE(sys::write_file(store.root + "/blobs/sha256/README", "no blob"));
  CHECK(store.blobs.list()->size() == 3);
  const Timestamp began = BlobStore::file_time();
  const auto young = store.put("young");
  store.put("again");
  CHECK(*store.blobs.sweep({kept}, began) == 3);
  CHECK_FALSE(store.blobs.has(old));
  for (const auto& digest : {kept, again, young}) CHECK(store.blobs.has(digest));
  age(store.blobs.path(young));
  CHECK(*store.blobs.sweep({kept}, began) == 5);
  CHECK(sys::exists(store.root + "/blobs/sha256/README"));
  CHECK(*store.blobs.sweep({}, Timestamp{BlobStore::file_time().ns + 1'000'000'000}) == 9);
  CHECK(store.blobs.list()->empty());
}

TEST_CASE("a sweep of nothing is no error") {
  Store store;
  CHECK(*store.blobs.sweep({}) == 0);
}

TEST_CASE("a sweep waits for whoever puts, and spares what was put meanwhile") {
  Store store;
  const auto wanted = store.put("wanted"), old = store.put("old");
  for (const auto& digest : {wanted, old}) age(store.blobs.path(digest));
  pid_t sweeper = -1;
  {
    const auto lock = sys::FileLock::try_acquire(store.root + "/blobs/lock", sys::LockMode::shared);
    REQUIRE(lock);
    sweeper = ::fork();
    if (sweeper == 0) ::_exit(store.blobs.sweep({}).has_value() ? 0 : 1);
    ::usleep(50'000);
    CHECK(store.blobs.has(old));
    store.put("wanted");
    // The child has a copy of the descriptor that holds the lock; only the end of both would open it.
    REQUIRE(::flock(lock->fd().get(), LOCK_UN) == 0);
  }
  int status = -1;
  ::waitpid(sweeper, &status, 0);
  CHECK(status == 0);
  CHECK(store.blobs.has(wanted));
  CHECK_FALSE(store.blobs.has(old));
}

TEST_CASE("a blob gets its age when it gets its name") {
  Store store;
  auto ingest = store.blobs.begin();
  REQUIRE(ingest);
  REQUIRE((*ingest)->write(bytes_of("slow")));
  const auto drafts = store.left_over();
  REQUIRE(drafts.size() == 1);
  age(store.root + "/tmp/" + drafts[0]);
  const Timestamp began = BlobStore::file_time();
  const auto digest = (*ingest)->commit();
  REQUIRE(digest);
  CHECK(*store.blobs.sweep({}, began) == 0);
  CHECK(store.blobs.has(*digest));
}
