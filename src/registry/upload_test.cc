#include <doctest/doctest.h>

#include "registry/client.h"
#include "registry/limits.h"
#include "support/fake_registry.h"
#include "support/user_environment.h"

using namespace mica;
using support::FakeClock;
using support::FakeRegistry;
using support::Peer;
using support::Received;
using support::TextBlob;
using Auth = FakeRegistry::Auth;
using How = registry::Uploaded::How;

namespace {

constexpr std::size_t kLarge = registry::kOneRequestBytes + 100'000;

struct Fixture {
  explicit Fixture(Auth auth = Auth::none) : registry(auth) {
    if (auth != Auth::none)
      environment.set("DOCKER_AUTH_CONFIG", format(R"({{"auths":{{"{}":{{"auth":"{}"}}}}}})", registry.address(), base64(registry.user + ":" + registry.password)));
  }
  registry::Repository open() {
    if (!client) client.emplace(http, registry::Hosts(), registry::Credentials(), registry::ClientOptions{}, &clock);
    return client->open({.registry = registry.address(), .path = "team/app"}, registry::Access::push, {registry.endpoint()});
  }
  Result<registry::Uploaded> upload(const std::string& bytes, const std::vector<std::string>& mount_from = {}) {
    TextBlob body(bytes);
    return open().upload(oci::Digest::of(bytes), body, mount_from, {});
  }
  Result<registry::Uploaded> upload_growing(const std::string& bytes) {
    TextBlob body(bytes, true);
    return open().upload({}, body, {}, {});
  }
  bool holds(const std::string& bytes) { return registry.blob(oci::Digest::of(bytes).str()) == bytes; }
  /// The methods in order: "HEAD POST PUT".
  std::string methods() {
    std::string out;
    for (const auto& line : registry.seen()) out += (out.empty() ? "" : " ") + line.substr(0, line.find(' '));
    return out;
  }

