// TLS against openssl's own server, with a certificate made for the occasion.
#include <doctest/doctest.h>
#include <fcntl.h>

#include <chrono>
#include <cstdlib>
#include <thread>

#include "http/client.h"
#include "sys/fd.h"
#include "sys/process.h"

using namespace mica;
using namespace std::chrono_literals;

namespace {

class TlsServer {
 public:
  struct Options {
    std::string name = "subjectAltName=IP:127.0.0.1";
    bool expired = false;
    std::vector<std::string> more = {};    // words for s_server
  };
  TlsServer() : TlsServer(Options{}) {}
  explicit TlsServer(const Options& options) : folder_(*sys::TempDir::create("/tmp", "tls-test")) {
    const auto made = sys::run_and_capture({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                                            "/CN=mica test", "-addext", options.name, "-keyout", key(), "-out", certificate()});
    REQUIRE_MESSAGE(made, made.error().text());
    if (options.expired) REQUIRE(sys::run_and_capture({"openssl", "x509", "-in", certificate(), "-signkey", key(), "-days", "-1", "-out", certificate()}));
    // It says which port it got.
    auto log = sys::open(folder_.path() + "/log", O_CREAT | O_RDWR, 0600);
    REQUIRE(log);
    std::vector<std::string> words = {"openssl", "s_server", "-accept", "127.0.0.1:0", "-key", key(), "-cert", certificate(), "-www"};
    words.insert(words.end(), options.more.begin(), options.more.end());
    auto started = sys::Process::start({.argv = words, .stdout_fd = log->get(), .stderr_fd = log->get()});
    REQUIRE_MESSAGE(started, started.error().text());
    process_.emplace(std::move(*started));
    for (int i = 0; i < 500 && port_.empty(); ++i, std::this_thread::sleep_for(10ms)) {
      const std::string text = sys::read_file(folder_.path() + "/log").value_or("");
      const auto at = text.find("ACCEPT 127.0.0.1:");
      if (at != text.npos && text.find('\n', at) != text.npos) port_ = text.substr(at + 17, text.find('\n', at) - at - 17);
    }
    REQUIRE_FALSE(port_.empty());
  }
  std::string url() const { return "https://127.0.0.1:" + port_ + "/"; }
  std::string certificate() const { return folder_.path() + "/cert.pem"; }
  std::string key() const { return folder_.path() + "/key.pem"; }

 private:
  sys::TempDir folder_;
  std::optional<sys::Process> process_;
  std::string port_;
};

Result<http::Response> get(const http::Request& request, std::string* body = nullptr) {
  http::Client client;
  stream::MemorySink sink;
  auto got = client.run(request, sink, nullptr, {});
  if (body) *body = sink.take();
  return got;
}

}  // namespace

TEST_CASE("a server's certificate is trusted when an extra CA says so, or when nobody asks") {
  if (!sys::find_program("openssl")) {
    MESSAGE("skipped: needs the package openssl");
    return;
  }
  TlsServer server;
  auto unknown = get({.url = server.url()});
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().code() == Errc::permission_denied);
  CHECK_FALSE(unknown.error().hint().empty());

  std::string body;
  auto trusted = get({.url = server.url(), .ca_file = server.certificate()}, &body);
  REQUIRE_MESSAGE(trusted, trusted.error().text());
  CHECK(trusted->status == 200);
  CHECK(body.find("s_server") != std::string::npos);

  auto unasked = get({.url = server.url(), .verify_tls = false});
  CHECK_MESSAGE(unasked, unasked.error().text());

  ::setenv("SSL_CERT_FILE", server.certificate().c_str(), 1);
  auto by_environment = get({.url = server.url()});
  ::unsetenv("SSL_CERT_FILE");
  CHECK_MESSAGE(by_environment, by_environment.error().text());

  for (const std::string& file : {server.key() + ".missing", std::string("/etc/passwd")}) {
    auto bad = get({.url = server.url(), .ca_file = file});
    REQUIRE_FALSE(bad);
    CHECK(bad.error().code() == Errc::invalid_argument);
  }
}

TEST_CASE("plain HTTP where TLS is spoken is a failure that says so") {
  if (!sys::find_program("openssl")) {
    MESSAGE("skipped: needs the package openssl");
    return;
  }
  TlsServer server;
  auto got = get({.url = "http" + server.url().substr(5)});
  REQUIRE_FALSE(got);
  CHECK(got.error().code() == Errc::unavailable);
}

TEST_CASE("what is wrong with a certificate is told apart, with what it says") {
  if (!sys::find_program("openssl")) {
    MESSAGE("skipped: needs the package openssl");
    return;
  }
  using Kind = http::Failure::Kind;
  struct Row {
    TlsServer::Options options;
    bool trusted;
    Kind kind;
  };
  for (const Row& row : {Row{{}, false, Kind::untrusted}, Row{{.name = "subjectAltName=DNS:elsewhere.example"}, true, Kind::wrong_host}, Row{{.expired = true}, true, Kind::expired}}) {
    TlsServer server(row.options);
    http::Failure failure;
    auto got = get({.url = server.url() + "x?secret=1", .ca_file = row.trusted ? server.certificate() : "", .failure = &failure});
    REQUIRE_FALSE(got);
    CAPTURE(got.error().text());
    CHECK(got.error().code() == Errc::permission_denied);
    CHECK(failure.kind == row.kind);
    CHECK(failure.subject.find("mica test") != std::string::npos);
    CHECK(failure.issuer.find("mica test") != std::string::npos);
    CHECK_FALSE(failure.valid_until.empty());
  }
}

TEST_CASE("a server that wants a client's certificate is told apart, and content with one") {
  if (!sys::find_program("openssl")) {
    MESSAGE("skipped: needs the package openssl");
    return;
  }
  for (const char* version : {"-tls1_2", "-tls1_3"}) {
    TlsServer own;                         // only for its key pair
    TlsServer server({.more = {"-Verify", "1", "-verify_return_error", "-CAfile", own.certificate(), version}});
    http::Failure failure;
    auto got = get({.url = server.url(), .ca_file = server.certificate(), .failure = &failure});
    REQUIRE_FALSE(got);
    CAPTURE(got.error().text());
    CAPTURE(version);
    CHECK(failure.kind == http::Failure::Kind::client_certificate);
    got = get({.url = server.url(), .ca_file = server.certificate(), .client_cert = own.certificate(), .client_key = own.key()});
    CHECK_MESSAGE(got, got.error().text());
  }
}
