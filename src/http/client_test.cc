#include "http/client.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <numeric>
#include <thread>

#include "base/text.h"
#include "base/time.h"
#include "http/limits.h"
#include "support/http_server.h"

using namespace mica;
using namespace std::chrono_literals;
using support::HttpServer;
using support::Peer;
using support::Received;

namespace {

struct Got {
  Result<http::Response> response = fail(Errc::internal, "not run");
  std::string body, error_body;
  int status() const { return response ? response->status : 0; }
  std::string problem() const { return response ? "" : response.error().text(); }
};

Got fetch(http::Client& client, const http::Request& request, task::Cancel cancel = {}) {
  Got got;
  stream::MemorySink sink;
  got.response = client.run(request, sink, &got.error_body, std::move(cancel));
  got.body = sink.take();
  return got;
}
Got fetch(const http::Request& request, task::Cancel cancel = {}) {
  http::Client client;
  return fetch(client, request, std::move(cancel));
}

/// Gives its bytes in pieces and fails where told.
class PieceSource : public stream::Source {
 public:
  PieceSource(std::size_t size, std::size_t piece, std::size_t fail_at = ~std::size_t{0}) : left_(size), piece_(piece), fail_at_(fail_at) {}
  Result<std::size_t> read(std::span<unsigned char> into) override {
    if (given_ >= fail_at_) return fail(Errc::corrupt, "the source broke");
    const std::size_t count = std::min({into.size(), left_, piece_});
    for (std::size_t i = 0; i < count; ++i) into[i] = static_cast<unsigned char>((given_ + i) % 251);
    given_ += count;
    left_ -= count;
    return count;
  }

 private:
  std::size_t left_, piece_, fail_at_, given_ = 0;
};

class BrokenSink : public stream::Sink {
 public:
  Result<> write(std::span<const unsigned char>) override { return fail(Errc::resource_exhausted, "the disk is full"); }
};

/// Sets a variable of the environment for the time of a test.
class WithEnv {
 public:
  WithEnv(const char* name, const std::string& value) : name_(name) { ::setenv(name, value.c_str(), 1); }
  ~WithEnv() { ::unsetenv(name_); }

 private:
  const char* name_;
};

bool hello(const Received&, const Peer& peer) { return peer.reply(200, "hello"); }

}  // namespace

TEST_CASE("a GET brings status, headers in lower case and the body, and says who asks") {
  HttpServer server([](const Received&, const Peer& peer) { return peer.reply(200, "hello", "X-Thing: a: b \r\nContent-Type: text/plain\r\n"); });
  const auto got = fetch({.url = server.url("/path?q=1"), .headers = {{"Accept", "text/*"}, {"X-Empty", ""}}});
  REQUIRE_MESSAGE(got.response, got.problem());
  CHECK(got.status() == 200);
  CHECK(got.body == "hello");
  CHECK(got.response->header("x-thing") == "a: b");
  CHECK(got.response->header("content-type") == "text/plain");
  CHECK(got.response->header("nothing") == "");
  CHECK(got.response->final_url == server.url("/path?q=1"));
  const auto seen = server.requests().at(0);
  CHECK(seen.method == "GET");
  CHECK(seen.target == "/path?q=1");
  CHECK(seen.header("user-agent").starts_with("mica/" MICA_VERSION " ("));
  CHECK(seen.header("accept") == "text/*");
  CHECK(seen.headers.contains("x-empty"));
  CHECK_FALSE(seen.headers.contains("accept-encoding"));
}

TEST_CASE("HEAD has headers and no body") {
  HttpServer server([](const Received&, const Peer& peer) { return peer.send("HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n"); });
  const auto got = fetch({.method = "HEAD", .url = server.url()});
  REQUIRE_MESSAGE(got.response, got.problem());
  CHECK(got.response->header("content-length") == "12345");
  CHECK(got.body.empty());
  CHECK(server.requests().at(0).method == "HEAD");
}

