#include "http/server.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "base/format.h"
#include "base/text.h"
#include "http/client.h"

using namespace mica;
using namespace mica::http;

namespace {

/// Counts a body; slow ones show that nothing piles up.
class Counter : public Receiver {
 public:
  explicit Counter(std::atomic<int>& gone) : gone_(gone) {}
  ~Counter() override { gone_ += finished_ ? 0 : 1; }
  Result<> take(std::span<const unsigned char> bytes) override {
    count_ += bytes.size();
    if (count_ > (8u << 20)) return fail(Errc::resource_exhausted, "too much");
    return {};
  }
  Reply finish() override {
    finished_ = true;
    Reply reply;
    reply.body = std::to_string(count_);
    return reply;
  }

 private:
  std::atomic<int>& gone_;
  std::size_t count_ = 0;
  bool finished_ = false;
};

struct Fixture {
  std::atomic<int> broken_off{0};
  std::string file_path = "/tmp/mica-http-server-" + random_hex(6);
  Server server;
  explicit Fixture(ServerOptions options = {}) : server(*Server::start(std::move(options), [this](const IncomingRequest& r) { return answer(r); })) {
    REQUIRE(sys::write_file(file_path, "0123456789"));
  }
  ~Fixture() { ::unlink(file_path.c_str()); }

  Answer answer(const IncomingRequest& request) {
    if (request.path == "/body") return std::make_unique<Counter>(broken_off);
    Reply reply;
    if (request.path == "/file") {
      const auto range = parse_range(request.header("range"), 10);
      reply.status = range.whole ? 200 : 206;
      reply.file = Reply::FilePart{.file = *sys::open(file_path, O_RDONLY), .offset = range.offset, .length = range.length};
    } else if (request.path == "/stream") {
      reply.stream = std::make_unique<stream::MemorySource>(std::string(300'000, 's'));
    } else if (request.path == "/refuse") {
      reply.status = 403;
      reply.body = "no";
    } else {
      reply.headers.emplace_back("X-Method", request.method);
      reply.body = request.path;
    }
    return reply;
  }
  std::string url(std::string_view path) { return "http://" + server.address() + std::string(path); }
};

/// Sends bytes and returns everything that comes back until the server closes.
std::string raw(const std::string& address, std::string_view bytes, bool half_close = false) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in name{.sin_family = AF_INET, .sin_port = htons(static_cast<std::uint16_t>(*parse_int(address.substr(address.rfind(':') + 1))))};
  ::inet_pton(AF_INET, "127.0.0.1", &name.sin_addr);
  REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&name), sizeof name) == 0);
  while (!bytes.empty()) {
    const auto sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) break;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  if (half_close) ::shutdown(fd, SHUT_WR);
  std::string out;
  char buffer[4096];
  for (ssize_t got; (got = ::recv(fd, buffer, sizeof buffer, 0)) > 0;) out.append(buffer, static_cast<std::size_t>(got));
  ::close(fd);
  return out;
}

std::pair<int, std::string> fetch(Request request) {
  static Client client;
  stream::MemorySink body;
  auto response = client.run(request, body, nullptr, {});
  REQUIRE_MESSAGE(response.has_value(), (response ? "" : response.error().text()));
  return {response->status, body.bytes()};
}

}  // namespace

TEST_CASE("a request target is taken apart, and nonsense is refused") {
  struct Row {
    std::string target, path, query;   // query: "a=b;c="; path "!": refused
  };
  const Row rows[] = {
      {"/v2/", "/v2/", ""},
      {"/v2/a/tags/list?n=3&last=x%2By", "/v2/a/tags/list", "n=3;last=x+y;"},
      {"/a%2fb%20c", "/a/b c", ""},
      {"/x?q=a+b&&flag", "/x", "q=a b;flag=;"},
      {"http://host:5000/v2/x?y=1", "/v2/x", "y=1;"},
      {"/a+b", "/a+b", ""},
      {"/v2/#frag", "/v2/", ""},
      {"*", "!", ""},
      {"host:80", "!", ""},
      {"/a%0", "!", ""},
      {"/a%zz", "!", ""},
      {"/a%00b", "!", ""},
      {"/a?b=%", "!", ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.target);
    IncomingRequest request;
    const bool good = parse_target(row.target, request).has_value();
    CHECK(good == (row.path != "!"));
    if (!good) continue;
    CHECK(request.path == row.path);
    std::string query;
    for (const auto& [key, value] : request.query) query += key + "=" + value + ";";
    CHECK(query == row.query);
  }
}

TEST_CASE("a Range header names a part, all, or nothing that is there") {
  struct Row {
    std::string header;
    std::int64_t size;
    std::string expect;   // "offset+length", "all", "none"
  };
  const Row rows[] = {
      {"", 10, "all"},          {"bytes=0-0", 10, "0+1"},   {"bytes=2-5", 10, "2+4"},    {"bytes=2-", 10, "2+8"},       {"bytes=-3", 10, "7+3"},
      {"bytes=-30", 10, "0+10"}, {"bytes=9-99", 10, "9+1"}, {"bytes=10-", 10, "none"},   {"bytes=10-20", 10, "none"},   {"bytes=-0", 10, "none"},
      {"bytes=0-", 0, "none"},  {"bytes=5-2", 10, "all"},   {"bytes=0-1,3-4", 10, "all"}, {"items=0-1", 10, "all"},     {"bytes=a-b", 10, "all"},
      {"bytes=-", 10, "all"},   {"Bytes = 1-2", 10, "1+2"}, {"bytes=1-99999999999999999999", 10, "1+9"}, {"bytes=99999999999999999999-", 10, "none"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.header);
    const auto range = parse_range(row.header, row.size);
    const std::string actual = range.whole ? "all" : !range.satisfiable ? "none" : format("{}+{}", range.offset, range.length);
    CHECK(actual == row.expect);
  }
}

