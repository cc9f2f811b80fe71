// As root: a veth pair into the bridge `mica0`, masqueraded on its way out. netavark does all of that (netlink, iptables or nftables, or
// firewalld); what is left for us is what podman does for it: the namespace, and addresses that do not collide.
//
// The bridge is the machine's, so what must be agreed on is under /run/mica/network, whatever the state folder: `lock` is held while
// netavark works (it looks for rules and then adds them, which two at once do twice), and each address in use is a file of that name,
// locked as long as its process lives. The files stay: there are at most 253, and removing them would race with the next lock.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "base/format.h"
#include "base/log.h"
#include "base/sha256.h"
#include "base/text.h"
#include "json/json.h"
#include "runtime/build_networks.h"
#include "runtime/network_namespace.h"
#include "runtime/pipe.h"
#include "runtime/relay.h"
#include "runtime/subnet.h"
#include "sys/lock.h"

namespace mica::runtime {

namespace {

constexpr const char* kBridge = "mica0";
constexpr const char* kNetwork = "mica";
constexpr const char* kInterface = "eth0";
constexpr const char* kLockFolder = "/run/mica/network";
constexpr const char* kNetavark[] = {"/usr/lib/podman/netavark", "/usr/libexec/podman/netavark"};
constexpr std::size_t kMaxAnswerBytes = 64 << 10;
constexpr int kUsualMtu = 1500;

Error missing(const char* what) {
  return Error(Errc::unsupported, format("{} is not installed, and without it there is no network of its own for what runs", what))
      .with_hint(format("install it (on Debian: apt-get install {}), or use --network=host or --network=none", what));
}

Result<std::string> find_netavark() {
  for (const char* path : kNetavark)
    if (::access(path, X_OK) == 0) return std::string(path);
  auto found = sys::find_program("netavark");
  if (!found) return fail(missing("netavark"));
  return found;
}

Result<std::string> lock_folder(const std::string& state_folder) {
  if (sys::make_directories(kLockFolder, 0700)) return std::string(kLockFolder);
  std::string own = state_folder + "/network";
  TRY(sys::make_directories(own, 0700));
  return own;
}

struct Lease {
  sys::FileLock lock;
  std::string address;
};

/// Starts at random: the namespace of a process that was just killed may still answer on the address that it gave back.
Result<Lease> lease_address(const std::string& folder, const Subnet& subnet) {
  const std::uint32_t last = (std::uint32_t{1} << (32 - subnet.bits)) - 2, first = 2;   // 1 is the bridge
  const std::uint32_t count = last - first + 1, start = std::random_device{}() % count;
  for (std::uint32_t i = 0; i < count; ++i) {
    std::string address = subnet.host(first + (start + i) % count);
    auto lock = sys::FileLock::try_acquire(folder + "/" + address, sys::LockMode::exclusive);
    if (lock) return Lease{std::move(*lock), std::move(address)};
    if (lock.error().code() != Errc::conflict) return fail(std::move(lock.error()));
  }
  return failf(Errc::resource_exhausted, "all {} addresses of {} are in use", count, subnet.text());
}

/// Frames that are larger than what the way out takes would come back as errors, or vanish.
int mtu_of_way_out(std::string_view routes) {
  for (std::string_view line : split(routes, '\n')) {
    auto words = split_blanks(line);
    if (words.size() < 8 || words[1] != "00000000" || words[7] != "00000000") continue;
    auto text = sys::read_file(format("/sys/class/net/{}/mtu", words[0]), 64);
    return static_cast<int>(parse_int(trim(text.value_or(""))).value_or(kUsualMtu));
  }
  return kUsualMtu;
}

std::string configuration(const std::string& id, const Subnet& subnet, const std::string& address, int mtu) {
  auto object = [](std::initializer_list<json::Member> members) { return json::Value(json::Object(members)); };
  json::Value info = object({{"name", kNetwork}, {"id", sha256_hex(kBridge)}, {"driver", "bridge"}, {"network_interface", kBridge},
                             {"subnets", json::Array{object({{"subnet", subnet.text()}, {"gateway", subnet.host(1)}})}},
                             {"ipv6_enabled", false}, {"internal", false}, {"dns_enabled", false},
                             {"ipam_options", object({{"driver", "host-local"}})}});
  if (mtu < kUsualMtu) info.set("options", object({{"mtu", std::to_string(mtu)}}));
  return json::write(object({{"container_id", id}, {"container_name", id},
                             {"networks", object({{kNetwork, object({{"static_ips", json::from({address})}, {"interface_name", kInterface}})}})},
                             {"network_info", object({{kNetwork, info}})}}));
}

/// It calls iptables by name, and the PATH of an ordinary shell may lack the folder where that is.
std::vector<std::string> environment() {
  const char* path = std::getenv("PATH");
  return {format("PATH={}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin", path ? path : ""), "LC_ALL=C"};
}

/// Newer netavarks want a --config folder even when no name server is asked for.
Result<> run_netavark(const std::string& program, const std::string& file, const std::string& folder, const std::string& namespace_path, const task::Cancel& cancel) {
  auto out = TRY(Pipe::open());
  auto err = TRY(Pipe::open());
  sys::Spawn spawn{.argv = {program, "--file", file, "--config", folder, "setup", namespace_path}, .env = environment(), .stdout_fd = out.writer.get(),
                   .stderr_fd = err.writer.get()};
  auto process = TRY(sys::Process::start(spawn));
  out.writer.reset();
  err.writer.reset();
  std::string said[2];
  auto exit = TRY(relay_pipes(process, out.reader, err.reader,
                              [&](int stream, std::string_view bytes) {
                                std::string& text = said[stream - 1];
                                text.append(bytes.substr(0, kMaxAnswerBytes - std::min(text.size(), kMaxAnswerBytes)));
                              },
                              cancel.fd()));
  if (exit.status == 0) return {};
  auto answer = json::parse(said[0]);
  std::string why = answer ? answer->string_or("error") : "";
  if (why.empty()) why = trim(said[1].empty() ? said[0] : said[1]);
  return fail(Error(Errc::unavailable, format("netavark: {}", why.empty() ? format("exit status {}", exit.status) : why))
                  .with_hint("--network=host does without a network of its own"));
}

class BridgeNetwork : public BuildNetwork {
 public:
  BridgeNetwork(Lease lease, NetworkNamespace name_space, std::string gateway)
      : lease_(std::move(lease)), namespace_(std::move(name_space)), gateway_(std::move(gateway)) {}
  const std::string& namespace_path() const override { return namespace_.path(); }
  std::vector<std::string> nameservers() const override { return {}; }
  std::string gateway() const override { return gateway_; }
  std::string address() const override { return lease_.address; }