TEST_CASE("an answer that is no success leaves the sink alone and brings its text") {
  for (int status : {400, 401, 404, 429, 500, 304}) {
    HttpServer server([&](const Received&, const Peer& peer) { return status == 304 ? peer.send("HTTP/1.1 304 Same\r\n\r\n") : peer.reply(status, "the reason"); });
    const auto got = fetch({.url = server.url()});
    CHECK(got.status() == status);
    CHECK(got.body.empty());
    CHECK(got.error_body == (status == 304 ? "" : "the reason"));
  }
}

TEST_CASE("206 is a success: its body goes to the sink") {
  HttpServer server([](const Received& r, const Peer& peer) {
    return peer.reply(206, "llo", r.header("range") == "bytes=2-" ? "Content-Range: bytes 2-4/5\r\n" : "");
  });
  const auto got = fetch({.url = server.url(), .headers = {{"Range", "bytes=2-"}}});
  CHECK(got.status() == 206);
  CHECK(got.body == "llo");
  CHECK(got.response->header("content-range") == "bytes 2-4/5");
}

TEST_CASE("an endless error text is cut off, and the answer still counts") {
  HttpServer server([](const Received&, const Peer& peer) {
    if (!peer.send("HTTP/1.1 500 Bad\r\n\r\n")) return false;
    const std::string block(64 << 10, 'x');
    for (int i = 0; i < 4000; ++i)
      if (!peer.send(block)) return false;
    FAIL("the client took 250 MB of error text");
    return false;
  });
  const auto got = fetch({.url = server.url()});
  CHECK(got.status() == 500);
  CHECK(got.error_body.size() == http::kMaxErrorBytes);
}

TEST_CASE("redirects are followed, with credentials to the same host only") {
  HttpServer other([](const Received&, const Peer& peer) { return peer.reply(200, "from the other"); });
  HttpServer server([&](const Received& r, const Peer& peer) {
    if (r.target == "/same") return peer.reply(302, "see", "Location: /end\r\n");
    if (r.target == "/other") return peer.reply(307, "see", "Location: " + other.url("/blob?signed=1") + "\r\n");
    if (r.target == "/name") return peer.reply(301, "see", "Location: " + other.url("/", "localhost") + "\r\n");
    return peer.reply(200, "the end");
  });
  const http::Headers headers = {{"Authorization", "Bearer secret"}, {"Cookie", "c=1"}, {"Accept", "x/y"}};
  SUBCASE("the same host") {
    const auto got = fetch({.url = server.url("/same"), .headers = headers});
    CHECK(got.status() == 200);
    CHECK(got.body == "the end");
    CHECK(got.response->final_url == server.url("/end"));
    CHECK(got.error_body.empty());
    CHECK(server.requests().at(1).header("authorization") == "Bearer secret");
    CHECK(server.connections() == 1);
  }
  SUBCASE("another port is another host") {
    const auto got = fetch({.url = server.url("/other"), .headers = headers});
    CHECK(got.body == "from the other");
    CHECK(got.response->final_url == other.url("/blob?signed=1"));
    const auto seen = other.requests().at(0);
    CHECK(seen.target == "/blob?signed=1");
    CHECK_FALSE(seen.headers.contains("authorization"));
    CHECK_FALSE(seen.headers.contains("cookie"));
    CHECK(seen.header("accept") == "x/y");
  }
}

TEST_CASE("redirects end: too many, to another protocol, or not followed at all") {
  HttpServer server([](const Received& r, const Peer& peer) {
    if (r.target == "/file") return peer.reply(302, "", "Location: file:///etc/passwd\r\n");
    if (r.target == "/none") return peer.reply(302, "no place");
    return peer.reply(302, "round", "Location: /again\r\n");
  });
  const auto many = fetch({.url = server.url(), .max_redirects = 3});
  REQUIRE_FALSE(many.response);
  CHECK(many.response.error().code() == Errc::unavailable);
  CHECK(server.requests().size() == 4);
  const auto file = fetch({.url = server.url("/file")});
  REQUIRE_FALSE(file.response);
  CHECK(file.response.error().code() == Errc::unsupported);
  const auto none = fetch({.url = server.url("/none")});
  CHECK(none.status() == 302);
  CHECK(none.error_body == "no place");
  const auto kept = fetch({.url = server.url(), .max_redirects = 0});
  CHECK(kept.status() == 302);
  CHECK(kept.response->header("location") == "/again");
  CHECK(kept.error_body == "round");
}

