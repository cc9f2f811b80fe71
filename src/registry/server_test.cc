#include "registry/server.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include "base/format.h"
#include "base/text.h"
#include "oci/image.h"
#include "registry/document_links.h"
#include "registry/server_auth.h"
#include "registry/server_routes.h"
#include "registry/server_uploads.h"

using namespace mica;
using namespace mica::registry;

namespace {

const std::string kHex = std::string(64, 'a'), kDigest = "sha256:" + kHex;

/// Keeps nothing: everything that reaches it is told.
class Recorder : public Storage {
 public:
  std::string log;
  std::int64_t uploaded = 0;

  Result<StoredDocument> document(const std::string& repository, const std::string& reference) override { return missing("document", repository, reference); }
  Result<> put_document(const std::string& repository, const std::vector<std::string>& tags, const StoredDocument& document, const DocumentLinks&) override {
    log += format("put {} {} {};", repository, join(tags, ","), document.media_type);
    return {};
  }
  Result<> remove_document(const std::string& repository, const oci::Digest& digest) override { return missing("remove", repository, digest.str()); }
  Result<> remove_tag(const std::string& repository, const std::string& tag) override { return missing("untag", repository, tag); }
  Result<std::vector<std::string>> tags(const std::string&) override { return std::vector<std::string>{"a", "b", "c"}; }
  Result<std::vector<std::string>> repositories() override { return std::vector<std::string>{"one", "two/x"}; }
  Result<std::vector<StoredDocument>> referrers(const std::string&, const oci::Digest&) override { return std::vector<StoredDocument>(); }
  Result<Blob> blob(const std::string& repository, const oci::Digest& digest) override { return missing("blob", repository, digest.str()); }
  Result<> remove_blob(const std::string& repository, const oci::Digest& digest) override { return missing("rmblob", repository, digest.str()); }
  Result<> mount_blob(const std::string& repository, const oci::Digest&, const std::string& from) override { return missing("mount", repository, from); }
  Result<std::unique_ptr<StoredUpload>> begin_upload(const std::string&) override { return std::make_unique<Sink>(*this); }

 private:
  class Sink : public StoredUpload {
   public:
    explicit Sink(Recorder& owner) : owner_(owner) {}
    ~Sink() override { owner_.log += "gone;"; }
    std::int64_t size() const override { return size_; }
    Result<> append(std::span<const unsigned char> bytes) override {
      size_ += static_cast<std::int64_t>(bytes.size());
      return {};
    }
    Result<> commit(const oci::Digest&) override {
      owner_.uploaded = size_;
      return {};
    }

   private:
    Recorder& owner_;
    std::int64_t size_ = 0;
  };
  std::unexpected<Error> missing(std::string_view what, const std::string& repository, const std::string& reference) {
    log += format("{} {} {};", what, repository, reference);
    return fail(Errc::not_found, "not here");
  }
};

http::Reply ask(RegistryServer& server, const std::string& method, const std::string& target, std::string_view body = "",
                std::vector<std::pair<std::string, std::string>> headers = {}) {
  http::IncomingRequest request{.method = method, .headers = std::move(headers), .content_length = static_cast<std::int64_t>(body.size())};
  REQUIRE(http::parse_target(target, request).has_value());
  auto answer = server.answer(request);
  if (auto* reply = std::get_if<http::Reply>(&answer)) return std::move(*reply);
  auto& receiver = *std::get<std::unique_ptr<http::Receiver>>(answer);
  if (!body.empty()) (void)receiver.take({reinterpret_cast<const unsigned char*>(body.data()), body.size()});
  return receiver.finish();
}

std::string header(const http::Reply& reply, std::string_view name) {
  for (const auto& [key, value] : reply.headers)
    if (key == name) return value;
  return {};
}

std::string code_of(const http::Reply& reply) {
  const auto document = json::parse(reply.body);
  const auto* errors = document ? document->find("errors") : nullptr;
  return errors ? errors->as_array().at(0).string_or("code") : "";
}

}  // namespace

