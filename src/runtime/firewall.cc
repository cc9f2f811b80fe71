#include "runtime/firewall.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "base/format.h"
#include "base/log.h"
#include "base/text.h"
#include "runtime/netlink.h"
#include "runtime/pipe.h"
#include "runtime/relay.h"
#include "sys/process.h"

namespace mica::runtime {

namespace {

constexpr std::size_t kMaxWordsBytes = 16 << 10;

/// Modules and the lock file may be where an ordinary shell's PATH does not lead.
std::vector<std::string> environment() {
  const char* path = std::getenv("PATH");
  return {format("PATH={}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin", path ? path : ""), "LC_ALL=C"};
}

Result<std::string> program(bool v6, const char* suffix) {
  const std::string name = std::string(v6 ? "ip6tables" : "iptables") + suffix;
  auto found = sys::find_program(name);
  if (!found)
    return fail(Error(Errc::unsupported, format("{} is not installed, and without it containers have no network of their own", name))
                    .with_hint("install it (on Debian: apt-get install iptables), or use --network=host or --network=none"));
  return found;
}

struct Ran {
  int status = 0;
  std::string words;
};

Result<Ran> run(const sys::Fd& name_space, const std::vector<std::string>& argv, std::string_view input) {
  Result<Ran> out = fail(Errc::internal, "running iptables");
  TRY(in_namespace(name_space, [&] {
    out = [&]() -> Result<Ran> {
      auto in = TRY(Pipe::open());
      auto err = TRY(Pipe::open());
      // The rules are few: they fit into the pipe, which need not be served.
      ::fcntl(in.writer.get(), F_SETPIPE_SZ, static_cast<int>(std::max<std::size_t>(input.size() + 1, 4096)));
      TRY(sys::write_all(in.writer, input));
      in.writer.reset();
      sys::Spawn spawn{.argv = argv, .env = environment(), .stdin_fd = in.reader.get(), .stdout_fd = err.writer.get(), .stderr_fd = err.writer.get()};
      auto process = TRY(sys::Process::start(spawn));
      err.writer.reset();
      Ran ran;
      const auto exit = TRY(relay_pipes(process, {}, err.reader, [&](int, std::string_view bytes) { ran.words.append(bytes.substr(0, kMaxWordsBytes - std::min(ran.words.size(), kMaxWordsBytes))); }, -1));
      ran.status = exit.status;
      return ran;
    }();
  }));
  return out;
}

Result<> restore(const sys::Fd& name_space, bool v6, const std::string& text) {
  const std::string restore_program = TRY(program(v6, "-restore"));
  const auto ran = TRY(run(name_space, {restore_program, "--wait", "--noflush"}, text));
  if (ran.status == 0) return {};
  return fail(Error(Errc::unavailable, format("{}: {}", base_name(restore_program), trim(ran.words))).with_hint("--network=host does without a network of its own"));
}

std::string line(const FirewallRule& rule, const char* action) { return format("{} {} {}\n", action, rule.chain, rule.rule); }

/// A script that does `action` to rules of one family: a section a table.
template <class Action>
std::string script(const std::vector<FirewallRule>& rules, bool v6, Action action) {
  std::map<std::string, std::string> tables;
  for (const auto& rule : rules)
    if (rule.v6 == v6) tables[rule.table] += line(rule, action(rule));
  std::string out;
  for (const auto& [table, lines] : tables) out += format("*{}\n{}COMMIT\n", table, lines);
  return out;
}

bool any(const std::vector<FirewallRule>& rules, bool v6) {
  return std::any_of(rules.begin(), rules.end(), [&](const auto& rule) { return rule.v6 == v6; });
}

}  // namespace

json::Value to_json(const std::vector<FirewallRule>& rules) {
  json::Array out;
  for (const auto& rule : rules)
    out.emplace_back(json::Object{{"v6", rule.v6}, {"first", rule.first}, {"table", rule.table}, {"chain", rule.chain}, {"rule", rule.rule}});
  return out;
}

std::vector<FirewallRule> rules_from_json(const json::Value* value) {
  std::vector<FirewallRule> out;
  if (!value || !value->is_array()) return out;
  for (const auto& rule : value->as_array())
    out.push_back({rule.bool_or("v6"), rule.bool_or("first"), rule.string_or("table"), rule.string_or("chain"), rule.string_or("rule")});
  return out;
}

Result<> prepare_firewall(const sys::Fd& name_space, bool v6) {
  const std::string check = TRY(program(v6, ""));
  const auto there = TRY(run(name_space, {check, "--wait", "-t", "nat", "-C", "POSTROUTING", "-j", "MICA-OUT"}, ""));
  if (there.status == 0) return {};
  const std::string_view loopback = v6 ? "::1/128" : "127.0.0.0/8";
  return restore(name_space, v6,
                 format("*filter\n:MICA-FORWARD - [0:0]\n:MICA-ISOLATE - [0:0]\n:MICA-ISOLATE-TO - [0:0]\n:MICA-INTO - [0:0]\n"
                        "-A MICA-FORWARD -j MICA-ISOLATE\n-I FORWARD -j MICA-FORWARD\nCOMMIT\n"
                        "*nat\n:MICA-PORTS - [0:0]\n:MICA-OUT - [0:0]\n-A PREROUTING -m addrtype --dst-type LOCAL -j MICA-PORTS\n"
                        "-A OUTPUT ! -d {} -m addrtype --dst-type LOCAL -j MICA-PORTS\n-A POSTROUTING -j MICA-OUT\nCOMMIT\n", loopback));
}

Result<> add_rules(const sys::Fd& name_space, const std::vector<FirewallRule>& rules) {
  for (const bool v6 : {false, true})
    if (any(rules, v6)) TRY(restore(name_space, v6, script(rules, v6, [](const FirewallRule& rule) { return rule.first ? "-I" : "-A"; })));
  return {};
}

void remove_rules(const sys::Fd& name_space, const std::vector<FirewallRule>& rules) {
  for (const bool v6 : {false, true}) {
    if (!any(rules, v6)) continue;
    if (restore(name_space, v6, script(rules, v6, [](const FirewallRule&) { return "-D"; }))) continue;
    // All or nothing: one that is missing keeps the others.
    const auto single = program(v6, "");
    for (const auto& rule : rules) {
      if (rule.v6 != v6 || !single) continue;
      std::vector<std::string> argv{*single, "--wait", "-t", rule.table, "-D", rule.chain};
      for (const auto word : split_blanks(rule.rule)) argv.emplace_back(word);
      if (auto ran = run(name_space, argv, ""); !ran) log::debug("removing a rule: {}", ran.error().text());
    }
  }
}

std::vector<FirewallRule> bridge_rules(const BridgeRules& of) {
  std::vector<FirewallRule> out;
  const auto add = [&](bool first, const char* table, const char* chain, std::string rule) { out.push_back({of.v6, first, table, chain, std::move(rule)}); };
  const std::string& name = of.bridge;
  if (of.internal) {
    add(true, "filter", "MICA-ISOLATE", format("! -s {} -o {} -j DROP", of.subnet, name));
    add(true, "filter", "MICA-ISOLATE", format("! -d {} -i {} -j DROP", of.subnet, name));
  }
  add(true, "filter", "MICA-ISOLATE", format("-i {} ! -o {} -j MICA-ISOLATE-TO", name, name));
  add(true, "filter", "MICA-ISOLATE-TO", format("-o {} -j DROP", name));
  add(false, "filter", "MICA-FORWARD", format("-o {} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", name));
  add(false, "filter", "MICA-FORWARD", format("! -i {} -o {} -j MICA-INTO", name, name));
  add(false, "filter", "MICA-FORWARD", format("-i {} -o {} -j {}", name, name, of.between_containers ? "ACCEPT" : "DROP"));
  add(false, "filter", "MICA-FORWARD", format("-i {} ! -o {} -j ACCEPT", name, name));
  add(false, "filter", "MICA-INTO", format("-o {} -j DROP", name));
  // To a published port, containers go through the proxy: it reaches other bridges, and the way back is the way there.
  add(true, "nat", "MICA-PORTS", format("-i {} -j RETURN", name));
  if (!of.internal && of.masquerade) add(false, "nat", "MICA-OUT", format("-s {} ! -o {} -j MASQUERADE", of.subnet, name));
  return out;
}

std::vector<FirewallRule> port_rules(const PortRules& port) {
  const std::string to = port.host_address.empty() ? "" : format("-d {} ", port.host_address);
  const std::string target = port.v6 ? format("[{}]:{}", port.address, port.port) : format("{}:{}", port.address, port.port);
  return {{port.v6, false, "nat", "MICA-PORTS", format("{}-p {} -m {} --dport {} -j DNAT --to-destination {}", to, port.protocol, port.protocol, port.host_port, target)},
          {port.v6, true, "filter", "MICA-INTO", format("-d {} -o {} -p {} -m {} --dport {} -j ACCEPT", port.address, port.bridge, port.protocol, port.protocol, port.port)}};
}

}  // namespace mica::runtime