TEST_CASE("methods across redirects: 303 makes a GET, 301 and 302 only of POST, 307 and 308 never") {
  struct Row {
    const char* method;
    int status;
    const char* then;
  };
  for (const Row& row : {Row{"POST", 301, "GET"}, Row{"POST", 302, "GET"}, Row{"POST", 303, "GET"}, Row{"PUT", 303, "GET"}, Row{"DELETE", 303, "GET"},
                         Row{"HEAD", 303, "HEAD"}, Row{"DELETE", 302, "DELETE"}, Row{"POST", 307, "POST"}, Row{"PUT", 308, "PUT"}}) {
    HttpServer server([&](const Received& r, const Peer& peer) {
      if (r.target == "/") return peer.send("HTTP/1.1 " + std::to_string(row.status) + " See\r\nContent-Length: 0\r\nLocation: /end\r\n\r\n");
      return peer.send("HTTP/1.1 204 None\r\n\r\n");
    });
    CAPTURE(row.method);
    CAPTURE(row.status);
    const auto got = fetch({.method = row.method, .url = server.url(), .headers = {{"Content-Type", "a/b"}}});
    CHECK(got.status() == 204);
    CHECK(server.requests().at(1).method == row.then);
  }
}

TEST_CASE("a redirect that wants a body again which has been read is the caller's") {
  HttpServer server([](const Received& r, const Peer& peer) { return peer.reply(r.target == "/" ? 307 : 201, "", "Location: /there\r\n"); });
  stream::MemorySource body("abc");
  const auto got = fetch({.method = "PUT", .url = server.url(), .body = &body, .body_size = 3});
  CHECK(got.status() == 307);
  CHECK(got.response->redirect_url == server.url("/there"));
  CHECK(server.requests().size() == 1);
}

TEST_CASE("a body that ends early is unavailable, and what came is in the sink") {
  HttpServer server([](const Received& r, const Peer& peer) {
    if (r.target == "/length") peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
    else peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n5\r\nx");
    return false;
  });
  for (const char* path : {"/length", "/chunked"}) {
    const auto got = fetch({.url = server.url(path)});
    REQUIRE_FALSE(got.response);
    CHECK(got.response.error().code() == Errc::unavailable);
    CHECK(got.body.starts_with("only this"));
    CHECK(got.problem().find("GET http://127.0.0.1") != std::string::npos);
  }
}

TEST_CASE("bodies in chunks and bodies ended by the connection's end are normal") {
  HttpServer server([](const Received& r, const Peer& peer) {
    if (r.target == "/chunked") return peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\nX-Trailer: t\r\n\r\n");
    peer.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello!");
    return false;
  });
  CHECK(fetch({.url = server.url("/chunked")}).body == "hello!");
  CHECK(fetch({.url = server.url("/closed")}).body == "hello!");
  CHECK(fetch({.url = server.url("/chunked")}).response->header("x-trailer") == "");
}