TEST_CASE("a path names an endpoint by what stands last") {
  using Kind = Route::Kind;
  struct Row {
    std::string path;
    Kind kind;
    std::string repository, reference;
  };
  const Row rows[] = {
      {"/v2", Kind::base, "", ""},
      {"/v2/", Kind::base, "", ""},
      {"/", Kind::none, "", ""},
      {"/v1/a/tags/list", Kind::none, "", ""},
      {"/v2x/a/tags/list", Kind::none, "", ""},
      {"/v2/_catalog", Kind::catalog, "", ""},
      {"/v2/a/tags/list", Kind::tags, "a", "list"},
      {"/v2/a/tags/other", Kind::none, "", ""},
      {"/v2/a/b/manifests/1.0", Kind::document, "a/b", "1.0"},
      {"/v2/a/manifests/", Kind::document, "a", ""},
      {"/v2/a/blobs/sha256:00", Kind::blob, "a", "sha256:00"},
      {"/v2/a/blobs/uploads/", Kind::uploads, "a", ""},
      {"/v2/a/blobs/uploads", Kind::uploads, "a", "uploads"},
      {"/v2/a/blobs/uploads/xyz", Kind::upload, "a", "xyz"},
      {"/v2/a/referrers/sha256:00", Kind::referrers, "a", "sha256:00"},
      {"/v2/manifests/blobs/manifests/x", Kind::document, "manifests/blobs", "x"},
      {"/v2/a/blobs/uploads/tags/list", Kind::tags, "a/blobs/uploads", "list"},
      {"/v2/manifests/x", Kind::none, "", ""},
      {"/v2//manifests/x", Kind::none, "", ""},
      {"/v2/../manifests/x", Kind::document, "..", "x"},
      {"/v2/a", Kind::none, "", ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.path);
    const Route route = route_of(row.path);
    CHECK(route.kind == row.kind);
    CHECK(route.repository == row.repository);
    CHECK(route.reference == row.reference);
  }
}

TEST_CASE("names and tags keep to the grammar") {
  for (const std::string good : {"a", "a/b/c", "a.b", "a_b", "a__b", "a-b", "a---b", "0/1", "a1/b2", "localhost/app", "ghcr.io/x"}) CHECK_MESSAGE(is_repository_name(good), good);
  CHECK(is_repository_name(std::string(255, 'a')));
  for (const std::string bad : {"", "A", "a/", "/a", "a//b", "a..b", "a___b", "a._b", "-a", "a-", ".a", "a/.", "..", "a/../b", "a b", "a:b", "a@b", "a%2f", "\xc3\xa4", "a\n"})
    CHECK_FALSE_MESSAGE(is_repository_name(bad), bad);
  CHECK_FALSE(is_repository_name(std::string(256, 'a')));
  for (const std::string good : {"1", "v1.0", "_x", "A-b_c.d", "latest"}) CHECK_MESSAGE(is_tag(good), good);
  CHECK(is_tag(std::string(128, 't')));
  for (const std::string bad : {"", ".x", "-x", "a/b", "a:b", "a b", "a+b", "..", "\xc3\xa4"}) CHECK_FALSE_MESSAGE(is_tag(bad), bad);
  CHECK_FALSE(is_tag(std::string(129, 't')));
}