 private:
  Lease lease_;                  // given back after the namespace is gone
  NetworkNamespace namespace_;
  std::string gateway_;
};

}  // namespace

Result<std::unique_ptr<BuildNetwork>> make_bridge_network(const std::string& state_folder, const std::string& temporary, const task::Cancel& cancel) {
  const std::string program = TRY(find_netavark());
  if (!sys::find_program("iptables") && !sys::find_program("nft")) return fail(missing("iptables"));
  const std::string folder = TRY(lock_folder(state_folder));
  const std::string id = "mica-" + random_hex(8);
  auto name_space = TRY(NetworkNamespace::create(temporary + "/" + id + ".net"));

  auto lock = TRY(sys::FileLock::acquire(folder + "/lock", sys::LockMode::exclusive, cancel.fd()));
  const std::string routes = sys::read_file("/proc/net/route", 1 << 20).value_or("");
  const auto subnet = choose_subnet(routes, kBridge);
  if (!subnet) return fail(Error(Errc::resource_exhausted, "no private subnet is free for the network of what runs").with_hint("use --network=host"));
  auto lease = TRY(lease_address(folder, *subnet));
  const std::string file = temporary + "/" + id + ".json";
  TRY(sys::write_file(file, configuration(id, *subnet, lease.address, mtu_of_way_out(routes)), 0600));
  auto done = run_netavark(program, file, folder, name_space.path(), cancel);
  ::unlink(file.c_str());
  TRY(std::move(done));
  log::debug("network address={} namespace={}", lease.address, name_space.path());
  return std::make_unique<BridgeNetwork>(std::move(lease), std::move(name_space), subnet->host(1));
}

}  // namespace mica::runtime