TEST_CASE("replies come from memory, from a part of a file and from a stream") {
  Fixture f;
  CHECK(fetch({.url = f.url("/x%20y")}) == std::pair(200, std::string("/x y")));
  CHECK(fetch({.url = f.url("/file")}) == std::pair(200, std::string("0123456789")));
  CHECK(fetch({.url = f.url("/file"), .headers = {{"Range", "bytes=3-5"}}}) == std::pair(206, std::string("345")));
  CHECK(fetch({.url = f.url("/stream")}).second.size() == 300'000);
  CHECK(fetch({.method = "DELETE", .url = f.url("/d")}).second == "/d");
  CHECK(raw(f.server.address(), "HEAD /file HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").find("Content-Length: 10\r\n") != std::string::npos);
}

TEST_CASE("a body reaches its receiver, sized or chunked, and an error in the middle is answered at the end") {
  Fixture f;
  for (const bool chunked : {false, true}) {
    CAPTURE(chunked);
    stream::MemorySource body(std::string(3'000'000, 'b'));
    CHECK(fetch({.method = "PUT", .url = f.url("/body"), .body = &body, .body_size = chunked ? -1 : 3'000'000}) == std::pair(200, std::string("3000000")));
  }
  stream::MemorySource large(std::string(20 << 20, 'b'));
  CHECK(fetch({.method = "PUT", .url = f.url("/body"), .body = &large, .body_size = 20 << 20}).first == 200);
}

TEST_CASE("a refusal reaches who sends much that nobody wants") {
  Fixture f;
  const std::string small = "PUT /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbodyGET /next HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  const auto both = raw(f.server.address(), small);
  CHECK(both.find("403") != both.npos);
  CHECK(both.find("/next") != both.npos);
  const auto much = raw(f.server.address(), "PUT /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n" + std::string(9'000'000, 'x'));
  CHECK(much.find("403") != much.npos);
  const auto waiting = raw(f.server.address(), "PUT /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\nExpect: 100-continue\r\n\r\n");
  CHECK(waiting.starts_with("HTTP/1.1 403"));
}

TEST_CASE("requests that break off or are malformed end quietly") {
  Fixture f;
  (void)raw(f.server.address(), "PUT /body HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nonly this", true);
  (void)raw(f.server.address(), "GET /half", true);
  (void)raw(f.server.address(), "GET /half HTTP/1.1\r\nHost: x\r\nX-", true);
  CHECK(raw(f.server.address(), "nonsense\r\n\r\n", true).find(" 200 ") == std::string::npos);
  CHECK(raw(f.server.address(), "GET /%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").find(" 400 ") != std::string::npos);
  const std::string header = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Long: ";
  CHECK(raw(f.server.address(), header + std::string(50'000, 'h') + "\r\n\r\n").find(" 431 ") != std::string::npos);
  CHECK(raw(f.server.address(), header + std::string(500'000, 'h') + "\r\n\r\n").find(" 200 ") == std::string::npos);
  CHECK(raw(f.server.address(), "GET /" + std::string(50'000, 'p') + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").find(" 414 ") != std::string::npos);
  for (int i = 0; i < 200 && f.broken_off == 0; ++i) ::usleep(10'000);
  CHECK(f.broken_off == 1);
}

TEST_CASE("serving ends with the token, and a unix socket goes with the server") {
  const std::string path = "/tmp/mica-http-" + random_hex(6) + ".sock";
  {
    Fixture f(ServerOptions{.address = "unix:" + path});
    CHECK(sys::exists(path));
    CHECK(f.server.is_loopback());
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un name{.sun_family = AF_UNIX};
    std::copy(path.begin(), path.end(), name.sun_path);
    REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&name), sizeof name) == 0);
    const std::string_view request = "GET /over-unix HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    REQUIRE(::write(fd, request.data(), request.size()) == static_cast<ssize_t>(request.size()));
    std::string out;
    char buffer[4096];
    for (ssize_t got; (got = ::read(fd, buffer, sizeof buffer)) > 0;) out.append(buffer, static_cast<std::size_t>(got));
    ::close(fd);
    CHECK(out.find("/over-unix") != out.npos);
    const auto cancel = task::Cancel::create();
    std::thread thread([&] { f.server.serve(cancel); });
    cancel.stop();
    thread.join();
  }
  CHECK_FALSE(sys::exists(path));
}

TEST_CASE("addresses that cannot be listened on say why") {
  Fixture f;
  const auto start = [](const std::string& address) { return Server::start({.address = address}, [](const IncomingRequest&) -> Answer { return Reply{}; }); };
  CHECK(start(f.server.address()).error().code() == Errc::conflict);
  CHECK(start("nonsense").error().code() == Errc::invalid_argument);
  CHECK(start("127.0.0.1:70000").error().code() == Errc::invalid_argument);
  CHECK(start("unix:" + std::string(200, 'x')).error().code() == Errc::invalid_argument);
  CHECK(Server::start({.certificate = "no PEM", .key = "nor this"}, [](const IncomingRequest&) -> Answer { return Reply{}; }).error().code() ==
        Errc::invalid_argument);
}
