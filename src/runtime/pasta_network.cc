// Without root: pasta, a process that is the other end of the namespace's interface and opens ordinary sockets for what comes out of
// it. The namespace gets the addresses and routes of the machine, so the machine itself cannot be reached under its own address.
#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "base/format.h"
#include "base/text.h"
#include "runtime/build_networks.h"
#include "runtime/network_namespace.h"
#include "runtime/subnet.h"
#include "sys/fd.h"
#include "sys/process.h"

namespace mica::runtime {

namespace {

constexpr const char* kTun = "/dev/net/tun";
constexpr std::size_t kMaxWordsBytes = 64 << 10;
constexpr auto kLook = std::chrono::milliseconds(1);
constexpr int kMaxLooks = 10'000;
constexpr std::uint16_t kAnyPort = 53;

/// pasta runs as long as this lives. It is started by a thread that lives as long too: a child is told to die with the thread that
/// made it, and the one that makes the network may be lent for an hour only.
class Pasta {
 public:
  Pasta(sys::Spawn spawn, sys::Fd errors, sys::Fd stop) : spawn_(std::move(spawn)), errors_(std::move(errors)), stop_(std::move(stop)) {
    spawn_.stderr_fd = errors_.get();
    thread_ = std::thread([this] { run(); });
  }
  ~Pasta() {
    ::eventfd_write(stop_.get(), 1);
    thread_.join();
  }
  Pasta(const Pasta&) = delete;
  bool has_ended() const { return ended_; }

 private:
  void run() {
    if (auto process = sys::Process::start(spawn_)) {
      auto exit = process->wait(stop_.get());
      (void)exit;   // what it said is in the file
    }
    ended_ = true;
  }

  sys::Spawn spawn_;
  sys::Fd errors_, stop_;
  std::atomic<bool> ended_ = false;
  std::thread thread_;
};

class PastaNetwork : public BuildNetwork {
 public:
  PastaNetwork(NetworkNamespace name_space, std::unique_ptr<Pasta> pasta, std::string gateway, std::string address, bool dns_by_gateway)
      : namespace_(std::move(name_space)), pasta_(std::move(pasta)), gateway_(std::move(gateway)), address_(std::move(address)), dns_by_gateway_(dns_by_gateway) {}
  const std::string& namespace_path() const override { return namespace_.path(); }
  std::vector<std::string> nameservers() const override {
    if (dns_by_gateway_) return {gateway_};
    return {};
  }
  std::string gateway() const override { return gateway_; }
  std::string address() const override { return address_; }

 private:
  NetworkNamespace namespace_;
  std::unique_ptr<Pasta> pasta_;
  std::string gateway_, address_;
  bool dns_by_gateway_;
};

/// The machine's own address on the way to `gateway`, which is the one that pasta gives to the namespace; "" when there is none. A datagram
/// socket finds it without sending anything.
std::string address_towards(const std::string& gateway) {
  sockaddr_in there{.sin_family = AF_INET, .sin_port = htons(kAnyPort), .sin_addr = {}, .sin_zero = {}}, here{};
  socklen_t length = sizeof here;
  char text[INET_ADDRSTRLEN] = {};
  const sys::Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket || ::inet_pton(AF_INET, gateway.c_str(), &there.sin_addr) != 1) return {};
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&there), sizeof there) != 0) return {};
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&here), &length) != 0) return {};
  return ::inet_ntop(AF_INET, &here.sin_addr, text, sizeof text) ? text : "";
}

/// Its last line that is not about the system's log, which it tries to write to first.
std::string words_of(const std::string& file) {
  std::string last;
  const std::string text = sys::read_file(file, kMaxWordsBytes).value_or("");
  for (std::string_view line : split(text, '\n'))
    if (!trim(line).empty() && line.find("to syslog") == line.npos) last = trim(line);
  return last.empty() ? "it ended without a word" : last;
}

/// The file with its process id appears when the interface is configured.
Result<> await_ready(const Pasta& pasta, const std::string& ready, const std::string& errors, const task::Cancel& cancel) {
  for (int i = 0; i < kMaxLooks; ++i) {
    TRY(cancel.check());
    if (!sys::read_file(ready, 64).value_or("").empty()) return {};
    if (pasta.has_ended())
      return fail(Error(Errc::unavailable, format("pasta: {}", words_of(errors))).with_hint("--network=host does without a network of its own"));
    std::this_thread::sleep_for(kLook);
  }
  return fail(Errc::unavailable, "pasta has not set up the network within 10 seconds");
}

}  // namespace

Result<std::unique_ptr<BuildNetwork>> make_pasta_network(const std::string& temporary, const task::Cancel& cancel, const NetworkOptions& options) {
  if (!sys::find_program("pasta"))
    return fail(Error(Errc::unsupported, "pasta is not installed, and without it or root there is no network of its own for what runs")
                    .with_hint("install it (on Debian: apt-get install passt), or use --network=host or --network=none"));
  if (::access(kTun, R_OK | W_OK) != 0)
    return fail(Error::os(errno, format("opening {} for pasta", kTun)).with_code(Errc::unsupported).with_hint("load the module tun, make the device "
                "readable and writable for all, or use --network=host"));
  const std::string id = "mica-" + random_hex(8), base = temporary + "/" + id;
  const std::string gateway = default_gateway(sys::read_file("/proc/net/route", 1 << 20).value_or(""));
  // The only nameservers are on the host's loopback: pasta maps the gateway's address to that.
  const bool dns_by_gateway = reachable_nameservers().empty() && !gateway.empty();
  auto name_space = TRY(NetworkNamespace::create(base + ".net"));
  auto errors = TRY(sys::open(base + ".err", O_CREAT | O_TRUNC | O_WRONLY | O_APPEND, 0600));
  sys::Fd stop(::eventfd(0, EFD_CLOEXEC));
  if (!stop) return fail_errno("making an event");
  sys::Spawn spawn{.argv = {"pasta", "--config-net", "--foreground", "--quiet", "--netns-only", "--netns", name_space.path(), "--pid", base + ".pid",
                            // No ports of one side appear on the other.
                            "-t", "none", "-u", "none", "-T", "none", "-U", "none"}};
  if (!options.reach_host && !dns_by_gateway) spawn.argv.emplace_back("--no-map-gw");
  auto pasta = std::make_unique<Pasta>(std::move(spawn), std::move(errors), std::move(stop));
  auto ready = await_ready(*pasta, base + ".pid", base + ".err", cancel);
  ::unlink((base + ".pid").c_str());
  ::unlink((base + ".err").c_str());
  TRY(std::move(ready));
  return std::make_unique<PastaNetwork>(std::move(name_space), std::move(pasta), gateway, address_towards(gateway), dns_by_gateway);
}

}  // namespace mica::runtime
