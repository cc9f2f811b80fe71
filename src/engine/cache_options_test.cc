#include <doctest/doctest.h>

#include "engine/build_image.h"

using namespace mica;
using namespace mica::engine;

TEST_CASE("caches are named as for Docker") {
  const auto bare = parse_cache("example.com/team/app:cache", false);
  REQUIRE(bare);
  CHECK(bare->kind == CacheStore::Kind::registry);
  CHECK(bare->name() == "example.com/team/app:cache");
  CHECK(parse_cache("team/app", true)->reference.str() == "docker.io/team/app:latest");
  CHECK(parse_cache("type=registry,ref=localhost:5000/app:c", false)->name() == "localhost:5000/app:c");
  CHECK(parse_cache("type=local,src=a,", false).has_value() == false);
  CHECK(parse_cache("type=local,src=a/b", false)->path == "a/b");
  const auto folder = parse_cache("type=local,dest=a/b", true);
  REQUIRE(folder);
  CHECK(folder->kind == CacheStore::Kind::local);
  CHECK(folder->max);
  const auto all = parse_cache("type=registry,ref=a/b,mode=min,ignore-error=true,compression=gzip,compression-level=6,force-compression=true,oci-mediatypes=true,image-manifest=true", true);
  REQUIRE(all);
  CHECK(!all->max);
  CHECK(all->ignore_error);
  CHECK(all->compression == stream::Compression::gzip);
  CHECK(all->level == 6);
  CHECK(all->force_compression);
}

TEST_CASE("what a cache cannot be is refused, by name where BuildKit has it") {
  struct Case {
    const char* text;
    bool to;
    Errc code;
    const char* words;
  };
  const Case cases[] = {
      {"type=inline", true, Errc::unsupported, "type=inline"},
      {"type=gha,scope=a", false, Errc::unsupported, "type=gha"},
      {"type=s3,bucket=a", true, Errc::unsupported, "type=s3"},
      {"type=registy,ref=a", false, Errc::invalid_argument, "\"registy\""},
      {"ref=a", true, Errc::invalid_argument, "type is required"},
      {"type=registry", true, Errc::invalid_argument, "needs ref="},
      {"type=registry,ref=A", true, Errc::invalid_argument, "lowercase"},
      {"type=registry,ref=a,dest=b", true, Errc::invalid_argument, "use ref="},
      {"type=local", true, Errc::invalid_argument, "needs dest="},
      {"type=local,ref=a,dest=b", true, Errc::invalid_argument, "no ref"},
      {"type=registry,ref=a,mode=max", false, Errc::invalid_argument, "\"mode\""},
      {"type=registry,ref=a,mode=all", true, Errc::invalid_argument, "min or max"},
      {"type=registry,ref=a,compression=estargz", true, Errc::unsupported, "estargz"},
      {"type=registry,ref=a,compression=lzma", true, Errc::invalid_argument, "\"lzma\""},
      {"type=registry,ref=a,compression-level=23", true, Errc::invalid_argument, "0 to 22"},
      {"type=registry,ref=a,oci-mediatypes=false", true, Errc::unsupported, "oci-mediatypes=false"},
      {"type=registry,ref=a,image-manifest=false", true, Errc::unsupported, "image-manifest=false"},
      {"type=registry,ref=a,ignore-error=yes", true, Errc::invalid_argument, "ignore-error"},
      {"a,b", false, Errc::invalid_argument, "once for each"},
      {"a@sha256:0000000000000000000000000000000000000000000000000000000000000000", true, Errc::invalid_argument, "under a tag"},
  };
  for (const auto& [text, to, code, words] : cases) {
    CAPTURE(text);
    const auto parsed = parse_cache(text, to);
    REQUIRE(!parsed);
    CHECK(parsed.error().code() == code);
    CHECK_MESSAGE(parsed.error().full_text().find(words) != std::string::npos, parsed.error().full_text());
  }
}