TEST_CASE("a document says what it needs, or is refused") {
  const std::string descriptor = R"({"mediaType":"application/x","digest":")" + kDigest + R"(","size":3})";
  const std::string manifest = R"({"schemaVersion":2,"config":)" + descriptor + R"(,"layers":[)" + descriptor + R"(],"subject":)" + descriptor + R"(,"annotations":{"k":"v"}})";
  auto links = read_links("application/vnd.oci.image.manifest.v1+json; charset=utf-8", manifest);
  REQUIRE(links.has_value());
  CHECK(links->media_type == oci::kOciManifest);
  CHECK(links->blobs.size() == 2);
  CHECK(links->subject.str() == kDigest);
  CHECK(links->artifact_type == "application/x");
  CHECK(links->annotations.string_or("k") == "v");
  const std::string index = R"({"schemaVersion":2,"manifests":[)" + descriptor + R"(],"artifactType":"t"})";
  links = read_links("", index);
  REQUIRE(links.has_value());
  CHECK(links->media_type == oci::kOciIndex);
  CHECK(links->documents.size() == 1);
  CHECK(links->artifact_type == "t");
  const std::string foreign = R"({"schemaVersion":2,"config":)" + descriptor + R"(,"layers":[{"mediaType":"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip","digest":")" +
                              kDigest + R"(","size":3}]})";
  CHECK(read_links("", foreign)->blobs.size() == 1);

  struct Row {
    std::string declared, bytes;
    Errc code;
  };
  const std::string oci_manifest(oci::kOciManifest);
  const Row rows[] = {
      {oci_manifest, "", Errc::corrupt},
      {oci_manifest, "[]", Errc::corrupt},
      {oci_manifest, "{", Errc::corrupt},
      {oci_manifest, R"({"schemaVersion":1})", Errc::unsupported},
      {oci_manifest, R"({"schemaVersion":2})", Errc::corrupt},
      {oci_manifest, R"({"schemaVersion":2,"layers":[]})", Errc::corrupt},
      {oci_manifest, R"({"schemaVersion":2,"config":3,"layers":[]})", Errc::corrupt},
      {oci_manifest, R"({"schemaVersion":2,"config":)" + descriptor + R"(,"layers":{}})", Errc::corrupt},
      {oci_manifest, R"({"schemaVersion":2,"config":)" + descriptor + R"(,"layers":[],"manifests":[]})", Errc::corrupt},
      {oci_manifest, R"({"schemaVersion":2,"config":{"digest":"sha256:../../etc","size":1},"layers":[]})", Errc::invalid_argument},
      {oci_manifest, R"({"schemaVersion":2,"config":{"digest":")" + kDigest + R"(","size":-1},"layers":[]})", Errc::corrupt},
      {oci_manifest, R"({"schemaVersion":2,"config":{"digest":")" + kDigest + R"("},"layers":[]})", Errc::corrupt},
      {std::string(oci::kOciIndex), manifest, Errc::corrupt},
      {std::string(oci::kDockerManifest), R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json"})", Errc::corrupt},
      {"application/vnd.example+json", manifest, Errc::unsupported},
  };
  for (const auto& row : rows) {
    CAPTURE(row.bytes);
    const auto read = read_links(row.declared, row.bytes);
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().code() == row.code);
  }
}

TEST_CASE("nothing that is malformed reaches the storage") {
  Recorder storage;
  const auto server = RegistryServer::create(storage, {});
  REQUIRE(server.has_value());
  struct Row {
    std::string method, target;
    int status;
    std::string code, log;
  };
  const Row rows[] = {
      {"GET", "/v2/", 200, "", ""},
      {"POST", "/v2/", 405, "UNSUPPORTED", ""},
      {"GET", "/else", 404, "UNSUPPORTED", ""},
      {"GET", "/v2/a/b/manifests/x", 404, "MANIFEST_UNKNOWN", "document a/b x;"},
      {"GET", "/v2/a/manifests/.x", 404, "MANIFEST_UNKNOWN", ""},
      {"GET", "/v2/a/manifests/..%2f..%2fx", 404, "UNSUPPORTED", ""},
      {"GET", "/v2/A/manifests/x", 400, "NAME_INVALID", ""},
      {"GET", "/v2/../manifests/x", 400, "NAME_INVALID", ""},
      {"GET", "/v2/..%2F..%2Fetc/manifests/x", 400, "NAME_INVALID", ""},
      {"GET", "/v2/a/manifests/sha256:short", 400, "DIGEST_INVALID", ""},
      {"GET", "/v2/a/manifests/md5:" + kHex, 400, "DIGEST_INVALID", ""},
      {"GET", "/v2/a/blobs/" + kDigest, 404, "BLOB_UNKNOWN", "blob a " + kDigest + ";"},
      {"HEAD", "/v2/a/blobs/" + kDigest, 404, "BLOB_UNKNOWN", "blob a " + kDigest + ";"},
      {"GET", "/v2/a/blobs/sha256:..%2f..%2fpasswd", 404, "UNSUPPORTED", ""},
      {"GET", "/v2/a/blobs/sha256:" + std::string(64, 'A'), 400, "DIGEST_INVALID", ""},
      {"PUT", "/v2/a/blobs/" + kDigest, 405, "UNSUPPORTED", ""},
      {"DELETE", "/v2/a/blobs/" + kDigest, 404, "BLOB_UNKNOWN", "rmblob a " + kDigest + ";"},
      {"DELETE", "/v2/a/manifests/x", 404, "MANIFEST_UNKNOWN", "untag a x;"},
      {"DELETE", "/v2/a/manifests/" + kDigest, 404, "MANIFEST_UNKNOWN", "remove a " + kDigest + ";"},
      {"PUT", "/v2/a/manifests/.x", 400, "TAG_INVALID", ""},
      {"PUT", "/v2/a/manifests/" + kDigest + "?tag=-x", 400, "TAG_INVALID", ""},
      {"PUT", "/v2/a/manifests/x", 400, "MANIFEST_INVALID", ""},
      {"GET", "/v2/a/tags/list?n=x", 400, "PAGINATION_NUMBER_INVALID", ""},
      {"GET", "/v2/a/tags/list?n=-1", 400, "PAGINATION_NUMBER_INVALID", ""},
      {"GET", "/v2/a/referrers/nonsense", 400, "DIGEST_INVALID", ""},
      {"GET", "/v2/a/referrers/" + kDigest, 200, "", ""},
      {"POST", "/v2/a/blobs/uploads/?mount=x&from=b", 400, "DIGEST_INVALID", ""},
      {"POST", "/v2/a/blobs/uploads/?mount=" + kDigest + "&from=B", 400, "NAME_INVALID", ""},
      {"POST", "/v2/a/blobs/uploads/?mount=" + kDigest + "&from=b", 202, "", "mount a b;"},
      {"POST", "/v2/a/blobs/uploads/?digest=x", 400, "DIGEST_INVALID", ""},
      {"GET", "/v2/a/blobs/uploads/none", 404, "BLOB_UPLOAD_UNKNOWN", ""},
      {"PATCH", "/v2/a/blobs/uploads/none", 404, "BLOB_UPLOAD_UNKNOWN", ""},
      {"PUT", "/v2/a/blobs/uploads/none", 400, "DIGEST_INVALID", ""},
      {"PUT", "/v2/a/blobs/uploads/none?digest=" + kDigest, 404, "BLOB_UPLOAD_UNKNOWN", ""},
      {"DELETE", "/v2/a/blobs/uploads/none", 404, "BLOB_UPLOAD_UNKNOWN", ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.method);
    CAPTURE(row.target);
    storage.log.clear();
    const auto reply = ask(**server, row.method, row.target);
    CHECK(reply.status == row.status);
    CHECK(code_of(reply) == row.code);
    CHECK(storage.log == row.log);
    CHECK(header(reply, "Docker-Distribution-Api-Version") == "registry/2.0");
  }
}

