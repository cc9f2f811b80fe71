#include <doctest/doctest.h>

#include "base/sha256.h"
#include "base/text.h"

using namespace mica;

TEST_CASE("base64 goes there and back at every length") {
  struct Case { std::string_view bytes, text; };
  for (const auto& [bytes, text] : std::initializer_list<Case>{
           {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"\xff\xfe\xfd", "//79"}}) {
    CHECK(base64(bytes) == text);
    CHECK(from_base64(text) == bytes);
    CHECK(from_base64(trim_right(text, "=")) == bytes);
  }
  CHECK(from_base64("__79") == "\xff\xfe\xfd");
  for (const std::string_view bad : {"Z", "Zg=", "Zg===", "Zm9v=", "Zm 9", "Zm9v====", "=", "Z!=="}) CHECK_MESSAGE(!from_base64(bad), bad);
}

TEST_CASE("random hex has the asked length and differs") {
  CHECK(random_hex(16).size() == 32);
  CHECK(random_hex(16) != random_hex(16));
  CHECK(random_hex(0) == "");
}

TEST_CASE("sha256 gives the published digests") {
  CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Sha256 first;
  first.update("a");
  Sha256 moved = std::move(first);
  const unsigned char rest[] = {'b', 'c'};
  CHECK(moved.update(rest).finish_hex() == sha256_hex("abc"));
}

TEST_CASE("neighbouring fields of a hash cannot run together") {
  CHECK(Sha256().field("ab").field("c").finish() != Sha256().field("a").field("bc").finish());
  CHECK(Sha256().field("").field("a").finish() != Sha256().field("a").field("").finish());
  CHECK(Sha256().field(1).finish() != Sha256().field(2).finish());
}
