#include "base/format.h"
#include "base/text.h"
#include "cli/commands.h"
#include "engine/containers.h"

namespace mica::cli {
namespace {

std::string shown(const json::Value& binding) {
  const std::string address = binding.string_or("HostIp");
  return format("{}:{}", address.find(':') == address.npos ? address : "[" + address + "]", binding.string_or("HostPort"));
}

Result<int> run(Context& context) {
  const Args& args = context.args;
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  const auto row = TRY(engine::find_container(*engine, args.positional(0)));
  const auto settings = row.state.network.empty() ? Result<json::Value>(json::Value()) : json::parse(row.state.network);
  const json::Value* ports = settings ? settings->find("Ports") : nullptr;
  std::string wanted;
  if (args.positionals().size() > 1) {
    wanted = args.positional(1);
    const auto parts = split_once(wanted, '/');
    const auto number = parse_int(parts ? parts->first : std::string_view(wanted));
    if (!number || *number < 1 || *number > 65535) return failf(Errc::invalid_argument, "invalid port {}: a number, or one with its protocol such as 53/udp", quoted(wanted));
    if (!parts) wanted += "/tcp";
  }
  std::string text;
  if (ports && ports->is_object())
    for (const auto& [name, bindings] : ports->as_object()) {
      if (!bindings.is_array() || (!wanted.empty() && name != wanted)) continue;
      for (const auto& binding : bindings.as_array()) text += wanted.empty() ? format("{} -> {}\n", name, shown(binding)) : shown(binding) + "\n";
    }
  if (!wanted.empty() && text.empty()) return failf(Errc::not_found, "No public port '{}' published for {}", wanted, args.positional(0));
  TRY(print(text));
  return 0;
}

}  // namespace

constinit const Command kPort{.usage = "CONTAINER [PRIVATE_PORT[/PROTO]]",
                              .summary = "List port mappings or a specific mapping for the container",
                              .aliases = "mica container port, mica port",
                              .flags = {},
                              .least = 1,
                              .most = 2,
                              .run = run};

}  // namespace mica::cli
