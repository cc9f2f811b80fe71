#include "registry/client.h"

#include <doctest/doctest.h>

#include <thread>

#include "support/fake_registry.h"
#include "support/user_environment.h"

using namespace mica;
using support::FakeClock;
using support::FakeRegistry;
using support::Peer;
using support::Received;
using support::TextBlob;
using Auth = FakeRegistry::Auth;
using registry::Access;

namespace {

constexpr std::string_view kManifest = R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{},"layers":[] })";

/// A client with its surroundings. `credentials`: of ada at this registry.
struct Fixture {
  explicit Fixture(Auth auth = Auth::none, bool credentials = true) : registry(auth) {
    if (credentials && auth != Auth::none)
      environment.set("DOCKER_AUTH_CONFIG", format(R"({{"auths":{{"{}":{{"auth":"{}"}}}}}})", registry.address(), base64(registry.user + ":" + registry.password)));
  }
  registry::Client& client() {
    if (!client_) client_.emplace(http, registry::Hosts(), registry::Credentials(), registry::ClientOptions{.remark = [this](std::string line) {
      std::lock_guard lock(mutex);
      remarks.push_back(std::move(line));
    }}, &clock);
    return *client_;
  }
  registry::Repository open(Access access = Access::pull, const std::string& path = "team/app") {
    return client().open({.registry = registry.address(), .path = path}, access, {registry.endpoint(path)});
  }
  oci::Reference tag(const std::string& tag) const { return {.registry = registry.address(), .path = "team/app", .tag = tag}; }
  oci::Descriptor blob(const std::string& bytes) {
    return {.digest = oci::Digest::parse(registry.add_blob(bytes)).value(), .size = static_cast<std::int64_t>(bytes.size())};
  }

  support::UserEnvironment environment;
  FakeClock clock;
  http::Client http;
  FakeRegistry registry;
  std::mutex mutex;
  std::vector<std::string> remarks;

 private:
  std::optional<registry::Client> client_;
};

template <class T>
std::string problem(const Result<T>& result) {
  return result ? "" : result.error().full_text();
}
bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("a document comes with its bytes as they are, its type without parameters, and one request") {
  Fixture f;
  f.registry.add_document("1", std::string(kManifest));
  const auto document = f.open().document(f.tag("1"), {});
  REQUIRE_MESSAGE(document, problem(document));
  CHECK(document->bytes == kManifest);
  CHECK(document->digest == oci::Digest::of(kManifest));
  CHECK(document->media_type == oci::kOciManifest);
  CHECK(document->from == f.registry.address() + "/team/app");
  CHECK(f.registry.seen() == std::vector<std::string>{"GET /v2/team/app/manifests/1"});
  const std::string accept = f.registry.server().requests()[0].header("accept");
  for (const auto type : {oci::kOciIndex, oci::kOciManifest, oci::kDockerIndex, oci::kDockerManifest}) CHECK(has(accept, type));
}

TEST_CASE("a reference with tag and digest asks for the digest only") {
  Fixture f;
  f.registry.add_document("1", std::string(kManifest));
  auto what = f.tag("other");
  what.digest = oci::Digest::of(kManifest);
  CHECK(f.open().document(what, {}));
  CHECK(f.registry.seen() == std::vector<std::string>{"GET /v2/team/app/manifests/" + what.digest.str()});
}