TEST_CASE("PUT sends a body of known size, and one of unknown size in chunks") {
  HttpServer server([](const Received&, const Peer& peer) { return peer.reply(201, "made"); });
  constexpr std::size_t kSize = 3 << 20;
  for (const bool known : {true, false}) {
    PieceSource body(kSize, 100'000);
    const auto got = fetch({.method = "PUT", .url = server.url(), .headers = {{"Content-Type", "application/octet-stream"}}, .body = &body,
                            .body_size = known ? std::int64_t{kSize} : -1});
    REQUIRE_MESSAGE(got.response, got.problem());
    CHECK(got.status() == 201);
    CHECK(got.body == "made");
    const auto seen = server.requests().back();
    CHECK(seen.method == "PUT");
    CHECK(seen.chunked != known);
    CHECK_FALSE(seen.headers.contains("expect"));
    CHECK(seen.header("content-type") == "application/octet-stream");
    REQUIRE(seen.body.size() == kSize);
    CHECK(static_cast<unsigned char>(seen.body[kSize - 1]) == (kSize - 1) % 251);
  }
}

TEST_CASE("POST, PATCH and PUT without a body say that its length is 0") {
  HttpServer server(hello);
  for (const char* method : {"POST", "PATCH", "PUT"}) {
    CHECK(fetch({.method = method, .url = server.url()}).status() == 200);
    CHECK(server.requests().back().method == method);
    CHECK(server.requests().back().header("content-length") == "0");
    CHECK_FALSE(server.requests().back().headers.contains("content-type"));
  }
}

TEST_CASE("errors of source and sink come through as they are") {
  HttpServer server([](const Received&, const Peer& peer) { return peer.reply(200, std::string(1 << 20, 'x')); });
  PieceSource broken(1 << 20, 1000, 50'000);
  auto got = fetch({.method = "PUT", .url = server.url(), .body = &broken, .body_size = 1 << 20});
  REQUIRE_FALSE(got.response);
  CHECK(got.response.error().message() == "the source broke");
  PieceSource brief(10, 10);
  got = fetch({.method = "PUT", .url = server.url(), .body = &brief, .body_size = 20});
  REQUIRE_FALSE(got.response);
  CHECK(got.response.error().code() == Errc::corrupt);
  http::Client client;
  BrokenSink sink;
  auto full = client.run({.url = server.url()}, sink, nullptr, {});
  REQUIRE_FALSE(full);
  CHECK(full.error().code() == Errc::resource_exhausted);
  CHECK(full.error().message() == "the disk is full");
}

TEST_CASE("a source longer than announced is read as far as announced") {
  HttpServer server(hello);
  PieceSource body(1000, 1000);
  CHECK(fetch({.method = "PUT", .url = server.url(), .body = &body, .body_size = 10}).status() == 200);
  CHECK(server.requests().at(0).body.size() == 10);
}

TEST_CASE("on_headers sees the kept answer before its body, and can refuse it") {
  HttpServer server([](const Received& r, const Peer& peer) {
    if (r.target == "/") return peer.reply(302, "", "Location: /end\r\n");
    return peer.send("HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n") && peer.reply(200, "body", "X-Size: 4\r\n");
  });
  int calls = 0;
  http::Request request{.url = server.url()};
  request.on_headers = [&](const http::Response& response) -> Result<> {
    ++calls;
    CHECK(response.status == 200);
    CHECK(response.header("x-size") == "4");
    CHECK(response.header("link") == "");
    return {};
  };
  CHECK(fetch(request).body == "body");
  CHECK(calls == 1);
  request.on_headers = [](const http::Response&) -> Result<> { return fail(Errc::conflict, "not this one"); };
  const auto got = fetch(request);
  REQUIRE_FALSE(got.response);
  CHECK(got.response.error().code() == Errc::conflict);
  CHECK(got.body.empty());
}

TEST_CASE("a refusal in the middle of an upload is the answer") {
  HttpServer server([](const Received&, const Peer&) { return false; });
  // The handler above never runs: the request is not complete when the answer comes.
  std::thread raw;
  int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::listen(listener, 1) == 0);
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  raw = std::thread([&] {
    int fd = ::accept(listener, nullptr, nullptr);
    char bytes[4096];
    (void)::recv(fd, bytes, sizeof bytes, 0);
    Peer(fd).reply(401, "token expired", "WWW-Authenticate: Bearer realm=\"r\"\r\n");
    ::shutdown(fd, SHUT_WR);
    while (::recv(fd, bytes, sizeof bytes, 0) > 0) {
    }
    ::close(fd);
  });
  PieceSource body(50 << 20, 64 << 10);
  const auto got = fetch({.method = "PATCH", .url = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/", .body = &body, .body_size = 50 << 20});
  raw.join();
  ::close(listener);
  REQUIRE_MESSAGE(got.response, got.problem());
  CHECK(got.status() == 401);
  CHECK(got.error_body == "token expired");
  CHECK(got.response->header("www-authenticate") == "Bearer realm=\"r\"");
}

TEST_CASE("cancelling ends a request soon: while connecting, while waiting, in the body") {
  HttpServer server([](const Received& r, const Peer& peer) {
    if (r.target == "/body") peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nsome");
    char byte;
    return ::recv(peer.fd(), &byte, 1, 0) > 0;   // until the client goes
  });
  for (const std::string& url : {server.url("/wait"), server.url("/body"), std::string("http://192.0.2.77:81/")}) {
    CAPTURE(url);
    auto cancel = task::Cancel::create();
    std::int64_t stopped = 0;
    std::thread stopper([&] {
      std::this_thread::sleep_for(150ms);
      stopped = monotonic_ns();
      cancel.stop();
    });
    const auto got = fetch({.url = url}, cancel);
    const auto took = monotonic_ns() - stopped;
    stopper.join();
    REQUIRE_FALSE(got.response);
    if (got.response.error().code() == Errc::unavailable && url.find("192.0.2") != std::string::npos) continue;   // no route here: refused at once
    CHECK(got.response.error().code() == Errc::cancelled);
    CHECK(took < 500'000'000);
  }
}

TEST_CASE("a connection on which nothing moves is given up") {
  HttpServer server([](const Received&, const Peer& peer) {
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc");
    char byte;
    return ::recv(peer.fd(), &byte, 1, 0) > 0;
  });
  const auto start = monotonic_ns();
  const auto got = fetch({.url = server.url(), .stall_timeout_s = 1});
  REQUIRE_FALSE(got.response);
  CHECK(got.response.error().code() == Errc::unavailable);
  CHECK(monotonic_ns() - start < 6'000'000'000);
}

TEST_CASE("time that the sink or the source takes is not the network's") {
  class Slow : public stream::Sink {
    Result<> write(std::span<const unsigned char>) override {
      std::this_thread::sleep_for(1500ms);
      return {};
    }
  } sink;
  class SlowSource : public stream::Source {
    Result<std::size_t> read(std::span<unsigned char> into) override {
      std::this_thread::sleep_for(1500ms);
      into[0] = 'x';
      return left_-- > 0 ? 1 : 0;
    }
    int left_ = 1;
  } source;
  HttpServer server(hello);
  http::Client client;
  const auto got = client.run({.method = "PUT", .url = server.url(), .body = &source, .stall_timeout_s = 1}, sink, nullptr, {});
  CHECK_MESSAGE(got, got.error().text());
}

TEST_CASE("an answer may be waited for longer than a byte") {
  HttpServer server([](const Received& r, const Peer& peer) {
    if (r.method == "PUT") std::this_thread::sleep_for(2500ms);
    return peer.reply(201, "");
  });
  stream::MemorySource body("abc");
  const auto patient = fetch({.method = "PUT", .url = server.url(), .body = &body, .body_size = 3, .stall_timeout_s = 1, .answer_timeout_s = 60});
  CHECK_MESSAGE(patient.response, patient.problem());
  stream::MemorySource again("abc");
  http::Failure failure;
  CHECK_FALSE(fetch({.method = "PUT", .url = server.url(), .body = &again, .body_size = 3, .stall_timeout_s = 1, .failure = &failure}).response);
  CHECK(failure.kind == http::Failure::Kind::stalled);
}

TEST_CASE("why there was no answer is told apart") {
  using Kind = http::Failure::Kind;
  int port;
  {
    HttpServer gone(hello);
    port = gone.port();
  }
  HttpServer server([](const Received&, const Peer&) { return false; });
  HttpServer proxy([](const Received&, const Peer& peer) { return peer.reply(407, "", "Proxy-Authenticate: Basic realm=x\r\n"); });
  struct Row {
    std::string url;
    Kind kind;
  };
  WithEnv env("https_proxy", proxy.url(""));
  for (const Row& row : {Row{"http://127.0.0.1:" + std::to_string(port) + "/", Kind::connect}, Row{"http://no-such-host.invalid/", Kind::name}, Row{server.url(), Kind::broken},
                         Row{"https" + server.url().substr(4), Kind::not_tls}, Row{"https://registry.invalid/", Kind::proxy}}) {
    http::Failure failure;
    CHECK_FALSE(fetch({.url = row.url, .failure = &failure}).response);
    CAPTURE(row.url);
    CHECK(failure.kind == row.kind);
    CHECK(failure.url == row.url);
    CHECK(failure.proxy.empty());
  }
  const std::string nobody = "127.0.0.1:" + std::to_string(port);
  WithEnv through_nobody("https_proxy", "http://" + nobody);
  http::Failure failure;
  CHECK_FALSE(fetch({.url = "https://registry.invalid/", .failure = &failure}).response);
  CHECK(failure.kind == Kind::connect);
  CHECK(failure.proxy == nobody);
}

TEST_CASE("a closed port, a name that does not exist and a server that talks something else are unavailable") {
  int port;
  {
    HttpServer gone(hello);
    port = gone.port();
  }
  HttpServer odd([](const Received&, const Peer& peer) {
    peer.send("SSH-2.0-OpenSSH\r\n");
    return false;
  });
  for (const std::string& url : {"http://127.0.0.1:" + std::to_string(port) + "/x?token=hush", std::string("http://no-such-host.invalid/x?token=hush"), odd.url("/x?token=hush")}) {
    const auto got = fetch({.url = url});
    CAPTURE(url);
    REQUIRE_FALSE(got.response);
    CHECK(got.response.error().code() == Errc::unavailable);
    CHECK(got.problem().find("/x: ") != std::string::npos);
    CHECK(got.problem().find("hush") == std::string::npos);
  }
}

TEST_CASE("what is no http URL and what is no header are refused before anything is sent") {
  for (const char* url : {"", "file:///etc/passwd", "ftp://host/x", "http://", "no url at all"}) {
    const auto got = fetch({.url = url});
    CAPTURE(url);
    REQUIRE_FALSE(got.response);
    CHECK(got.response.error().code() == Errc::invalid_argument);
  }
  HttpServer server(hello);
  const auto got = fetch({.url = server.url(), .headers = {{"X", "a\r\nY: b"}}});
  REQUIRE_FALSE(got.response);
  CHECK(got.response.error().code() == Errc::invalid_argument);
  CHECK(server.requests().empty());
}

TEST_CASE("connections are used again, also after errors of the server") {
  HttpServer server([](const Received& r, const Peer& peer) { return peer.reply(r.target == "/bad" ? 404 : 200, "text"); });
  http::Client client;
  for (int i = 0; i < 20; ++i) CHECK(fetch(client, {.url = server.url(i % 3 ? "/" : "/bad")}).status() == (i % 3 ? 200 : 404));
  CHECK(server.connections() == 1);
}

TEST_CASE("one client serves many threads") {
  HttpServer server([](const Received& r, const Peer& peer) { return peer.reply(200, "body of " + r.target); });
  http::Client client;
  std::vector<std::thread> threads;
  std::atomic<int> right = 0;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 25; ++i) {
        const std::string path = "/" + std::to_string(t) + "-" + std::to_string(i);
        if (fetch(client, {.url = server.url(path)}).body == "body of " + path) ++right;
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(right == 200);
  CHECK(server.connections() <= 8);
}

TEST_CASE("proxies come from the environment, but never for this machine") {
  HttpServer proxy([](const Received&, const Peer& peer) { return peer.reply(200, "by proxy"); });
  HttpServer server(hello);
  for (const char* name : {"http_proxy", "HTTP_PROXY"}) {
    WithEnv env(name, proxy.url(""));
    CHECK(fetch({.url = "http://registry.example/v2/"}).body == "by proxy");
    CHECK(proxy.requests().back().target == "http://registry.example/v2/");
    CHECK(fetch({.url = server.url()}).body == "hello");
    for (const char* value : {"registry.invalid", ".invalid", "other,registry.invalid:8080 ", "*"}) {
      WithEnv none("NO_PROXY", value);
      CAPTURE(value);
      CHECK_FALSE(fetch({.url = "http://registry.invalid:8080/"}).response);
    }
    WithEnv none("NO_PROXY", "registry.invalid:80");
    CHECK(fetch({.url = "http://registry.invalid:8080/"}).body == "by proxy");
  }
}
