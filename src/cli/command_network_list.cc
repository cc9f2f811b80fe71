#include "base/format.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/commands.h"
#include "cli/list_format.h"
#include "engine/networks.h"

namespace mica::cli {
namespace {

constexpr std::size_t kShortDigits = 12;
constexpr Flag kListFlags[] = {
    {"filter", 'f', "filter", "Provide filter values (e.g. \"driver=bridge\")"},
    {"format", 0, "string", kFormatHelp},
    {"no-trunc", 0, "", "Do not truncate the output"},
    {"quiet", 'q', "", "Only display network IDs"},
};
constexpr Column kColumns[] = {
    {"CreatedAt", "CREATED AT"}, {"Driver", "DRIVER"}, {"ID", "NETWORK ID"}, {"IPv4", "IPV4"},   {"IPv6", "IPV6"},
    {"Internal", "INTERNAL"},    {"Labels", "LABELS"}, {"Name", "NAME"},     {"Scope", "SCOPE"},
};

std::string word(bool value) { return value ? "true" : "false"; }

json::Value row_of(const container::NetworkRow& network, bool full) {
  std::string labels;
  for (const auto& [key, value] : network.labels) labels += format("{}{}={}", labels.empty() ? "" : ",", key, value);
  return json::Object{{"CreatedAt", docker_time(network.created)}, {"Driver", network.driver}, {"ID", full ? network.id : network.id.substr(0, kShortDigits)}, {"IPv4", word(network.ipv4)},
                      {"IPv6", word(network.ipv6)}, {"Internal", word(network.internal)}, {"Labels", labels}, {"Name", network.name}, {"Scope", "local"}};
}

Result<int> run_list(Context& context) {
  const Args& args = context.args;
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  const auto networks = TRY(engine::list_networks(*engine, args.list("filter")));
  std::vector<json::Value> rows;
  for (const auto& network : networks) rows.push_back(row_of(network, args.flag("no-trunc")));
  const ListStyle style{.table = "table {{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}", .columns = kColumns, .type_name = "*formatter.networkContext"};
  const std::string text = TRY(render_list(style, args.flag("quiet") && !args.has("format") ? "{{.ID}}" : args.text("format"), rows));
  TRY(print(text));
  return 0;
}

}  // namespace

constinit const Command kNetworkLs{.usage = "[OPTIONS]", .summary = "List networks", .aliases = "mica network ls, mica network list", .flags = kListFlags, .least = 0, .most = 0, .run = run_list};

}  // namespace mica::cli