  support::UserEnvironment environment;
  FakeClock clock;
  http::Client http;
  FakeRegistry registry;
  std::optional<registry::Client> client;
};

std::string problem(const Result<registry::Uploaded>& result) { return result ? "" : result.error().full_text(); }
bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("a blob that is there is not sent, and one request says so") {
  Fixture f;
  f.registry.add_blob("some bytes");
  const auto done = f.upload("some bytes", {"other/app"});
  REQUIRE_MESSAGE(done, problem(done));
  CHECK(done->how == How::existed);
  CHECK(f.methods() == "HEAD");
}

TEST_CASE("small blobs take POST and PUT, large and growing ones POST, PATCH and PUT") {
  struct Row {
    std::size_t size;
    bool growing;
    const char* methods;
  };
  for (const Row& row : {Row{0, false, "HEAD POST PUT"}, Row{1000, false, "HEAD POST PUT"}, Row{kLarge, false, "HEAD POST PATCH PUT"}, Row{1000, true, "POST PATCH PUT"},
                         Row{kLarge, true, "POST PATCH PUT"}, Row{0, true, "POST PATCH PUT"}}) {
    Fixture f;
    const std::string bytes = support::pattern(row.size);
    const auto done = row.growing ? f.upload_growing(bytes) : f.upload(bytes);
    CAPTURE(row.methods);
    REQUIRE_MESSAGE(done, problem(done));
    CHECK(done->how == How::sent);
    CHECK(done->size == static_cast<std::int64_t>(row.size));
    CHECK(done->digest == oci::Digest::of(bytes));
    CHECK(f.methods() == row.methods);
    CHECK(f.holds(bytes));
    CHECK(f.registry.open_uploads() == 0);
  }
}

TEST_CASE("progress tells the bytes sent") {
  Fixture f;
  const std::string bytes = support::pattern(kLarge);
  TextBlob body(bytes);
  std::int64_t last = 0;
  CHECK(f.open().upload(oci::Digest::of(bytes), body, {}, {}, [&](std::int64_t sent) {
    CHECK(sent > last);
    last = sent;
  }));
  CHECK(last == static_cast<std::int64_t>(kLarge));
}

TEST_CASE("the address may be absolute, and at another host, which gets no credentials") {
  Fixture f(Auth::basic);
  FakeRegistry other;
  f.registry.location_prefix = "http://" + f.registry.address();
  CHECK(f.upload("one"));
  CHECK(f.holds("one"));
  CHECK(f.registry.server().requests().back().header("authorization") != "");
  f.registry.hook = [&](const Received& r, const Peer& peer) -> std::optional<bool> {
    if (r.method != "POST") return std::nullopt;
    other.append("/v2/x/blobs/uploads/u9", "");
    return peer.reply(202, "", "Location: http://" + other.address() + "/v2/x/blobs/uploads/u9?_state=a%2Bb%3D%2F0==\r\n");
  };
  const auto done = f.upload("two");
  REQUIRE_MESSAGE(done, problem(done));
  CHECK(other.blob(oci::Digest::of("two").str()) == "two");
  for (const auto& request : other.server().requests()) CHECK(request.header("authorization").empty());
}

TEST_CASE("mounts: done, or a session that is used, or the ordinary way") {
  struct Row {
    int status;                        // 0: the registry's own answer
    bool there;
    const char* methods;
    How how;
  };
  for (const Row& row : {Row{0, true, "HEAD POST", How::mounted}, Row{0, false, "HEAD POST PUT", How::sent}, Row{401, false, "HEAD POST POST PUT", How::sent},
                         Row{403, false, "HEAD POST POST PUT", How::sent}, Row{404, false, "HEAD POST POST PUT", How::sent}, Row{405, false, "HEAD POST POST PUT", How::sent}}) {
    Fixture f;
    if (row.there) f.registry.add_blob("bytes");
    f.registry.hook = [&](const Received& r, const Peer& peer) -> std::optional<bool> {
      if (r.method == "HEAD") return peer.send("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n");
      if (row.status && has(r.target, "mount=")) return peer.reply(row.status, "");
      return std::nullopt;
    };
    const auto done = f.upload("bytes", {"team/app", "other/app"});
    CAPTURE(row.status);
    REQUIRE_MESSAGE(done, problem(done));
    CHECK(done->how == row.how);
    CHECK(f.methods() == row.methods);
    CHECK(f.registry.open_uploads() == 0);
    CHECK(has(f.registry.seen()[1], "?mount=sha256%3A" + oci::Digest::of("bytes").hex() + "&from=other/app"));
  }
}

TEST_CASE("at most two mounts are tried, and no session is left behind") {
  Fixture f;
  CHECK(f.upload("bytes", {"a", "b", "c"}));
  CHECK(f.methods() == "HEAD POST POST DELETE PUT");
  CHECK(f.registry.open_uploads() == 0);
}

TEST_CASE("mounting alone: true, or false with nothing left behind") {
  Fixture f;
  CHECK(f.open().mount(oci::Digest::of("bytes"), "other/app", {}).value() == false);
  CHECK(f.registry.open_uploads() == 0);
  f.registry.add_blob("bytes");
  CHECK(f.open().mount(oci::Digest::of("bytes"), "other/app", {}).value() == true);
}

TEST_CASE("a mount asks for the source's scope too, and without it the blob is sent") {
  Fixture f(Auth::bearer);
  f.registry.add_blob("bytes");
  f.registry.hook = [&](const Received& r, const Peer& peer) -> std::optional<bool> {
    if (r.method == "HEAD") return peer.send("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n");
    return std::nullopt;
  };
  const auto done = f.upload("bytes", {"other/app"});
  REQUIRE_MESSAGE(done, problem(done));
  CHECK(f.registry.count("GET /token?x=1&account=ada&service=the%20service&scope=repository%3Aother%2Fapp%3Apull&scope=repository%3Ateam%2Fapp%3Apull%2Cpush") == 1);
}

TEST_CASE("a broken PATCH goes on where the session is, and the bytes are right") {
  Fixture f;
  const std::string bytes = support::pattern(kLarge);
  std::atomic<int> times = 0;
  f.registry.hook = [&](const Received& r, const Peer&) -> std::optional<bool> {
    if (r.method != "PATCH" || times++ > 0) return std::nullopt;
    f.registry.append(r.target, std::string_view(r.body).substr(0, 1'000'000));
    return false;
  };
  const auto done = f.upload(bytes);
  REQUIRE_MESSAGE(done, problem(done));
  CHECK(f.holds(bytes));
  CHECK(f.methods() == "HEAD POST PATCH GET PATCH PUT");
  CHECK(f.registry.server().requests()[4].header("content-range") == format("1000000-{}", kLarge - 1));
}

TEST_CASE("a growing blob whose PATCH breaks is sent on, too") {
  Fixture f;
  const std::string bytes = support::pattern(kLarge);
  std::atomic<int> times = 0;
  f.registry.hook = [&](const Received& r, const Peer&) -> std::optional<bool> {
    if (r.method != "PATCH" || times++ > 0) return std::nullopt;
    f.registry.append(r.target, std::string_view(r.body).substr(0, 1'000'000));
    return false;
  };
  const auto done = f.upload_growing(bytes);
  REQUIRE_MESSAGE(done, problem(done));
  CHECK(f.holds(bytes));
}

TEST_CASE("progress makes the attempts new: an upload that breaks every time still ends") {
  Fixture f;
  const std::string bytes = support::pattern(kLarge);
  f.registry.hook = [&](const Received& r, const Peer&) -> std::optional<bool> {
    if (r.method != "PATCH" || r.body.size() < 400'000) return std::nullopt;
    f.registry.append(r.target, std::string_view(r.body).substr(0, 300'000));
    return false;
  };
  const auto done = f.upload(bytes);
  REQUIRE_MESSAGE(done, problem(done));
  CHECK(f.holds(bytes));
  CHECK(f.registry.count("PATCH") > 10);
}

TEST_CASE("a session that has gone is begun again, and one that never works ends") {
  Fixture f;
  const std::string bytes = support::pattern(kLarge);
  std::atomic<int> times = 0;
  f.registry.hook = [&](const Received& r, const Peer& peer) -> std::optional<bool> {
    if (r.method == "PATCH" && times++ == 0) return peer.reply(404, FakeRegistry::refusal("BLOB_UPLOAD_UNKNOWN", "blob upload unknown"));
    return std::nullopt;
  };
  auto done = f.upload(bytes);
  REQUIRE_MESSAGE(done, problem(done));
  CHECK(f.holds(bytes));
  CHECK(f.methods() == "HEAD POST PATCH DELETE POST PATCH PUT");

  Fixture g;
  g.registry.hook = [&](const Received& r, const Peer& peer) -> std::optional<bool> {
    if (r.method == "PATCH") return peer.reply(404, FakeRegistry::refusal("BLOB_UPLOAD_UNKNOWN", "blob upload unknown"));
    return std::nullopt;
  };
  done = g.upload(bytes);
  REQUIRE_FALSE(done);
  CHECK(has(problem(done), "blob upload unknown"));
  CHECK(g.registry.count("POST") <= 6);
}

TEST_CASE("a refused token in the middle: a new one, the offset, and on") {
  for (const bool whole : {false, true}) {
    Fixture f(Auth::bearer);
    const std::string bytes = support::pattern(whole ? 100'000 : kLarge);
    std::atomic<int> times = 0;
    f.registry.hook = [&](const Received& r, const Peer&) -> std::optional<bool> {
      if (r.body.empty() || r.method == "POST" || times++ > 0) return std::nullopt;
      f.registry.append(r.target, std::string_view(r.body).substr(0, 50'000));
      f.registry.revoke();
      return std::nullopt;               // 401 with a challenge
    };
    const auto done = f.upload(bytes);
    CAPTURE(whole);
    REQUIRE_MESSAGE(done, problem(done));
    CHECK(f.holds(bytes));
    CHECK(f.registry.tokens_given() == 2);
    CHECK(f.clock.slept().empty());
    if (!whole) CHECK(f.registry.server().requests().at(f.registry.seen().size() - 2).header("content-range") == format("50000-{}", kLarge - 1));
  }
}

TEST_CASE("a token that is refused for every PATCH ends it") {
  Fixture f(Auth::bearer);
  f.registry.hook = [&](const Received& r, const Peer&) -> std::optional<bool> {
    if (r.method == "PATCH") f.registry.revoke();
    return std::nullopt;
  };
  const auto done = f.upload(support::pattern(kLarge));
  REQUIRE_FALSE(done);
  CHECK(done.error().code() == Errc::unauthorized);
  CHECK(f.registry.count("PATCH") <= 3);
}

TEST_CASE("a token that ends before the closing PUT or the manifest is renewed") {
  Fixture f(Auth::bearer);
  const std::string bytes = support::pattern(kLarge);
  std::atomic<int> times = 0;
  f.registry.hook = [&](const Received& r, const Peer&) -> std::optional<bool> {
    if (r.method == "PUT" && times++ % 2 == 0) f.registry.revoke();
    return std::nullopt;
  };
  REQUIRE(f.upload(bytes));
  CHECK(f.open().put_document({.registry = f.registry.address(), .path = "team/app", .tag = "1"}, oci::kOciManifest, R"({"schemaVersion":2})", {}));
  CHECK(f.registry.tokens_given() == 3);
}

TEST_CASE("PATCH refused: the other way, and from then on only that") {
  for (const int status : {400, 404, 405}) {
    Fixture f;
    const std::string bytes = support::pattern(kLarge), more = support::pattern(kLarge + 1);
    f.registry.hook = [&](const Received& r, const Peer& peer) -> std::optional<bool> {
      if (r.method == "PATCH") return peer.reply(status, "");
      return std::nullopt;
    };
    const auto done = f.upload_growing(bytes);
    CAPTURE(status);
    REQUIRE_MESSAGE(done, problem(done));
    CHECK(f.holds(bytes));
    CHECK(f.methods() == "POST PATCH DELETE POST PUT");
    REQUIRE(f.upload_growing(more));
    CHECK(f.holds(more));
    CHECK(f.registry.count("PATCH") == 1);
  }
}

TEST_CASE("PUT with a body refused: the other way") {
  Fixture f;
  f.registry.hook = [&](const Received& r, const Peer& peer) -> std::optional<bool> {
    if (r.method == "PUT" && !r.body.empty()) return peer.reply(405, "");
    return std::nullopt;
  };
  const auto done = f.upload("bytes");
  REQUIRE_MESSAGE(done, problem(done));
  CHECK(f.holds("bytes"));
  CHECK(f.methods() == "HEAD POST PUT DELETE POST PATCH PUT");
  CHECK(f.upload("more"));
  CHECK(f.registry.count("PUT") == 3);
}

TEST_CASE("both ways refused is an error, not a loop") {
  Fixture f;
  f.registry.hook = [&](const Received& r, const Peer& peer) -> std::optional<bool> {
    if (r.method == "PUT" || r.method == "PATCH") return peer.reply(405, FakeRegistry::refusal("UNSUPPORTED", "no uploads here"));
    return std::nullopt;
  };
  const auto done = f.upload("bytes");
  REQUIRE_FALSE(done);
  CHECK(done.error().code() == Errc::unsupported);
  CHECK(has(problem(done), "no uploads here"));
  CHECK(f.registry.seen().size() < 12);
}

TEST_CASE("a server that wants lengths gets them once the blob is complete") {
  Fixture f;
  const std::string bytes = support::pattern(kLarge);
  f.registry.hook = [&](const Received& r, const Peer& peer) -> std::optional<bool> {
    if (r.chunked) return peer.reply(411, "");
    return std::nullopt;
  };
  const auto done = f.upload_growing(bytes);
  REQUIRE_MESSAGE(done, problem(done));
  CHECK(f.holds(bytes));
  CHECK(f.methods() == "POST PATCH GET PATCH PUT");
  REQUIRE(f.upload_growing(bytes + "x"));
  CHECK(f.registry.count("PATCH") == 3);
}

TEST_CASE("a server that limits bodies gets pieces") {
  Fixture f;
  const std::string bytes = support::pattern(static_cast<std::size_t>(registry::kSmallChunkBytes) * 2 + 1000);
  f.registry.hook = [&](const Received& r, const Peer& peer) -> std::optional<bool> {
    if (r.body.size() > static_cast<std::size_t>(registry::kSmallChunkBytes)) return peer.reply(413, "<html>too large</html>");
    return std::nullopt;
  };
  const auto done = f.upload(bytes);
  REQUIRE_MESSAGE(done, problem(done));
  CHECK(f.holds(bytes));
  CHECK(f.methods() == "HEAD POST PATCH GET PATCH PATCH PATCH PUT");
}

TEST_CASE("416 asks for the offset") {
  Fixture f;
  const std::string bytes = support::pattern(kLarge);
  std::atomic<int> times = 0;
  f.registry.hook = [&](const Received& r, const Peer& peer) -> std::optional<bool> {
    if (r.method != "PATCH" || times++ > 0) return std::nullopt;
    f.registry.append(r.target, std::string_view(r.body).substr(0, 70'000));
    return peer.reply(416, "");
  };
  const auto done = f.upload(bytes);
  REQUIRE_MESSAGE(done, problem(done));
  CHECK(f.holds(bytes));
}

TEST_CASE("the answer to the last PUT is lost: the blob is looked for") {
  for (const bool whole : {false, true}) {
    Fixture f;
    const std::string bytes = support::pattern(whole ? 1000 : kLarge);
    std::atomic<int> times = 0;
    f.registry.hook = [&](const Received& r, const Peer&) -> std::optional<bool> {
      if (r.method != "PUT" || times++ > 0) return std::nullopt;
      f.registry.add_blob(bytes);
      f.registry.forget_upload(r.target);
      return false;
    };
    const auto done = f.upload(bytes);
    REQUIRE_MESSAGE(done, problem(done));
    CHECK(done->size == static_cast<std::int64_t>(bytes.size()));
    CHECK(f.registry.count("POST") == 1);
    CHECK(f.registry.seen().back().starts_with("HEAD"));
  }
}

TEST_CASE("a PUT that failed for now is repeated") {
  Fixture f;
  const std::string bytes = support::pattern(kLarge);
  std::atomic<int> times = 0;
  f.registry.hook = [&](const Received& r, const Peer& peer) -> std::optional<bool> {
    if (r.method == "PUT" && times++ == 0) return peer.reply(503, "");
    return std::nullopt;
  };
  const auto done = f.upload(bytes);
  REQUIRE_MESSAGE(done, problem(done));
  CHECK(f.holds(bytes));
  CHECK(f.registry.count("PATCH") == 1);
}

TEST_CASE("other bytes at the registry are corrupt, and are not sent again") {
  Fixture f;
  f.registry.hook = [&](const Received& r, const Peer& peer) -> std::optional<bool> {
    if (r.method == "PUT") return peer.reply(400, FakeRegistry::refusal("DIGEST_INVALID", "provided digest did not match uploaded content"));
    return std::nullopt;
  };
  const auto done = f.upload("bytes");
  REQUIRE_FALSE(done);
  CHECK(has(problem(done), "digest invalid: provided digest did not match"));
  CHECK(f.registry.count("PUT") == 1);
  CHECK(f.registry.open_uploads() == 0);
}

TEST_CASE("an upload that fails or is cancelled leaves no session behind") {
  for (const bool cancelled : {false, true}) {
    Fixture f;
    auto cancel = task::Cancel::create();
    f.registry.hook = [&](const Received& r, const Peer& peer) -> std::optional<bool> {
      if (r.method != "PATCH") return std::nullopt;
      if (cancelled) cancel.stop();
      return peer.reply(403, FakeRegistry::refusal("DENIED", "quota exceeded"));
    };
    const std::string bytes = support::pattern(kLarge);
    TextBlob body(bytes);
    const auto done = f.open().upload(oci::Digest::of(bytes), body, {}, cancel);
    REQUIRE_FALSE(done);
    if (!cancelled) CHECK(has(problem(done), "denied: quota exceeded"));
    CHECK(f.registry.count("DELETE") == 1);
    CHECK(f.registry.open_uploads() == 0);
  }
}

TEST_CASE("a registry that cannot answer HEAD may still take the blob") {
  for (const int status : {405, 500, 403}) {
    Fixture f;
    f.registry.hook = [&](const Received& r, const Peer& peer) -> std::optional<bool> {
      if (r.method == "HEAD") return peer.send(format("HTTP/1.1 {} No\r\nContent-Length: 0\r\n\r\n", status));
      return std::nullopt;
    };
    CHECK(f.upload("bytes"));
    CHECK(f.methods() == "HEAD POST PUT");
  }
}

TEST_CASE("a body is sent again where a redirect wants it") {
  Fixture f;
  std::atomic<int> times = 0;
  f.registry.hook = [&](const Received& r, const Peer& peer) -> std::optional<bool> {
    if (r.method == "PUT" && times++ == 0) return peer.reply(307, "", "Location: " + r.target + "\r\n");
    return std::nullopt;
  };
  const auto done = f.upload("bytes");
  REQUIRE_MESSAGE(done, problem(done));
  CHECK(f.holds("bytes"));
}

TEST_CASE("a source that breaks ends the upload with its own words") {
  Fixture f;
  class Broken : public registry::Replayable {
   public:
    Result<std::unique_ptr<stream::Source>> from(std::int64_t) override {
      class Source : public stream::Source {
        Result<std::size_t> read(std::span<unsigned char>) override { return fail(Errc::unavailable, "the compressor died"); }
      };
      return std::make_unique<Source>();
    }
    std::int64_t size() const override { return -1; }
    Result<oci::Digest> digest() override { return fail(Errc::internal, "not asked for"); }
  } body;
  const auto done = f.open().upload({}, body, {}, {});
  REQUIRE_FALSE(done);
  CHECK(done.error().message() == "the compressor died");
  CHECK(f.registry.count("PATCH") <= 1);
  CHECK(f.registry.open_uploads() == 0);
}