TEST_CASE("pages of a list go on where the last one ended") {
  Recorder storage;
  const auto server = RegistryServer::create(storage, {});
  struct Row {
    std::string target, body, link;
  };
  const Row rows[] = {
      {"/v2/r/tags/list", R"({"name":"r","tags":["a","b","c"]})", ""},
      {"/v2/r/tags/list?n=2", R"({"name":"r","tags":["a","b"]})", R"(</v2/r/tags/list?last=b&n=2>; rel="next")"},
      {"/v2/r/tags/list?n=2&last=b", R"({"name":"r","tags":["c"]})", ""},
      {"/v2/r/tags/list?last=aa", R"({"name":"r","tags":["b","c"]})", ""},
      {"/v2/r/tags/list?last=z", R"({"name":"r","tags":[]})", ""},
      {"/v2/r/tags/list?n=0", R"({"name":"r","tags":[]})", ""},
      {"/v2/r/tags/list?n=3", R"({"name":"r","tags":["a","b","c"]})", ""},
      {"/v2/_catalog?n=1", R"({"repositories":["one"]})", R"(</v2/_catalog?last=one&n=1>; rel="next")"},
      {"/v2/_catalog?last=one", R"({"repositories":["two/x"]})", ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.target);
    const auto reply = ask(**server, "GET", row.target);
    CHECK(reply.body == row.body);
    CHECK(header(reply, "Link") == row.link);
  }
}

