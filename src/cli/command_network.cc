#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/each_name.h"
#include "container/network_subnets.h"
#include "engine/interrupt.h"
#include "engine/networks.h"

namespace mica::cli {
namespace {

constexpr Flag kCreateFlags[] = {
    {"attachable", 0, "", "Enable manual container attachment"},
    {"aux-address", 0, "map", "Auxiliary IPv4 or IPv6 addresses used by Network driver"},
    {"config-from", 0, "string", "", "mica has no swarm"},
    {"config-only", 0, "", "", "mica has no swarm"},
    {"driver", 'd', "string", "Driver to manage the Network (bridge, macvlan, ipvlan;\ndefault \"bridge\")"},
    {"gateway", 0, "ipSlice", "IPv4 or IPv6 Gateway for the master subnet"},
    {"ingress", 0, "", "", "mica has no swarm"},
    {"internal", 0, "", "Restrict external access to the network"},
    {"ip-range", 0, "ipNetSlice", "Allocate container ip from a sub-range"},
    {"ipam-driver", 0, "string", "IP Address Management Driver (default)"},
    {"ipam-opt", 0, "map", "", "the default IPAM driver has no options"},
    {"ipv4", 0, "", "Enable or disable IPv4 address assignment (default true)"},
    {"ipv6", 0, "", "Enable or disable IPv6 address assignment"},
    {"label", 0, "list", "Set metadata on a network"},
    {"opt", 'o', "map", "Set driver specific options"},
    {"scope", 0, "string", "Control the network's scope (local)"},
    {"subnet", 0, "strings", "Subnet in CIDR format that represents a network segment"},
};
constexpr Flag kConnectFlags[] = {
    {"alias", 0, "strings", "Add network-scoped alias for the container"},
    {"driver-opt", 0, "strings", "driver options for the network"},
    {"gw-priority", 0, "int", "Highest gw-priority provides the default gateway. Accepts\npositive and negative values."},
    {"ip", 0, "ip", "IPv4 address (e.g., \"172.30.100.104\")"},
    {"ip6", 0, "ip", "IPv6 address (e.g., \"2001:db8::33\")"},
    {"link", 0, "list", "Add link to another container"},
    {"link-local-ip", 0, "ipSlice", "Add a link-local address for the container"},
};
constexpr Flag kDisconnectFlags[] = {{"force", 'f', "", "Force the container to disconnect from a network"}};
constexpr Flag kRmFlags[] = {{"force", 'f', "", "Do not error if the network does not exist"}};
constexpr Flag kPruneFlags[] = {
    {"filter", 0, "filter", "Provide filter values (e.g. \"until=<timestamp>\")"},
    {"force", 'f', "", "Do not prompt for confirmation"},
};

container::Pairs pairs_of(const std::vector<std::string>& words) {
  container::Pairs out;
  for (const auto& word : words) {
    const auto parts = split_once(word, '=');
    out.emplace_back(parts ? parts->first : word, parts ? parts->second : "");
  }
  return out;
}

std::vector<std::string> commas(const std::vector<std::string>& words) {
  std::vector<std::string> out;
  for (const auto& word : words)
    for (const auto one : split(word, ',')) out.emplace_back(one);
  return out;
}

Result<int> run_create(Context& context) {
  const Args& args = context.args;
  if (args.has("scope") && args.text("scope") != "local") return failf(Errc::unsupported, "scope {} is not supported: networks are local", quoted(args.text("scope")));
  if (args.has("ipam-driver") && args.text("ipam-driver") != "default") return failf(Errc::unsupported, "IPAM driver {} is not supported: use default", quoted(args.text("ipam-driver")));
  container::NetworkRow wanted{.name = args.positional(0), .driver = args.text("driver", "bridge"), .internal = args.flag("internal"), .attachable = args.flag("attachable"),
                               .ipv4 = args.flag("ipv4", true), .ipv6 = args.flag("ipv6"), .options = pairs_of(args.list("opt")), .labels = pairs_of(args.list("label"))};
  wanted.subnets = TRY(container::gather_subnets(commas(args.list("subnet")), commas(args.list("ip-range")), commas(args.list("gateway")), pairs_of(args.list("aux-address"))));
  if (std::ranges::any_of(wanted.subnets, [](const auto& subnet) { return subnet.subnet.find(':') != subnet.subnet.npos; })) wanted.ipv6 = true;
  const auto interrupt = TRY(engine::Interrupt::install());
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  const auto made = TRY(engine::make_network(*engine, std::move(wanted), interrupt.cancel()));
  TRY(print(made.id + "\n"));
  return 0;
}

Result<int> run_connect(Context& context) {
  const Args& args = context.args;
  container::Endpoint endpoint{.aliases = commas(args.list("alias")), .links = args.list("link"), .ipv4 = args.text("ip"), .ipv6 = args.text("ip6"),
                               .link_local_ips = commas(args.list("link-local-ip")), .driver_options = pairs_of(args.list("driver-opt"))};
  if (args.has("gw-priority")) {
    const auto priority = parse_int(args.text("gw-priority"));
    if (!priority) return failf(Errc::invalid_argument, "invalid argument {} for \"--gw-priority\" flag: a number is expected", quoted(args.text("gw-priority")));
    endpoint.gateway_priority = static_cast<int>(*priority);
  }
  const auto interrupt = TRY(engine::Interrupt::install());
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  TRY(engine::connect_network(*engine, args.positional(0), args.positional(1), std::move(endpoint), interrupt.cancel()));
  return 0;
}

Result<int> run_disconnect(Context& context) {
  const auto interrupt = TRY(engine::Interrupt::install());
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  TRY(engine::disconnect_network(*engine, context.args.positional(0), context.args.positional(1), context.args.flag("force"), interrupt.cancel()));
  return 0;
}

Result<int> run_rm(Context& context) {
  const auto interrupt = TRY(engine::Interrupt::install());
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  return for_each_name(context, [&](const std::string& name) -> Result<std::string> {
    const auto removed = engine::remove_network(*engine, name, interrupt.cancel());
    if (!removed && context.args.flag("force") && removed.error().code() == Errc::not_found) return std::string();
    if (!removed) return fail(removed.error());
    return name;
  });
}

Result<int> run_prune(Context& context) {
  const Args& args = context.args;
  if (!args.flag("force") && !confirm("WARNING! This will remove all custom networks not used by at least one container.\nAre you sure you want to continue?")) return 0;
  const auto interrupt = TRY(engine::Interrupt::install());
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  const auto removed = TRY(engine::prune_networks(*engine, {.filters = args.list("filter")}, interrupt.cancel()));
  if (removed.empty()) return 0;
  std::string text = "Deleted Networks:\n";
  for (const auto& name : removed) text += name + "\n";
  TRY(print(text + "\n"));
  return 0;
}

}  // namespace

constinit const Command kNetworkCreate{.usage = "[OPTIONS] NETWORK", .summary = "Create a network", .aliases = {}, .flags = kCreateFlags, .least = 1, .most = 1, .run = run_create};
constinit const Command kNetworkConnect{
    .usage = "[OPTIONS] NETWORK CONTAINER", .summary = "Connect a container to a network", .aliases = {}, .flags = kConnectFlags, .least = 2, .most = 2, .run = run_connect};
constinit const Command kNetworkDisconnect{
    .usage = "[OPTIONS] NETWORK CONTAINER", .summary = "Disconnect a container from a network", .aliases = {}, .flags = kDisconnectFlags, .least = 2, .most = 2, .run = run_disconnect};
constinit const Command kNetworkRm{
    .usage = "NETWORK [NETWORK...]", .summary = "Remove one or more networks", .aliases = "mica network rm, mica network remove", .flags = kRmFlags, .least = 1, .run = run_rm};
constinit const Command kNetworkPrune{.usage = "[OPTIONS]", .summary = "Remove all unused networks", .aliases = {}, .flags = kPruneFlags, .least = 0, .most = 0, .run = run_prune};

}  // namespace mica::cli
