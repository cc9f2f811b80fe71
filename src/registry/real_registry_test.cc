// The client against a registry that others wrote, with connections that break.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "registry/client.h"
#include "registry/limits.h"
#include "support/fake_registry.h"
#include "support/user_environment.h"
#include "sys/process.h"

using namespace mica;
using namespace std::chrono_literals;
using support::TextBlob;

namespace {

bool is_there() {
  if (sys::find_program("docker-registry")) return true;
  MESSAGE("skipped: needs the package docker-registry");
  return false;
}

class RealRegistry {
 public:
  enum class Speaks { plain, tls };
  explicit RealRegistry(const support::UserEnvironment& environment, Speaks speaks = Speaks::plain) {
    std::string tls;
    if (speaks == Speaks::tls) {
      certificate_ = environment.home() + "/cert.pem";
      const std::string key = environment.home() + "/key.pem";
      const auto made = sys::run_and_capture({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=Our own",
                                              "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate_});
      REQUIRE_MESSAGE(made, made.error().text());
      tls = format(", tls: {{certificate: {}, key: {}}}", certificate_, key);
    }
    const std::string config = environment.write("registry.yml", format("version: 0.1\nlog: {{level: info, formatter: text}}\n"
                                                                        "storage: {{filesystem: {{rootdirectory: {}/data}}, delete: {{enabled: true}}}}\n"
                                                                        "http: {{addr: \"127.0.0.1:0\"{}}}\n", environment.home(), tls));
    const std::string log_path = environment.home() + "/registry.log";
    auto log = sys::open(log_path, O_CREAT | O_RDWR | O_APPEND, 0600);
    REQUIRE(log);
    auto started = sys::Process::start({.argv = {"docker-registry", "serve", config}, .stdout_fd = log->get(), .stderr_fd = log->get()});
    REQUIRE_MESSAGE(started, started.error().text());
    process_.emplace(std::move(*started));
    constexpr std::string_view kMark = "listening on 127.0.0.1:";
    for (int i = 0; i < 500 && port_ == 0; ++i, std::this_thread::sleep_for(10ms)) {
      const std::string text = sys::read_file(log_path).value_or("");
      if (const auto at = text.find(kMark); at != text.npos) port_ = std::atoi(text.c_str() + at + kMark.size());
    }
    REQUIRE(port_ != 0);
  }
  int port() const { return port_; }
  const std::string& certificate() const { return certificate_; }

 private:
  std::optional<sys::Process> process_;
  std::string certificate_;
  int port_ = 0;
};

/// Passes bytes on to a port; each of the first `breaks` connections dies after `limit` bytes in the direction that is counted.
class Cutter {
 public:
  enum class Counts { sent, received };
  Cutter(int to, int breaks, std::size_t limit, Counts counts) : to_(to), breaks_(breaks), limit_(limit), counts_(counts) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 16) != 0) std::abort();
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { accept_all(); });
  }
  ~Cutter() {
    stop_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    for (auto& thread : threads_) thread.join();
    ::close(listener_);
  }
  int port() const { return port_; }
  int cuts() const { return cuts_; }

 private:
  static sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    return address;
  }
  void accept_all() {
    for (int fd; (fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) threads_.emplace_back([this, fd] { serve(fd); });
  }
  void serve(int client) {
    const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(to_);
    std::size_t counted = 0;
    if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
      while (!stop_) {
        pollfd both[] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
        ::poll(both, 2, 100);
        if (both[0].revents && !pass(client, server, counts_ == Counts::sent, counted)) break;
        if (both[1].revents && !pass(server, client, counts_ == Counts::received, counted)) break;
      }
    // With RST, as a connection that is lost.
    const linger hard{1, 0};
    ::setsockopt(client, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    ::close(client);
    ::close(server);
  }
  bool pass(int from, int to, bool counts, std::size_t& counted) {
    char bytes[64 << 10];
    const ssize_t count = ::recv(from, bytes, sizeof bytes, 0);
    if (count <= 0) return false;
    for (ssize_t done = 0; done < count;) {
      const ssize_t sent = ::send(to, bytes + done, static_cast<std::size_t>(count - done), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      done += sent;
    }
    if (counts) counted += static_cast<std::size_t>(count);
    if (counted < limit_ || cuts_ >= breaks_) return true;
    ++cuts_;
    std::this_thread::sleep_for(50ms);   // what was passed on arrives
    return false;
  }

  int to_, breaks_, listener_ = -1, port_ = 0;
  std::size_t limit_;
  Counts counts_;
  std::atomic<int> cuts_ = 0;
  std::atomic<bool> stop_ = false;
  std::vector<std::thread> threads_;
  std::thread thread_;
};

registry::Repository open(registry::Client& client, int port, const std::string& path = "team/app") {
  const std::string address = "127.0.0.1:" + std::to_string(port);
  return client.open({.registry = address, .path = path}, registry::Access::push,
                     {{.scheme = "https", .address = address, .host = address, .path = path, .plain_http = true}});
}

oci::Descriptor descriptor(const std::string& bytes) { return {.digest = oci::Digest::of(bytes), .size = static_cast<std::int64_t>(bytes.size())}; }

}  // namespace

TEST_CASE("blobs and documents go to a real registry and back, in every way of sending") {
  if (!is_there()) return;
  support::UserEnvironment environment;
  RealRegistry server(environment);
  http::Client http;
  registry::Client client(http, registry::Hosts(), registry::Credentials());
  const auto repository = open(client, server.port());
  const std::string small = support::pattern(100), large = support::pattern(registry::kOneRequestBytes + 1000);
  struct Row {
    const std::string& bytes;
    bool known, growing;
  };
  for (const Row& row : {Row{small, true, false}, Row{large, true, false}, Row{large + "g", false, true}, Row{"", true, false}}) {
    TextBlob body(row.bytes, row.growing);
    const auto sent = repository.upload(row.known ? oci::Digest::of(row.bytes) : oci::Digest(), body, {}, {});
    REQUIRE_MESSAGE(sent, sent.error().full_text());
    CHECK(sent->how == registry::Uploaded::How::sent);
    CHECK(repository.has_blob(sent->digest, {}).value() == sent->size);
    CHECK(repository.read_small(descriptor(row.bytes), 100 << 20, {}).value_or("?") == row.bytes);
  }
  TextBlob body(large);
  CHECK(repository.upload(oci::Digest::of(large), body, {}, {})->how == registry::Uploaded::How::existed);
  const auto other = open(client, server.port(), "other/app");
  const auto mounted = other.upload(oci::Digest::of(large), body, {"team/app"}, {});
  REQUIRE_MESSAGE(mounted, mounted.error().full_text());
  CHECK(mounted->how == registry::Uploaded::How::mounted);
  CHECK(other.mount(oci::Digest::of("nothing"), "team/app", {}).value() == false);

  const std::string manifest = format(R"({{"schemaVersion":2,"mediaType":"{}","config":{{"mediaType":"{}","digest":"{}","size":{}}},"layers":[]}})", oci::kOciManifest, oci::kOciConfig,
                                      oci::Digest::of(small).str(), small.size());
  oci::Reference what{.registry = repository.registry(), .path = repository.path(), .tag = "1"};
  for (const char* tag : {"1", "2"}) {
    what.tag = tag;
    const auto put = repository.put_document(what, oci::kOciManifest, manifest, {});
    REQUIRE_MESSAGE(put, put.error().full_text());
  }
  CHECK(repository.document(what, {}).value().bytes == manifest);
  CHECK(repository.resolve(what, {}).value() == oci::Descriptor{.media_type = std::string(oci::kOciManifest), .digest = oci::Digest::of(manifest), .size = static_cast<std::int64_t>(manifest.size())});
  auto tags = repository.tags({}).value();
  std::ranges::sort(tags);
  CHECK(tags == std::vector<std::string>{"1", "2"});
  CHECK(repository.referrers(oci::Digest::of(manifest), "", {}).value().empty());
  what.digest = oci::Digest::of(manifest);
  const auto removed = repository.remove(what, {});
  CHECK_MESSAGE(removed, removed.error().full_text());
  const auto gone = repository.document(what, {});
  REQUIRE_FALSE(gone);
  CHECK(gone.error().code() == Errc::not_found);
  CHECK(gone.error().text().find("manifest unknown") != std::string::npos);
  what.path = "never/seen";
  CHECK(open(client, server.port(), "never/seen").tags({}).error().text().find("name unknown") != std::string::npos);
}

TEST_CASE("TLS: who is not trusted is named with the place for its certificate, and never asked in the clear") {
  if (!is_there()) return;
  if (!sys::find_program("openssl")) {
    MESSAGE("skipped: needs the package openssl");
    return;
  }
  support::UserEnvironment environment;
  RealRegistry server(environment, RealRegistry::Speaks::tls);
  http::Client http;
  const std::string address = "127.0.0.1:" + std::to_string(server.port()), bytes = support::pattern(1000);
  const oci::Reference name{.registry = address, .path = "team/app", .tag = "1"};
  registry::Endpoint place{.scheme = "https", .address = address, .host = address, .path = "team/app", .plain_http = true};
  const auto upload = [&] {
    registry::Client client(http, registry::Hosts(), registry::Credentials());
    TextBlob body(bytes);
    return client.open(name, registry::Access::push, {place}).upload(oci::Digest::of(bytes), body, {}, {});
  };
  auto got = upload();
  REQUIRE_FALSE(got);
  CHECK(got.error().code() == Errc::permission_denied);
  const std::string text = got.error().full_text();
  CAPTURE(text);
  CHECK(text.find("certificate of " + address + " signed by unknown authority (subject CN = Our own, issuer CN = Our own)") != std::string::npos);
  CHECK(text.find("/certs.d/" + address + "/ca.crt") != std::string::npos);
  place.verify_tls = false;
  got = upload();
  CHECK_MESSAGE(got, got.error().full_text());
  place.verify_tls = true;
  place.ca_file = server.certificate();
  got = upload();
  REQUIRE_MESSAGE(got, got.error().full_text());
  CHECK(got->how == registry::Uploaded::How::existed);
}

TEST_CASE("an upload to a real registry survives connections that are cut, and so does a download") {
  if (!is_there()) return;
  support::UserEnvironment environment;
  RealRegistry server(environment);
  http::Client http;
  support::FakeClock clock;
  registry::Client client(http, registry::Hosts(), registry::Credentials(), {}, &clock);
  const std::string bytes = support::pattern(30 << 20);
  {
    Cutter cutter(server.port(), 4, 6 << 20, Cutter::Counts::sent);
    TextBlob body(bytes);
    // This registry loses a session whose PATCH breaks (its state names the offset before): the blob is begun again.
    const auto sent = open(client, cutter.port()).upload(oci::Digest::of(bytes), body, {}, {});
    REQUIRE_MESSAGE(sent, sent.error().full_text());
    CHECK(cutter.cuts() == 4);
  }
  Cutter cutter(server.port(), 6, 4 << 20, Cutter::Counts::received);
  const auto got = open(client, cutter.port()).read_small(descriptor(bytes), 100 << 20, {});
  REQUIRE_MESSAGE(got, got.error().full_text());
  CHECK(*got == bytes);
  CHECK(cutter.cuts() == 6);
}
