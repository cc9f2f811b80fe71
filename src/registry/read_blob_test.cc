#include <doctest/doctest.h>

#include "registry/client.h"
#include "support/fake_registry.h"
#include "support/user_environment.h"

using namespace mica;
using support::FakeClock;
using support::FakeRegistry;
using support::Peer;
using support::Received;

namespace {

struct Fixture {
  explicit Fixture(std::string bytes, FakeRegistry::Auth auth = FakeRegistry::Auth::none) : registry(auth), bytes(std::move(bytes)) {
    if (auth != FakeRegistry::Auth::none)
      environment.set("DOCKER_AUTH_CONFIG", format(R"({{"auths":{{"{}":{{"auth":"{}"}}}}}})", registry.address(), base64(registry.user + ":" + registry.password)));
    blob = {.digest = oci::Digest::parse(registry.add_blob(this->bytes)).value(), .size = static_cast<std::int64_t>(this->bytes.size())};
  }
  Result<> read(std::int64_t from = 0, std::int64_t length = -1, const std::function<void(bool)>& accept = {}) {
    registry::Client client(http, registry::Hosts(), registry::Credentials(), options, &clock);
    const auto repository = client.open({.registry = registry.address(), .path = "team/app"}, registry::Access::pull, {registry.endpoint()});
    return repository.read_blob(blob, from, length, sink, {}, accept);
  }
  /// Sends at most `count` bytes of what was asked, then closes; 206 or 200 as asked.
  bool send_part(const Received& r, const Peer& peer, std::size_t count, bool ranges = true) const {
    const std::string range = r.header("range");
    std::size_t first = 0;
    if (ranges && !range.empty()) first = static_cast<std::size_t>(parse_int(std::string_view(range).substr(6, range.find('-') - 6)).value());
    const std::string head = first ? format("HTTP/1.1 206 Part\r\nContent-Range: bytes {}-{}/{}\r\n", first, bytes.size() - 1, bytes.size()) : "HTTP/1.1 200 OK\r\n";
    peer.send(head + format("Content-Length: {}\r\n\r\n", bytes.size() - first) + bytes.substr(first, count));
    return false;
  }

  support::UserEnvironment environment;
  FakeClock clock;
  http::Client http;
  registry::ClientOptions options;
  FakeRegistry registry;
  std::string bytes;
  oci::Descriptor blob;
  stream::MemorySink sink;
};

std::string problem(const Result<>& result) { return result ? "" : result.error().full_text(); }

}  // namespace

