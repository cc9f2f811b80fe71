#include "registry/growing_blob.h"

#include <doctest/doctest.h>
#include <fcntl.h>

namespace mica::registry {
namespace {

sys::Fd nameless_file() {
  auto file = sys::open("/tmp", O_RDWR | O_TMPFILE, 0600);
  REQUIRE(file.has_value());
  return std::move(*file);
}

std::span<const unsigned char> bytes_of(std::string_view text) { return {reinterpret_cast<const unsigned char*>(text.data()), text.size()}; }

TEST_CASE("readers do not wait for a writer that never begins") {
  task::Pool pool(2);
  GrowingBlob blob(nameless_file(), pool);
  const auto stopped = task::Cancel::create();
  stopped.stop();
  task::Group group(pool, stopped);
  bool ran = false;
  group.run([&ran, promise = blob.promise()](task::Cancel) -> Result<> {
    ran = true;
    return {};
  });
  const auto source = blob.from(0);
  REQUIRE(source.has_value());
  unsigned char byte;
  const auto got = (*source)->read({&byte, 1});
  REQUIRE(!got.has_value());
  CHECK(got.error().code() == Errc::cancelled);
  CHECK(blob.digest().error().code() == Errc::cancelled);
  CHECK(!group.wait().has_value());
  CHECK(!ran);
}

TEST_CASE("a promise that was kept, or broken with a reason, changes nothing") {
  task::Pool pool(2);
  GrowingBlob kept(nameless_file(), pool), broken(nameless_file(), pool);
  {
    const auto one = kept.promise(), other = broken.promise();
    REQUIRE(kept.write(bytes_of("text")).has_value());
    REQUIRE(kept.finish().has_value());
    broken.fail(Error(Errc::unavailable, "gone"));
  }
  CHECK(kept.digest().value() == oci::Digest::of("text"));
  CHECK(broken.digest().error().code() == Errc::unavailable);
}

}  // namespace
}  // namespace mica::registry
