#include "engine/lock_file.h"

#include <doctest/doctest.h>

#include "oci/image.h"

using namespace mica;
using engine::LockedImage;
using engine::LockFile;

namespace {

std::string with_image(const std::string& members) { return R"({"version":1,"files":{},"images":{"a:1":{)" + members + "}}}"; }

const std::string kDigest = "sha256:" + std::string(64, 'a');

}  // namespace

TEST_CASE("a lock is read as it was written, whatever the order it was made in") {
  LockFile lock;
  lock.files["Dockerfile"] = {"alpine:3.20", "node:20"};
  lock.files["other.Dockerfile"] = {"alpine:3.20"};
  LockedImage image{.reference = *oci::Reference::parse("node:20"), .digest = *oci::Digest::parse(kDigest), .media_type = std::string(oci::kOciIndex),
                    .created = Timestamp{1'700'000'000'500'000'000}, .resolved = Timestamp::from_seconds(1'750'000'000), .on_build = {"RUN x", "COPY --from=y / /"}};
  lock.images["node:20"] = image;
  image.reference = *oci::Reference::parse("alpine:3.20");
  image.created.reset();
  image.on_build.clear();
  lock.images["alpine:3.20"] = image;
  const std::string text = lock.text();
  CHECK(text.find("alpine:3.20\": {") < text.find("node:20\": {"));
  CHECK(text.ends_with("}\n"));
  const auto read = LockFile::parse("mica.lock", text);
  REQUIRE(read);
  CHECK(*read == lock);
  CHECK(read->text() == text);
}

TEST_CASE("images that no file needs are tidied away") {
  LockFile lock;
  lock.files["Dockerfile"] = {"a:1"};
  lock.images["a:1"];
  lock.images["b:1"];
  lock.tidy();
  CHECK(lock.images.size() == 1);
  CHECK(lock.images.contains("a:1"));
}

TEST_CASE("faults of a lock are named by their place") {
  const std::string good = R"("reference":"a:1","digest":")" + kDigest + R"(","resolved":"2026-01-01T00:00:00Z")";
  CHECK(LockFile::parse("mica.lock", with_image(good)));
  const std::pair<std::string, std::string> faults[] = {
      {"", "line 1"},
      {"[]", "array"},
      {R"({"version":2})", "version 2 is not 1"},
      {R"({"images":{}})", "version 0 is not 1"},
      {R"({"version":1,"images":[]})", "images"},
      {R"({"version":1,"files":{"Dockerfile":"a:1"}})", "files.Dockerfile"},
      {with_image(R"("digest":1)"), "images[\"a:1\"]"},
      {with_image(R"("reference":"a:1","digest":"sha256:12","resolved":"2026-01-01T00:00:00Z")"), "images[\"a:1\"].digest"},
      {with_image(R"("reference":"a:1@)" + kDigest + R"(","digest":")" + kDigest + R"(","resolved":"2026-01-01T00:00:00Z")"), "has a digest of its own"},
      {with_image(R"("reference":"a:1","digest":")" + kDigest + R"(","resolved":"yesterday")"), "images[\"a:1\"].resolved"},
  };
  for (const auto& [text, wanted] : faults) {
    CAPTURE(text);
    const auto lock = LockFile::parse("x/mica.lock", text);
    REQUIRE(!lock);
    CHECK(lock.error().text().starts_with("reading x/mica.lock: "));
    CHECK_MESSAGE(lock.error().text().find(wanted) != std::string::npos, lock.error().text());
  }
}

TEST_CASE("a lock lies in the folder of its Dockerfile, and names are the same however they are written") {
  CHECK(engine::lock_path_for("Dockerfile") == "mica.lock");
  CHECK(engine::lock_path_for("a/b/app.Dockerfile") == "a/b/mica.lock");
  CHECK(engine::lock_path_for("/Dockerfile") == "/mica.lock");
  for (const std::string name : {"alpine", "alpine:latest", "docker.io/library/alpine", "index.docker.io/library/alpine:latest"})
    CHECK(LockFile::key(*oci::Reference::parse(name)) == "alpine:latest");
}