TEST_CASE("a blob comes whole, or the part that is asked for, with or without ranges at the server") {
  for (const bool ranges : {true, false}) {
    struct Row {
      std::int64_t from, length;
    };
    for (const Row& row : {Row{0, -1}, Row{0, 100}, Row{250'000, -1}, Row{100, 5000}, Row{300'000, -1}, Row{7, 0}}) {
      Fixture f(support::pattern(300'000));
      if (!ranges) f.registry.hook = [&](const Received&, const Peer& peer) { return peer.reply(200, f.bytes); };
      std::vector<bool> accepted;
      const auto got = f.read(row.from, row.length, [&](bool r) { accepted.push_back(r); });
      CAPTURE(row.from);
      CAPTURE(ranges);
      CHECK_MESSAGE(got, problem(got));
      const auto expected = f.bytes.substr(static_cast<std::size_t>(row.from), row.length < 0 ? std::string::npos : static_cast<std::size_t>(row.length));
      CHECK(f.sink.bytes() == expected);
      if (!expected.empty()) CHECK(accepted == std::vector<bool>{ranges});
      CHECK(f.registry.seen().size() == (expected.empty() ? 0 : 1));
    }
  }
}

TEST_CASE("a blob whose connection breaks again and again is put together from its parts, each byte once") {
  for (const bool ranges : {true, false}) {
    Fixture f(support::pattern(3'000'000));
    std::atomic<int> times = 0;
    f.registry.hook = [&](const Received& r, const Peer& peer) { return f.send_part(r, peer, ranges ? 200'000 : 200'000u * static_cast<unsigned>(++times), ranges); };
    const auto got = f.read();
    CHECK_MESSAGE(got, problem(got));
    CHECK(f.sink.bytes() == f.bytes);
    CHECK(f.registry.seen().size() == 15);               // more than there are attempts without progress
    for (const auto ms : f.clock.slept()) CHECK(ms == 0);
  }
}

TEST_CASE("attempts without progress end the work, saying how far it came") {
  Fixture f(support::pattern(500'000));
  f.registry.hook = [&](const Received& r, const Peer& peer) { return f.send_part(r, peer, r.header("range").empty() ? 100'000 : 10); };
  const auto got = f.read();
  REQUIRE_FALSE(got);
  CHECK(got.error().code() == Errc::unavailable);
  CHECK(got.error().text().find("after 1000") != std::string::npos);
  CHECK(got.error().text().find("of 500000 bytes") != std::string::npos);
  CHECK(f.registry.seen().size() <= 7);
  CHECK(f.bytes.starts_with(f.sink.bytes()));
}

TEST_CASE("a body without length that ends early is continued") {
  Fixture f(support::pattern(400'000));
  f.registry.hook = [&](const Received& r, const Peer& peer) -> std::optional<bool> {
    if (!r.header("range").empty()) return std::nullopt;
    peer.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + f.bytes.substr(0, 150'000));
    return false;
  };
  const auto got = f.read();
  CHECK_MESSAGE(got, problem(got));
  CHECK(f.sink.bytes() == f.bytes);
  CHECK(f.registry.server().requests().back().header("range") == "bytes=150000-");
}

TEST_CASE("a wrong range and 416 begin at the beginning again") {
  for (const int way : {0, 1, 2}) {
    Fixture f(support::pattern(400'000));
    std::atomic<int> times = 0;
    f.registry.hook = [&](const Received& r, const Peer& peer) -> std::optional<bool> {
      if (times++ == 0) return f.send_part(r, peer, 100'000);
      if (r.header("range").empty()) return std::nullopt;
      if (way == 0) return peer.reply(416, "");
      if (way == 1) return peer.reply(206, f.bytes.substr(5), format("Content-Range: bytes 5-{}/{}\r\n", f.bytes.size() - 1, f.bytes.size()));
      return peer.reply(206, f.bytes.substr(5));
    };
    const auto got = f.read();
    CAPTURE(way);
    CHECK_MESSAGE(got, problem(got));
    CHECK(f.sink.bytes() == f.bytes);
  }
}

TEST_CASE("a blob of another size than its descriptor's is corrupt, and reading stops there") {
  struct Row {
    std::size_t size;
    bool length;
  };
  for (const Row& row : {Row{999, true}, Row{1001, true}, Row{50 << 20, false}}) {
    Fixture f(support::pattern(1000));
    f.registry.hook = [&](const Received&, const Peer& peer) {
      if (row.length) return peer.reply(200, std::string(row.size, 'x'));
      peer.send("HTTP/1.1 200 OK\r\n\r\n" + std::string(row.size, 'x'));
      return false;
    };
    const auto got = f.read();
    CAPTURE(row.size);
    REQUIRE_FALSE(got);
    CHECK(got.error().code() == Errc::corrupt);
    CHECK(f.sink.bytes().size() <= 1000);
    CHECK(f.registry.seen().size() == 1);
  }
}

TEST_CASE("a token that ends between two parts is renewed") {
  Fixture f(support::pattern(400'000), FakeRegistry::Auth::bearer);
  std::atomic<bool> broken = false;
  f.registry.hook = [&](const Received& r, const Peer& peer) -> std::optional<bool> {
    if (broken || r.header("authorization").empty() || r.target.starts_with("/token")) return std::nullopt;
    broken = true;
    f.registry.revoke();
    return f.send_part(r, peer, 100'000);
  };
  const auto got = f.read();
  CHECK_MESSAGE(got, problem(got));
  CHECK(f.sink.bytes() == f.bytes);
  CHECK(f.registry.tokens_given() == 2);
}

TEST_CASE("each part starts at the registry: where it redirects to is for one use") {
  Fixture f(support::pattern(400'000));
  FakeRegistry store;
  std::set<std::string> used;
  std::atomic<int> signature = 0;
  store.hook = [&](const Received& r, const Peer& peer) {
    if (!used.insert(r.target).second) return peer.reply(403, "expired");
    return f.send_part(r, peer, 150'000);
  };
  f.registry.hook = [&](const Received&, const Peer& peer) {
    return peer.reply(307, "", "Location: " + store.server().url("/blob?signature=" + std::to_string(++signature)) + "\r\n");
  };
  auto got = f.read();
  CHECK_MESSAGE(got, problem(got));
  CHECK(f.sink.bytes() == f.bytes);
  CHECK(f.registry.seen().size() == 3);

  // One that has ended before it was used is asked for again.
  used.insert("/blob?signature=4");
  f.sink.take();
  got = f.read();
  CHECK_MESSAGE(got, problem(got));
  CHECK(f.registry.seen().size() == 7);
}

TEST_CASE("what the sink says is the caller's own and ends it") {
  Fixture f(support::pattern(1000));
  class Full : public stream::Sink {
    Result<> write(std::span<const unsigned char>) override { return fail(Errc::unavailable, "the disk is away"); }
  } full;
  registry::Client client(f.http, registry::Hosts(), registry::Credentials(), {}, &f.clock);
  const auto repository = client.open({.registry = f.registry.address(), .path = "team/app"}, registry::Access::pull, {f.registry.endpoint()});
  const auto got = repository.read_blob(f.blob, 0, -1, full, {});
  REQUIRE_FALSE(got);
  CHECK(got.error().message() == "the disk is away");
  CHECK(f.registry.seen().size() == 1);
}

TEST_CASE("small blobs are verified and bounded") {
  Fixture f("a config");
  registry::Client client(f.http, registry::Hosts(), registry::Credentials(), {}, &f.clock);
  const auto repository = client.open({.registry = f.registry.address(), .path = "team/app"}, registry::Access::pull, {f.registry.endpoint()});
  CHECK(repository.read_small(f.blob, 8, {}).value_or("") == "a config");
  CHECK(repository.read_small(f.blob, 7, {}).error().code() == Errc::resource_exhausted);
  CHECK(repository.has_blob(f.blob.digest, {}).value() == 8);
  CHECK(repository.has_blob(oci::Digest::of("other"), {}).value() == std::nullopt);
  f.registry.hook = [](const Received&, const Peer& peer) { return peer.reply(200, "b config"); };
  CHECK(repository.read_small(f.blob, 8, {}).error().code() == Errc::corrupt);
}

TEST_CASE("a mirror that breaks in the middle is continued at the next place") {
  Fixture f(support::pattern(400'000));
  FakeRegistry mirror;
  mirror.hook = [&](const Received& r, const Peer& peer) { return r.header("range").empty() ? f.send_part(r, peer, 100'000) : peer.reply(404, ""); };
  auto place = mirror.endpoint();
  place.mirror = true;
  registry::Client client(f.http, registry::Hosts(), registry::Credentials(), {}, &f.clock);
  const auto repository = client.open({.registry = f.registry.address(), .path = "team/app"}, registry::Access::pull, {place, f.registry.endpoint()});
  const auto got = repository.read_blob(f.blob, 0, -1, f.sink, {});
  CHECK_MESSAGE(got, problem(got));
  CHECK(f.sink.bytes() == f.bytes);
  CHECK(f.registry.server().requests().at(0).header("range") == "bytes=100000-");
}