TEST_CASE("parts of an upload follow one another without gap or overlap") {
  Recorder storage;
  const auto server = RegistryServer::create(storage, {});
  const auto begun = ask(**server, "POST", "/v2/a/blobs/uploads/");
  CHECK(begun.status == 202);
  const std::string at = header(begun, "Location");
  struct Row {
    std::string range, body;
    int status;
    std::string now;
  };
  const Row rows[] = {
      {"0-4", "12345", 202, "0-4"},         {"0-4", "12345", 416, "0-4"},         {"6-7", "12", 416, "0-4"}, {"5-6", "123", 400, ""},
      {"5-4", "", 400, ""},                 {"x", "1", 400, ""},                  {"", "67", 202, "0-6"},    {"7-7", "8", 202, "0-7"},
      {"bytes 8-9/10", "90", 202, "0-9"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.range);
    std::vector<std::pair<std::string, std::string>> headers;
    if (!row.range.empty()) headers.emplace_back("content-range", row.range);
    const auto reply = ask(**server, "PATCH", at, row.body, headers);
    CHECK(reply.status == row.status);
    CHECK(header(reply, "Range") == row.now);
  }
  CHECK(header(ask(**server, "GET", at), "Range") == "0-9");
  CHECK(ask(**server, "PUT", at + "?digest=" + kDigest, "abc").status == 201);
  CHECK(storage.uploaded == 13);
  CHECK(storage.log == "gone;");
  CHECK(ask(**server, "GET", at).status == 404);
}

TEST_CASE("the newest request has the upload") {
  Recorder storage;
  Uploads uploads;
  const auto upload = uploads.begin(storage, "a");
  REQUIRE(upload.has_value());
  const unsigned char byte[1] = {1};
  const auto first = (*upload)->claim();
  CHECK((*upload)->append(first.number, byte).has_value());
  const auto second = (*upload)->claim();
  CHECK(second.size == 1);
  CHECK((*upload)->append(first.number, byte).error().code() == Errc::conflict);
  CHECK((*upload)->append(second.number, byte).has_value());
  CHECK(uploads.find((*upload)->id, "b") == nullptr);
  CHECK(uploads.find((*upload)->id, "a") == *upload);
  (*upload)->drop();
  CHECK((*upload)->append(second.number, byte).error().code() == Errc::conflict);
}

TEST_CASE("a read-only registry refuses pushes and deletions") {
  Recorder storage;
  const auto server = RegistryServer::create(storage, {.read_only = true});
  CHECK(ask(**server, "POST", "/v2/a/blobs/uploads/").status == 403);
  CHECK(ask(**server, "PUT", "/v2/a/manifests/x").status == 403);
  CHECK(ask(**server, "DELETE", "/v2/a/manifests/x").status == 405);
  CHECK(ask(**server, "GET", "/v2/a/tags/list").status == 200);
  CHECK(storage.log.empty());
}

TEST_CASE("passwords are those of the file, as it is now") {
  const std::string path = "/tmp/mica-htpasswd-" + random_hex(6);
  // Of "open sesame", by htpasswd -B -C 5.
  const std::string bcrypt = "$2y$05$5TFSHMJIE/6puY13.W13R.Q6E3CdEk6Kt46WNrq0u.0H9WC1jBNA.";
  const auto basic = [](std::string_view pair) { return "Basic " + base64(pair); };
  REQUIRE(sys::write_file(path, "# users\n\nalice:" + bcrypt + "\r\n").has_value());
  auto file = PasswordFile::read(path);
  REQUIRE(file.has_value());
  CHECK((*file)->admits(basic("alice:open sesame")));
  CHECK((*file)->admits(basic("alice:open sesame")));
  CHECK((*file)->admits("bAsIc   " + base64("alice:open sesame")));
  for (const std::string& wrong : {basic("alice:open sesame "), basic("alice:"), basic("alice"), basic("bob:open sesame"), basic(":"), std::string("Basic"), std::string("Basic ???"),
                                   std::string(""), "Bearer " + base64("alice:open sesame"), basic(std::string("alice:open sesame\0x", 19))})
    CHECK_FALSE_MESSAGE((*file)->admits(wrong), wrong);
  REQUIRE(sys::write_file(path, "bob:" + bcrypt + "\n# longer\n").has_value());
  CHECK_FALSE((*file)->admits(basic("alice:open sesame")));
  CHECK((*file)->admits(basic("bob:open sesame")));

  for (const std::string bad : {"no colon", ":hash", "a:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", "a:$apr1$x$y", "a:plain"}) {
    REQUIRE(sys::write_file(path, bad + "\n").has_value());
    const auto refused = PasswordFile::read(path);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().text().find(":1:") != std::string::npos);
  }
  ::unlink(path.c_str());
  CHECK(PasswordFile::read(path).error().code() == Errc::not_found);
}
