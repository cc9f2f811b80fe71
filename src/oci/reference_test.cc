#include "oci/reference.h"

#include <doctest/doctest.h>

#include <vector>

using namespace mica;
using oci::Reference;

namespace {
const std::string kHex = "8d6a882d8c8a9e2dbd0a0c0d3a7d3f2a6c8c4b4a3a2a1a0a9f8f7f6f5f4f3f2f";
}

TEST_CASE("references are normalised and shown as Docker does") {
  struct Row {
    std::string text, full, familiar;
  };
  for (const Row& row : {
           Row{"alpine", "docker.io/library/alpine:latest", "alpine:latest"},
           Row{"alpine:3.20", "docker.io/library/alpine:3.20", "alpine:3.20"},
           Row{"docker.io/alpine", "docker.io/library/alpine:latest", "alpine:latest"},
           Row{"index.docker.io/library/alpine", "docker.io/library/alpine:latest", "alpine:latest"},
           Row{"user/app:v1", "docker.io/user/app:v1", "user/app:v1"},
           Row{"library/x/y", "docker.io/library/x/y:latest", "library/x/y:latest"},
           Row{"localhost/app", "localhost/app:latest", "localhost/app:latest"},
           Row{"localhost:5000/app", "localhost:5000/app:latest", "localhost:5000/app:latest"},
           Row{"docker.io/localhost/x", "docker.io/localhost/x:latest", "docker.io/localhost/x:latest"},
           Row{"REG/app", "REG/app:latest", "REG/app:latest"},
           Row{"[::1]:5000/x", "[::1]:5000/x:latest", "[::1]:5000/x:latest"},
           Row{"[fe80::1]/x", "[fe80::1]/x:latest", "[fe80::1]/x:latest"},
           Row{"quay.io/a/b-c__d.e---f:T_a.g-1", "quay.io/a/b-c__d.e---f:T_a.g-1", "quay.io/a/b-c__d.e---f:T_a.g-1"},
           Row{"app@sha256:" + kHex, "docker.io/library/app@sha256:" + kHex, "app@sha256:" + kHex},
           Row{"app:1@sha256:" + kHex, "docker.io/library/app:1@sha256:" + kHex, "app:1@sha256:" + kHex},
       }) {
    CAPTURE(row.text);
    const auto ref = Reference::parse(row.text);
    REQUIRE(ref.has_value());
    CHECK(ref->str() == row.full);
    CHECK(ref->familiar() == row.familiar);
    CHECK(Reference::parse(ref->str()) == *ref);
    CHECK(Reference::parse(ref->familiar()) == *ref);
  }
  CHECK(Reference::parse("a/b", false)->str() == "docker.io/a/b");
  CHECK(Reference::parse("a/b")->repository() == "docker.io/a/b");
}

TEST_CASE("what is no reference is refused in Docker's words") {
  struct Row {
    std::string text, part;
  };
  for (const Row& row : {
           Row{"", "invalid reference format"}, Row{":tag", "invalid reference format"}, Row{"a:", "invalid reference format"},
           Row{"a@", "invalid reference format"}, Row{"a//b", "invalid reference format"}, Row{"/a", "invalid reference format"},
           Row{"a/", "invalid reference format"}, Row{"-a", "invalid reference format"}, Row{"a-", "invalid reference format"},
           Row{"a___b", "invalid reference format"}, Row{"a..b", "invalid reference format"}, Row{"a._b", "invalid reference format"},
           Row{"a b", "invalid reference format"}, Row{"a:-x", "invalid reference format"}, Row{"a:.x", "invalid reference format"},
           Row{"a:" + std::string(129, 'x'), "invalid reference format"}, Row{"host:port/a", "invalid reference format"},
           Row{"ho_st.x/a", "invalid reference format"}, Row{"-h.x/a", "invalid reference format"}, Row{"[]/a", "invalid reference format"},
           Row{"[::1/a", "invalid reference format"}, Row{"a\n", "invalid reference format"}, Row{"ä", "invalid reference format"},
           Row{"a@sha256:12", "invalid digest"}, Row{"a@md5:" + kHex, "unsupported digest algorithm"},
           Row{"a@sha256:" + std::string(64, 'A'), "invalid digest"},
           Row{"Alpine", "invalid reference format: repository name (library/Alpine) must be lowercase"},
           Row{"x.io/a/B", "repository name (a/B) must be lowercase"},
           Row{kHex, "cannot specify 64-byte hexadecimal strings"},
           Row{"x.io/" + std::string(251, 'a'), "must not be more than 255 characters"},
           Row{"docker://alpine", "invalid reference format"},
       }) {
    CAPTURE(row.text);
    const auto ref = Reference::parse(row.text);
    REQUIRE_FALSE(ref.has_value());
    CHECK_MESSAGE(ref.error().text().find(row.part) != std::string::npos, ref.error().text());
  }
  CHECK(Reference::parse("a:" + std::string(128, 'x')).has_value());
  CHECK(Reference::parse("x.io/" + std::string(250, 'a')).has_value());
  CHECK(Reference::parse("https://x.io/a").error().hint() == "remove the scheme \"https://\"");
}

TEST_CASE("digests are sha256 only and exact") {
  CHECK(oci::Digest::parse("sha256:" + kHex)->hex() == kHex);
  CHECK(oci::Digest::of("").str() == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(oci::Digest().str().empty());
  for (const std::string& text : std::vector<std::string>{"", ":", "sha256", "sha256:", "sha256:xyz", "SHA256:" + kHex, kHex,
                                                          "sha256:" + kHex + "0", "sha256:../../x"}) {
    CAPTURE(text);
    CHECK(oci::Digest::parse(text).error().code() == Errc::invalid_argument);
  }
  CHECK(oci::Digest::parse("sha512:" + kHex + kHex).error().code() == Errc::unsupported);
}