TEST_CASE("types of header and body must agree, and one may be missing") {
  struct Row {
    const char* header;
    std::string body;
    const char* type;    // or the error's words
    Errc code = Errc::internal;
  };
  const std::string index = R"({"schemaVersion":2,"manifests":[]})", manifest = R"({"schemaVersion":2,"config":{},"layers":[]})";
  for (const Row& row : {Row{"", manifest, oci::kOciManifest.data()}, Row{"application/json", index, oci::kOciIndex.data()},
                         Row{"application/vnd.docker.distribution.manifest.v2+json; charset=utf-8", manifest, oci::kDockerManifest.data()},
                         Row{"text/plain", std::string(kManifest), oci::kOciManifest.data()},
                         Row{oci::kOciIndex.data(), std::string(kManifest), "says of itself", Errc::corrupt},
                         Row{"", R"({"schemaVersion":2,"layers":[],"manifests":[]})", "ambiguous", Errc::corrupt},
                         Row{"application/vnd.docker.distribution.manifest.v1+prettyjws", "{}", "schema 1", Errc::unsupported},
                         Row{"", R"({"schemaVersion":1,"fsLayers":[]})", "schema 1", Errc::unsupported},
                         Row{"text/html", "<html>log in</html>", "does not look like a registry", Errc::corrupt}, Row{"", "{}", "does not say what it is", Errc::corrupt}}) {
    Fixture f;
    f.registry.hook = [&](const Received&, const Peer& peer) { return peer.reply(200, row.body, *row.header ? format("Content-Type: {}\r\n", row.header) : ""); };
    const auto document = f.open().document(f.tag("1"), {});
    CAPTURE(row.header);
    CAPTURE(row.body);
    if (row.code == Errc::internal) {
      REQUIRE_MESSAGE(document, problem(document));
      CHECK(document->media_type == row.type);
    } else {
      REQUIRE_FALSE(document);
      CHECK(document.error().code() == row.code);
      CHECK_MESSAGE(has(problem(document), row.type), problem(document));
    }
  }
}

TEST_CASE("bytes that are not those of the digest are corrupt, and so are ones that the registry announces otherwise") {
  Fixture f;
  f.registry.hook = [&](const Received& r, const Peer& peer) {
    return peer.reply(200, kManifest, has(r.target, "sha256") ? "" : "Docker-Content-Digest: " + oci::Digest::of("x").str() + "\r\n");
  };
  auto what = f.tag("1");
  auto got = f.open().document(what, {});
  REQUIRE_FALSE(got);
  CHECK(got.error().code() == Errc::corrupt);
  what.digest = oci::Digest::of("y");
  got = f.open().document(what, {});
  REQUIRE_FALSE(got);
  CHECK(got.error().code() == Errc::corrupt);
}

