#include "runtime/seccomp.h"

#include <sys/utsname.h>
#include <sys/wait.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <set>

#include "base/format.h"
#include "base/text.h"
#include "runtime/seccomp_table.h"

namespace mica::runtime {

namespace {

constexpr int kVsock = 40;                             // AF_VSOCK reaches the hypervisor, past every network namespace
constexpr std::int64_t kNamespaceFlags = 0x7E020000;   // CLONE_NEW*: all of them
constexpr std::int64_t kPersonalities[] = {0x0, 0x8, 0x20000, 0x20008, 0xffffffff};
constexpr int kNoSuchCall = 38;                        // ENOSYS: clone3 hides its flags from filters, so programs fall back to clone
constexpr const char* kAllow = "SCMP_ACT_ALLOW";

bool has(const std::vector<std::string>& all, std::string_view one) { return std::find(all.begin(), all.end(), one) != all.end(); }

json::Value architectures(const SeccompFacts& facts) {
  json::Value out = json::Value::array();
  if (facts.architecture == "amd64") {
    out.push("SCMP_ARCH_X86_64");
    out.push("SCMP_ARCH_X86");
    if (facts.x32) out.push("SCMP_ARCH_X32");
  } else if (facts.architecture == "arm64") {
    out.push("SCMP_ARCH_AARCH64");
    out.push("SCMP_ARCH_ARM");
  }
  return out;
}

json::Value rule(const std::vector<std::string>& names, const char* action) {
  json::Value out = json::Value::object();
  out.set("names", json::from(names));
  out.set("action", action);
  return out;
}

json::Value rule_on_first_argument(const char* name, std::int64_t value, std::int64_t second, const char* op) {
  json::Value argument = json::Value::object();
  argument.set("index", 0);
  argument.set("value", value);
  if (second) argument.set("valueTwo", second);
  argument.set("op", op);
  json::Value out = rule({name}, kAllow);
  out.set("args", json::Array{argument});
  return out;
}

bool is_before(const SeccompFacts& facts, std::string_view wanted) {
  auto parts = split(wanted, '.');
  auto major = parse_int(parts[0]).value_or(0);
  auto minor = parts.size() > 1 ? parse_int(parts[1]).value_or(0) : 0;
  return facts.kernel_major < major || (facts.kernel_major == major && facts.kernel_minor < minor);
}

bool applies(const json::Value& entry, const SeccompFacts& facts) {
  if (const auto* excludes = entry.find("excludes")) {
    if (has(excludes->strings("arches"), facts.architecture)) return false;
    for (const std::string& capability : excludes->strings("caps"))
      if (has(facts.capabilities, capability)) return false;
    if (auto kernel = excludes->string_or("minKernel"); !kernel.empty() && !is_before(facts, kernel)) return false;
  }
  if (const auto* includes = entry.find("includes")) {
    auto arches = includes->strings("arches");
    if (!arches.empty() && !has(arches, facts.architecture)) return false;
    for (const std::string& capability : includes->strings("caps"))
      if (!has(facts.capabilities, capability)) return false;
    if (auto kernel = includes->string_or("minKernel"); !kernel.empty() && is_before(facts, kernel)) return false;
  }
  return true;
}

json::Value profile_architectures(const json::Value& profile, const SeccompFacts& facts) {
  if (const auto* listed = profile.find("architectures"); listed && listed->is_array() && !listed->as_array().empty()) return *listed;
  std::string native = facts.architecture == "arm64" ? "SCMP_ARCH_AARCH64" : "SCMP_ARCH_X86_64";
  json::Value out = json::Value::array();
  const auto* map = profile.find("archMap");
  if (!map || !map->is_array()) return out;
  for (const json::Value& entry : map->as_array()) {
    if (entry.string_or("architecture") != native) continue;
    out.push(native);
    for (const std::string& name : entry.strings("subArchitectures"))
      if (name != "SCMP_ARCH_X32" || facts.x32) out.push(name);
  }
  return out;
}

}  // namespace

SeccompFacts seccomp_facts(std::vector<std::string> capabilities) {
  SeccompFacts facts{.capabilities = std::move(capabilities)};
#if defined(__x86_64__)
  facts.architecture = "amd64";
#elif defined(__aarch64__)
  facts.architecture = "arm64";
#endif
  struct utsname name {};
  ::uname(&name);
  std::sscanf(name.release, "%d.%d", &facts.kernel_major, &facts.kernel_minor);
  return facts;
}

bool kernel_has_x32() {
#if defined(__x86_64__)
  constexpr long kX32GetPid = 0x40000000L | 39;
  pid_t child = ::fork();
  if (child == 0) ::_exit(::syscall(kX32GetPid) > 0 ? 0 : 1);
  int status = 1;
  return child > 0 && ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
#else
  return false;
#endif
}

json::Value default_seccomp(const SeccompFacts& facts) {
  std::set<std::string> names;
  auto add = [&](std::string_view text) {
    for (std::string_view name : split_blanks(text)) names.emplace(name);
  };
  add(kSeccompAlways);
  for (std::size_t i = 0; i < kSeccompArchitectureCount; ++i)
    if (kSeccompByArchitecture[i].architecture == facts.architecture) add(kSeccompByArchitecture[i].names);
  for (std::size_t i = 0; i < kSeccompCapabilityCount; ++i)
    if (has(facts.capabilities, kSeccompByCapability[i].capability)) add(kSeccompByCapability[i].names);

  json::Value calls = json::Value::array();
  calls.push(rule({names.begin(), names.end()}, kAllow));
  calls.push(rule_on_first_argument("socket", kVsock, 0, "SCMP_CMP_NE"));
  for (std::int64_t value : kPersonalities) calls.push(rule_on_first_argument("personality", value, 0, "SCMP_CMP_EQ"));
  if (!has(facts.capabilities, "CAP_SYS_ADMIN")) {
    calls.push(rule_on_first_argument("clone", kNamespaceFlags, 0, "SCMP_CMP_MASKED_EQ"));
    json::Value clone3 = rule({"clone3"}, "SCMP_ACT_ERRNO");
    clone3.set("errnoRet", kNoSuchCall);
    calls.push(std::move(clone3));
  }

  json::Value out = json::Value::object();
  out.set("defaultAction", "SCMP_ACT_ERRNO");
  out.set("defaultErrnoRet", 1);
  out.set("architectures", architectures(facts));
  out.set("syscalls", std::move(calls));
  return out;
}

Result<json::Value> seccomp_from_profile(std::string_view text, const SeccompFacts& facts) {
  auto parsed = json::parse(text);
  if (!parsed) return fail(std::move(parsed.error()).doing("reading the seccomp profile").with_code(Errc::invalid_argument));
  if (parsed->string_or("defaultAction").empty()) return fail(Errc::invalid_argument, "the seccomp profile has no defaultAction");
  if (const auto* listed = parsed->find("architectures"), *map = parsed->find("archMap");
      listed && listed->is_array() && !listed->as_array().empty() && map && map->is_array() && !map->as_array().empty())
    return fail(Errc::invalid_argument, "a seccomp profile may have `architectures` or `archMap`, not both");

  json::Value calls = json::Value::array();
  if (const auto* entries = parsed->find("syscalls"); entries && entries->is_array()) {
    for (const json::Value& entry : entries->as_array()) {
      if (!applies(entry, facts)) continue;
      auto names = entry.strings("names");
      if (auto name = entry.string_or("name"); !name.empty()) {
        if (!names.empty()) return fail(Errc::invalid_argument, "an entry of a seccomp profile may have `name` or `names`, not both");
        names = {name};
      }
      std::string action = entry.string_or("action");
      if (names.empty() || action.empty()) return fail(Errc::invalid_argument, "an entry of the seccomp profile lacks names or action");
      json::Value call = rule(names, action.c_str());
      if (const auto* number = entry.find("errnoRet"); number && number->is_int()) call.set("errnoRet", *number);
      if (const auto* arguments = entry.find("args"); arguments && arguments->is_array() && !arguments->as_array().empty()) call.set("args", *arguments);
      calls.push(std::move(call));
    }
  }
  json::Value out = json::Value::object();
  out.set("defaultAction", parsed->string_or("defaultAction"));
  if (const auto* number = parsed->find("defaultErrnoRet"); number && number->is_int()) out.set("defaultErrnoRet", *number);
  out.set("architectures", profile_architectures(*parsed, facts));
  if (auto flags = parsed->strings("flags"); !flags.empty()) out.set("flags", json::from(flags));
  out.set("syscalls", std::move(calls));
  return out;
}

}  // namespace mica::runtime