TEST_CASE("a manifest without end is given up at the limit") {
  Fixture f;
  f.registry.hook = [](const Received&, const Peer& peer) {
    if (!peer.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")) return false;
    const std::string block(64 << 10, ' ');
    for (int i = 0; i < 1000; ++i)
      if (!peer.send(block)) return false;
    return false;
  };
  const auto got = f.open().document(f.tag("1"), {});
  REQUIRE_FALSE(got);
  CHECK(got.error().code() == Errc::resource_exhausted);
  CHECK(f.registry.seen().size() == 1);
}

TEST_CASE("resolve asks by HEAD, and by GET where HEAD is refused or says too little") {
  for (int way = 0; way < 3; ++way) {
    Fixture f;
    f.registry.add_document("1", std::string(kManifest));
    f.registry.hook = [&](const Received& r, const Peer& peer) -> std::optional<bool> {
      if (r.method != "HEAD" || way == 0) return std::nullopt;
      if (way == 1) return peer.send("HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n");
      return peer.send(format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nContent-Type: {}\r\n\r\n", kManifest.size(), oci::kOciManifest));
    };
    const auto found = f.open().resolve(f.tag("1"), {});
    REQUIRE_MESSAGE(found, problem(found));
    CHECK(found->digest == oci::Digest::of(kManifest));
    CHECK(found->size == static_cast<std::int64_t>(kManifest.size()));
    CHECK(found->media_type == oci::kOciManifest);
    CHECK(f.registry.seen().size() == (way == 0 ? 1 : 2));
  }
}

TEST_CASE("a tag that is not there is not_found, in the registry's words, without repetition") {
  Fixture f;
  const auto got = f.open().document(f.tag("no"), {});
  REQUIRE_FALSE(got);
  CHECK(got.error().code() == Errc::not_found);
  CHECK(got.error().text() == format("reading manifest of {}/team/app:no: {} says: manifest unknown", f.registry.address(), f.registry.address()));
  const auto head = f.open().resolve(f.tag("no"), {});
  REQUIRE_FALSE(head);
  CHECK(has(head.error().text(), "says: not found"));
  CHECK(f.registry.seen().size() == 2);
}

TEST_CASE("passwords: one refused request, then they go along") {
  Fixture f(Auth::basic);
  f.registry.add_document("1", std::string(kManifest));
  const auto repository = f.open();
  CHECK(repository.document(f.tag("1"), {}));
  CHECK(repository.document(f.tag("1"), {}));
  CHECK(f.registry.seen().size() == 3);
}

TEST_CASE("a wrong password is tried once, and the error says whose it was and from where") {
  Fixture f(Auth::basic);
  f.registry.password = "changed";
  const auto got = f.open().document(f.tag("1"), {});
  REQUIRE_FALSE(got);
  CHECK(got.error().code() == Errc::unauthorized);
  CHECK(has(got.error().text(), "as ada, from "));
  CHECK(has(got.error().text(), "DOCKER_AUTH_CONFIG"));
  CHECK(has(got.error().hint(), "mica logout " + f.registry.address()));
  CHECK_FALSE(has(problem(got), "secret"));
  CHECK(f.registry.seen().size() == 2);
}

TEST_CASE("without credentials the error says that it was asked anonymously and names similar hosts") {
  Fixture f(Auth::basic, false);
  f.environment.set("DOCKER_AUTH_CONFIG", format(R"({{"auths":{{"localhost:5000":{{"auth":"{}"}}}}}})", base64("a:b")));
  const auto got = f.open().document(f.tag("1"), {});
  REQUIRE_FALSE(got);
  CHECK(got.error().code() == Errc::unauthorized);
  CHECK(has(got.error().text(), "unauthorized: authentication required (asked anonymously)"));
  CHECK(has(got.error().hint(), "does not exist or is private"));
  CHECK(has(got.error().hint(), "localhost:5000"));
  CHECK(f.registry.seen().size() == 1);
}

TEST_CASE("a broken credential helper does not stop what is public, and is named where access is denied") {
  for (const bool is_public : {true, false}) {
    Fixture f(Auth::bearer, false);
    f.environment.write(".docker/config.json", R"({"credsStore":"nowhere"})");
    if (is_public) f.registry.public_path = "team/app";
    f.registry.add_document("1", std::string(kManifest));
    const auto got = f.open().document(f.tag("1"), {});
    CHECK(bool(got) == is_public);
    REQUIRE(f.remarks.size() == 1);
    CHECK(has(f.remarks[0], "docker-credential-nowhere"));
  }
}

TEST_CASE("tokens: asked once with account, service and scope, and used for all that follows") {
  Fixture f(Auth::bearer);
  f.registry.add_document("1", std::string(kManifest));
  const auto blob = f.blob("some bytes");
  const auto repository = f.open();
  REQUIRE(repository.document(f.tag("1"), {}));
  CHECK(repository.read_small(blob, 100, {}).value_or("") == "some bytes");
  const auto seen = f.registry.seen();
  REQUIRE(seen.size() == 4);
  CHECK(seen[0] == "GET /v2/team/app/manifests/1");
  CHECK(seen[1] == "GET /token?x=1&account=ada&service=the%20service&scope=repository%3Ateam%2Fapp%3Apull");
  CHECK(seen[2] == "GET /v2/team/app/manifests/1");
  CHECK(has(seen[3], "/blobs/"));
}

TEST_CASE("an unchanged image is found unchanged in three requests") {
  Fixture f(Auth::bearer);
  f.registry.add_document("1", std::string(kManifest));
  CHECK(f.open(Access::push).resolve(f.tag("1"), {}));
  CHECK(f.registry.seen().size() == 3);
  CHECK(has(f.registry.seen()[1], "pull%2Cpush"));
}

TEST_CASE("many threads ask for one token") {
  Fixture f(Auth::bearer);
  const auto blob = f.blob(support::pattern(1000));
  const auto repository = f.open();
  std::vector<std::thread> threads;
  std::atomic<int> right = 0;
  for (int i = 0; i < 8; ++i) threads.emplace_back([&] { right += repository.read_small(blob, 2000, {}).has_value(); });
  for (auto& thread : threads) thread.join();
  CHECK(right == 8);
  CHECK(f.registry.tokens_given() == 1);
}

TEST_CASE("a token is renewed before it ends, and at once when it is refused earlier") {
  Fixture f(Auth::bearer);
  f.registry.expires_in = 100;
  f.registry.add_document("1", std::string(kManifest));
  const auto repository = f.open();
  REQUIRE(repository.document(f.tag("1"), {}));
  f.clock.pass(70'000);
  REQUIRE(repository.document(f.tag("1"), {}));
  CHECK(f.registry.tokens_given() == 1);
  f.clock.pass(6'000);
  REQUIRE(repository.document(f.tag("1"), {}));
  CHECK(f.registry.tokens_given() == 2);
  CHECK(f.registry.seen().size() == 6);      // none of them refused but the first
  f.registry.revoke();
  REQUIRE(repository.document(f.tag("1"), {}));
  CHECK(f.registry.tokens_given() == 3);
}

TEST_CASE("a token that was revoked before it was used is renewed once") {
  for (const bool for_ever : {false, true}) {
    Fixture f(Auth::bearer);
    f.registry.add_document("1", std::string(kManifest));
    int refused = 0;
    f.registry.hook = [&](const Received& r, const Peer& peer) -> std::optional<bool> {
      if (r.header("authorization").empty() || !r.target.contains("/manifests/") || (!for_ever && refused > 0)) return std::nullopt;
      ++refused;
      return peer.reply(401, "", format("WWW-Authenticate: Bearer realm=\"{}\",service=\"the service\",scope=\"repository:team/app:pull\",error=\"invalid_token\"\r\n",
                                        f.registry.server().url("/token?x=1")));
    };
    const auto got = f.open().document(f.tag("1"), {});
    CHECK(got.has_value() != for_ever);
    CHECK(refused == (for_ever ? 2 : 1));
    CHECK(f.registry.tokens_given() == 2);
  }
}

TEST_CASE("a token without a length of life lasts a minute") {
  Fixture f(Auth::bearer);
  f.registry.expires_in = 0;
  f.registry.add_document("1", std::string(kManifest));
  const auto repository = f.open();
  REQUIRE(repository.document(f.tag("1"), {}));
  f.clock.pass(40'000);
  REQUIRE(repository.document(f.tag("1"), {}));
  CHECK(f.registry.tokens_given() == 1);
  f.clock.pass(10'000);
  REQUIRE(repository.document(f.tag("1"), {}));
  CHECK(f.registry.tokens_given() == 2);
}

TEST_CASE("a service that grants less than was asked means denied, not a loop") {
  Fixture f(Auth::bearer);
  f.registry.granted = "pull";
  const auto got = f.open(Access::push).put_document(f.tag("1"), oci::kOciManifest, kManifest, {});
  REQUIRE_FALSE(got);
  CHECK(got.error().code() == Errc::unauthorized);
  CHECK(f.registry.seen().size() <= 4);
}

TEST_CASE("insufficient_scope brings a token for the scope that is named") {
  Fixture f(Auth::bearer);
  f.registry.add_document("1", std::string(kManifest));
  f.registry.hook = [&](const Received& r, const Peer& peer) -> std::optional<bool> {
    if (!r.target.starts_with("/v2/") || r.header("authorization").empty() || has(r.header("authorization"), "other/thing")) return std::nullopt;
    return peer.reply(403, "", "WWW-Authenticate: Bearer realm=\"" + f.registry.server().url("/token") +
                                   "\",service=\"the service\",scope=\"repository:other/thing:pull\",error=\"insufficient_scope\"\r\n");
  };
  const auto repository = f.open();
  const auto got = repository.document(f.tag("1"), {});
  REQUIRE_MESSAGE(got, problem(got));
  CHECK(f.registry.seen().size() == 5);
  REQUIRE(repository.document(f.tag("1"), {}));
  CHECK(f.registry.seen().size() == 6);      // it is remembered
}

TEST_CASE("an identity token is exchanged by POST, and by GET where POST is not known") {
  for (const bool post : {true, false}) {
    Fixture f(Auth::bearer, false);
    f.registry.public_path = "team/app";
    f.environment.set("DOCKER_AUTH_CONFIG", "");
    f.environment.write(".docker/config.json", format(R"({{"auths":{{"{}":{{"auth":"{}","identitytoken":"identity"}}}}}})", f.registry.address(), base64("ada:")));
    f.registry.hook = [&](const Received& r, const Peer& peer) -> std::optional<bool> {
      if (r.method == "POST" && !post) return peer.reply(405, "");
      return std::nullopt;
    };
    f.registry.add_document("1", std::string(kManifest));
    const auto got = f.open().document(f.tag("1"), {});
    REQUIRE_MESSAGE(got, problem(got));
    const auto request = f.registry.server().requests()[1];
    CHECK(request.method == "POST");
    CHECK(request.target == "/token?x=1");
    CHECK(request.header("content-type") == "application/x-www-form-urlencoded");
    CHECK(request.body == "grant_type=refresh_token&service=the%20service&client_id=mica&scope=repository%3Ateam%2Fapp%3Apull&refresh_token=identity");
    CHECK(f.registry.seen().size() == (post ? 3 : 4));
  }
}

TEST_CASE("a registry token goes along as it is") {
  Fixture f(Auth::bearer, false);
  f.environment.write(".docker/config.json", format(R"({{"auths":{{"{}":{{"registrytoken":"given"}}}}}})", f.registry.address()));
  f.registry.hook = [&](const Received& r, const Peer& peer) -> std::optional<bool> {
    if (r.header("authorization") != "Bearer given") return std::nullopt;
    return peer.reply(200, kManifest, format("Content-Type: {}\r\n", oci::kOciManifest));
  };
  CHECK(f.open().document(f.tag("1"), {}));
  CHECK(f.registry.tokens_given() == 0);
}

TEST_CASE("trouble at the token service is repeated and named with its address, without secrets") {
  struct Row {
    int status;
    const char* body;
    int requests;
    const char* words;
  };
  for (const Row& row : {Row{503, "", 5, "status 503"}, Row{200, "<html>sign in</html>", 5, "holds no token"}, Row{200, R"({"token":""})", 5, "holds no token"},
                         Row{404, "nothing", 1, "status 404"}}) {
    Fixture f(Auth::bearer);
    f.registry.hook = [&](const Received& r, const Peer& peer) -> std::optional<bool> {
      return r.target.starts_with("/token") ? std::optional(peer.reply(row.status, row.body)) : std::nullopt;
    };
    const auto got = f.open().document(f.tag("1"), {});
    REQUIRE_FALSE(got);
    CAPTURE(problem(got));
    CHECK(f.registry.count("GET /token") == row.requests);
    CHECK(has(problem(got), f.registry.server().url("/token") + " for repository:team/app:pull"));
    CHECK(has(problem(got), row.words));
    CHECK_FALSE(has(problem(got), "secret"));
  }
}

TEST_CASE("stored credentials that the token service refuses are named, with the way out") {
  Fixture f(Auth::bearer);
  f.registry.public_path = "team/app";
  f.registry.password = "changed";
  const auto got = f.open().document(f.tag("1"), {});
  REQUIRE_FALSE(got);
  CHECK(got.error().code() == Errc::unauthorized);
  CHECK(has(got.error().hint(), "as ada, from "));
  CHECK(has(got.error().hint(), "mica logout"));
  CHECK(f.registry.seen().size() == 2);
}

TEST_CASE("a refusal without a challenge ends it") {
  Fixture f;
  f.registry.hook = [](const Received&, const Peer& peer) { return peer.reply(401, ""); };
  CHECK_FALSE(f.open().document(f.tag("1"), {}));
  CHECK(f.registry.seen().size() == 1);
}

TEST_CASE("what passes is repeated with doubled waits, whatever the request, and what does not is not") {
  struct Row {
    int status;
    bool repeated;
  };
  for (const Row& row : {Row{408, true}, Row{429, true}, Row{500, true}, Row{502, true}, Row{503, true}, Row{504, true}, Row{499, true}, Row{522, true}, Row{400, false},
                         Row{403, false}, Row{404, false}, Row{405, false}, Row{501, false}}) {
    Fixture f;
    f.registry.hook = [&](const Received&, const Peer& peer) { return peer.reply(row.status, ""); };
    CAPTURE(row.status);
    const auto got = f.open().document(f.tag("1"), {});
    REQUIRE_FALSE(got);
    CHECK(f.registry.seen().size() == (row.repeated ? 5 : 1));
    if (!row.repeated) continue;
    CHECK(f.clock.slept() == std::vector<std::int64_t>{500, 1000, 2000, 4000});
    CHECK(has(got.error().text(), "giving up after 5 attempts"));
    CHECK(f.remarks.size() == 4);
    CHECK(has(f.remarks[0], "trying again in 0.5 s (attempt 2 of 5)"));
  }
}

TEST_CASE("connections that break before an answer are repeated") {
  Fixture f;
  f.registry.add_document("1", std::string(kManifest));
  std::atomic<int> times = 0;
  f.registry.hook = [&](const Received&, const Peer&) { return times++ < 3 ? std::optional(false) : std::nullopt; };
  const auto got = f.open().document(f.tag("1"), {});
  CHECK_MESSAGE(got, problem(got));
  CHECK(times == 4);
}

TEST_CASE("Retry-After rules the wait, and ends the work when it asks for more than there is patience") {
  Fixture f;
  f.registry.add_document("1", std::string(kManifest));
  std::atomic<int> times = 0;
  f.registry.hook = [&](const Received&, const Peer& peer) -> std::optional<bool> {
    if (times++ == 0) return peer.reply(503, "", "Retry-After: 7\r\n");
    return std::nullopt;
  };
  CHECK(f.open().document(f.tag("1"), {}));
  CHECK(f.clock.slept() == std::vector<std::int64_t>{7000});

  Fixture g;
  g.registry.hook = [](const Received&, const Peer& peer) {
    return peer.reply(429, FakeRegistry::refusal("TOOMANYREQUESTS", "slow down"), "Retry-After: 3600\r\nRateLimit-Limit: 100;w=21600\r\nRateLimit-Remaining: 5\r\n");
  };
  const auto got = g.open().document(g.tag("1"), {});
  REQUIRE_FALSE(got);
  CHECK(got.error().code() == Errc::unavailable);
  CHECK(has(got.error().text(), "toomanyrequests: slow down (ratelimit-limit 100;w=21600"));
  CHECK(has(got.error().text(), "asked anonymously"));
  CHECK(has(got.error().hint(), "try again in"));
  CHECK(g.registry.seen().size() == 1);
}

TEST_CASE("a quota that is used up is not asked again") {
  Fixture f;
  f.registry.hook = [](const Received&, const Peer& peer) { return peer.reply(429, "", "ratelimit-remaining: 0;w=21600\r\n"); };
  CHECK_FALSE(f.open().document(f.tag("1"), {}));
  CHECK(f.registry.seen().size() == 1);
}

TEST_CASE("cancelling ends a wait") {
  Fixture f;
  auto cancel = task::Cancel::create();
  f.registry.hook = [&](const Received&, const Peer& peer) {
    cancel.stop();
    return peer.reply(503, "");
  };
  const auto got = f.open().document(f.tag("1"), cancel);
  REQUIRE_FALSE(got);
  CHECK(got.error().code() == Errc::cancelled);
}

TEST_CASE("a server's warning is told once, with its control characters visible") {
  Fixture f;
  f.registry.hook = [](const Received&, const Peer& peer) {
    return peer.reply(200, kManifest, "Warning: 299 - \"going \x1b[31maway\"\r\nWarning: 199 - \"not this\"\r\n");
  };
  CHECK(f.open().document(f.tag("1"), {}));
  CHECK(f.open().document(f.tag("1"), {}));
  REQUIRE(f.remarks.size() == 1);
  CHECK(f.remarks[0] == f.registry.address() + " warns: going \\x1b[31maway");
}

TEST_CASE("a host that speaks no TLS is asked in the clear where that is allowed, and never where it is not") {
  Fixture f;
  f.registry.add_document("1", std::string(kManifest));
  auto place = f.registry.endpoint();
  place.scheme = "https";
  auto got = f.client().open(f.tag("1"), Access::pull, {place}).document(f.tag("1"), {});
  REQUIRE_FALSE(got);
  CHECK(has(got.error().text(), "answered plain HTTP"));
  CHECK(has(got.error().hint(), "insecure-registries"));
  CHECK(f.clock.slept().empty());
  place.plain_http = true;
  const auto repository = f.client().open(f.tag("1"), Access::pull, {place});
  got = repository.document(f.tag("1"), {});
  REQUIRE_MESSAGE(got, problem(got));
  CHECK(f.registry.seen().size() == 1);
  const int connections = f.registry.server().connections();
  CHECK(repository.document(f.tag("1"), {}));
  CHECK(f.registry.server().connections() == connections);   // it is remembered
}

TEST_CASE("mirrors are asked in order, pass on what they cannot do, and never see other hosts' credentials") {
  Fixture f(Auth::basic);
  FakeRegistry empty, broken;
  broken.hook = [](const Received&, const Peer& peer) { return peer.reply(500, ""); };
  f.registry.add_document("1", std::string(kManifest));
  auto first = empty.endpoint("mirror/team/app"), second = broken.endpoint("team/app");
  first.mirror = second.mirror = true;
  first.query = "ns=example.com";
  first.serves_digests = false;
  const auto repository = f.client().open(f.tag("1"), Access::pull, {first, second, f.registry.endpoint()});
  const auto got = repository.document(f.tag("1"), {});
  REQUIRE_MESSAGE(got, problem(got));
  CHECK(got->from == f.registry.address() + "/team/app");
  CHECK(empty.seen() == std::vector<std::string>{"GET /v2/mirror/team/app/manifests/1?ns=example.com"});
  CHECK(broken.seen().size() == 1);
  CHECK(f.remarks.size() == 2);
  for (auto* mirror : {&empty, &broken})
    for (const auto& request : mirror->server().requests()) CHECK(request.header("authorization").empty());

  // The one that did not work at all is not asked again; one that only lacked something is.
  const auto missing = repository.document(f.tag("2"), {});
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code() == Errc::not_found);
  CHECK(has(missing.error().text(), empty.address() + " (mirror)"));
  CHECK(empty.seen().size() == 2);
  CHECK(broken.seen().size() == 1);
}

TEST_CASE("wrong bytes of a mirror lead to the next place") {
  Fixture f;
  FakeRegistry liar;
  const std::string bytes = support::pattern(5000);
  const auto blob = f.blob(bytes);
  liar.hook = [&](const Received&, const Peer& peer) { return peer.reply(200, std::string(5000, 'x')); };
  auto mirror = liar.endpoint();
  mirror.mirror = true;
  const auto repository = f.client().open(f.tag("1"), Access::pull, {mirror, f.registry.endpoint()});
  CHECK(repository.read_small(blob, 10'000, {}).value_or("") == bytes);
  CHECK(liar.seen().size() == 1);
  CHECK_FALSE(repository.distrust(blob.digest));
}

TEST_CASE("credentials do not follow a redirect to another host") {
  Fixture f(Auth::basic);
  FakeRegistry store;
  const auto blob = f.blob("some bytes");
  store.hook = [](const Received&, const Peer& peer) { return peer.reply(200, "some bytes"); };
  f.registry.hook = [&](const Received& r, const Peer& peer) -> std::optional<bool> {
    if (r.header("authorization").empty()) return std::nullopt;
    return peer.reply(307, "", "Location: " + store.server().url("/signed?x=1") + "\r\n");
  };
  CHECK(f.open().read_small(blob, 100, {}).value_or("") == "some bytes");
  REQUIRE(store.seen().size() == 1);
  CHECK(store.server().requests()[0].header("authorization").empty());
}

TEST_CASE("a login is tried with what is given, and brings the identity token") {
  Fixture f(Auth::bearer, false);
  const auto host = f.registry.address();
  auto got = f.client().check_login(host, {.user = "ada", .password = Secret("secret")}, {});
  REQUIRE_MESSAGE(got, problem(got));
  CHECK(got->identity_token.reveal() == "identity");
  CHECK(got->password.empty());
  CHECK(f.registry.seen().back() == "GET /v2/");
  CHECK(has(f.registry.seen()[f.registry.seen().size() - 2], "offline_token=true"));
  got = f.client().check_login(host, {.user = "ada", .password = Secret("wrong")}, {});
  REQUIRE_FALSE(got);
  CHECK(got.error().code() == Errc::unauthorized);
  CHECK(has(got.error().hint(), "check user name and password"));

  Fixture g(Auth::basic, false);
  got = g.client().check_login(g.registry.address(), {.user = "ada", .password = Secret("secret")}, {});
  REQUIRE_MESSAGE(got, problem(got));
  CHECK(got->password.reveal() == "secret");
  CHECK_FALSE(g.client().check_login(g.registry.address(), {.user = "ada", .password = Secret("wrong")}, {}));
}

TEST_CASE("tags come page by page, and a list that leads elsewhere or in circles ends") {
  struct Row {
    const char* link;
    Errc code;
  };
  for (const Row& row : {Row{"", Errc::internal}, Row{"<http://192.0.2.1/v2/x>; rel=\"next\"", Errc::corrupt}, Row{"</v2/team/app/tags/list?last=b>; rel=next", Errc::corrupt}}) {
    Fixture f;
    f.registry.hook = [&](const Received& r, const Peer& peer) {
      if (r.target == "/v2/team/app/tags/list") return peer.reply(200, R"({"name":"x","tags":["a","b"]})", "Link: </v2/team/app/tags/list?last=b&n=2>; rel=\"next\"\r\n");
      return peer.reply(200, R"({"name":"x","tags":["c"]})", *row.link ? format("Link: {}\r\n", row.link) : "");
    };
    const auto tags = f.open().tags({});
    if (row.code == Errc::internal) {
      REQUIRE_MESSAGE(tags, problem(tags));
      CHECK(*tags == std::vector<std::string>{"a", "b", "c"});
    } else {
      REQUIRE_FALSE(tags);
      CHECK(tags.error().code() == row.code);
    }
  }
}

TEST_CASE("a document with a subject is listed under its tag where the registry has no referrers, and found there") {
  Fixture f;
  const auto subject = oci::Digest::of(kManifest);
  const std::string signature = format(R"({{"schemaVersion":2,"artifactType":"x/sig","config":{{"mediaType":"c"}},"layers":[],"subject":{{"digest":"{}"}},"annotations":{{"k":"v"}}}})", subject.str());
  const auto repository = f.open(Access::push);
  auto what = f.tag("");
  what.digest = oci::Digest::of(signature);
  const auto put = repository.put_document(what, oci::kOciManifest, signature, {});
  REQUIRE_MESSAGE(put, problem(put));
  const auto list = f.registry.document("sha256-" + subject.hex());
  REQUIRE(list);
  CHECK(has(*list, what.digest.str()));
  for (const auto& [type, count] : {std::pair{"", 1}, {"x/sig", 1}, {"other", 0}}) {
    const auto found = repository.referrers(subject, type, {});
    REQUIRE_MESSAGE(found, problem(found));
    REQUIRE(found->size() == static_cast<std::size_t>(count));
    if (count == 0) continue;
    CHECK(found->front().artifact_type == "x/sig");
    CHECK(found->front().descriptor.digest == what.digest);
    CHECK(found->front().descriptor.annotations == oci::Annotations{{"k", "v"}});
  }
  // Pushing it again lists it once.
  REQUIRE(repository.put_document(what, oci::kOciManifest, signature, {}));
  CHECK(f.registry.document("sha256-" + subject.hex()) == list);
}

TEST_CASE("a registry that answers OCI-Subject keeps the list itself") {
  Fixture f;
  f.registry.hook = [](const Received& r, const Peer& peer) -> std::optional<bool> {
    if (r.method == "PUT") return peer.reply(201, "", "OCI-Subject: sha256:x\r\n");
    return std::nullopt;
  };
  const std::string signature = format(R"({{"schemaVersion":2,"subject":{{"digest":"{}"}},"layers":[]}})", oci::Digest::of("x").str());
  CHECK(f.open(Access::push).put_document(f.tag("s"), oci::kOciManifest, signature, {}));
  CHECK(f.registry.seen().size() == 1);
}

TEST_CASE("text of servers cannot steer the terminal") {
  Fixture f;
  f.registry.hook = [](const Received&, const Peer& peer) { return peer.reply(404, R"({"errors":[{"code":"NAME_UNKNOWN","message":"\u001b[2Jgone\u202e \u0007"}]})"); };
  const auto got = f.open().document(f.tag("1"), {});
  REQUIRE_FALSE(got);
  CHECK(has(got.error().text(), R"(name unknown: \x1b[2Jgone\u202e \x07)"));
}
