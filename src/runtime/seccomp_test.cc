#include "runtime/seccomp.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "base/text.h"
#include "json/json.h"

using namespace mica;
using runtime::SeccompFacts;

namespace {

/// What a filter does with a system call: "allow", "allow if ...", "errno", joined with "|"; "default" when it is not named.
std::string rules_for(const json::Value& filter, std::string_view call) {
  std::vector<std::string> out;
  for (const json::Value& rule : filter.find("syscalls")->as_array()) {
    const auto names = rule.strings("names");
    if (std::find(names.begin(), names.end(), call) == names.end()) continue;
    std::string text = to_lower(rule.string_or("action").substr(9));
    if (const auto* number = rule.find("errnoRet")) text += " " + json::write(*number);
    if (const auto* args = rule.find("args"))
      for (const json::Value& arg : args->as_array())
        text += " if " + std::to_string(arg.int_or("index")) + " " + arg.string_or("op").substr(9) + " " + std::to_string(arg.int_or("value")) +
                (arg.find("valueTwo") ? "," + std::to_string(arg.int_or("valueTwo")) : "");
    out.push_back(text);
  }
  return out.empty() ? "default" : join(out, "|");
}

SeccompFacts facts(std::vector<std::string> capabilities = {}, const char* architecture = "amd64") {
  return {.capabilities = std::move(capabilities), .architecture = architecture, .kernel_major = 6, .kernel_minor = 1};
}

}  // namespace

TEST_CASE("the default filter refuses what it does not name, and narrows some calls by their arguments") {
  const auto filter = runtime::default_seccomp(facts());
  CHECK(filter.string_or("defaultAction") == "SCMP_ACT_ERRNO");
  CHECK(filter.int_or("defaultErrnoRet") == 1);
  struct Row {
    const char* call;
    const char* rules;
  };
  for (const Row& row : {Row{"read", "allow"}, Row{"openat2", "allow"}, Row{"mount", "default"}, Row{"unshare", "default"}, Row{"keyctl", "default"},
                         Row{"add_key", "default"}, Row{"io_uring_setup", "default"}, Row{"bpf", "default"}, Row{"reboot", "default"}, Row{"setns", "default"},
                         Row{"socket", "allow if 0 NE 40"}, Row{"clone", "allow if 0 MASKED_EQ 2114060288"}, Row{"clone3", "errno 38"},
                         Row{"arch_prctl", "allow"}, Row{"ptrace", "allow"},
                         Row{"personality", "allow if 0 EQ 0|allow if 0 EQ 8|allow if 0 EQ 131072|allow if 0 EQ "
                                            "131080|allow if 0 EQ 4294967295"}}) {
    CAPTURE(row.call);
    CHECK(rules_for(filter, row.call) == row.rules);
  }
}

TEST_CASE("capabilities open the calls that are about them") {
  struct Row {
    const char* capability;
    const char* call;
  };
  for (const Row& row : {Row{"CAP_SYS_ADMIN", "mount"}, Row{"CAP_SYS_ADMIN", "clone3"}, Row{"CAP_SYS_ADMIN", "clone"}, Row{"CAP_SYS_CHROOT", "chroot"},
                         Row{"CAP_SYS_TIME", "settimeofday"}, Row{"CAP_BPF", "bpf"}, Row{"CAP_SYS_MODULE", "init_module"}, Row{"CAP_SYSLOG", "syslog"}}) {
    CAPTURE(row.capability);
    CHECK(rules_for(runtime::default_seccomp(facts({row.capability})), row.call).ends_with("allow"));
    CHECK_FALSE(rules_for(runtime::default_seccomp(facts()), row.call).ends_with("allow"));
  }
}

TEST_CASE("architectures: the 32-bit one beside ours, x32 only where the kernel has it") {
  SeccompFacts f = facts();
  CHECK(runtime::default_seccomp(f).strings("architectures") == std::vector<std::string>{"SCMP_ARCH_X86_64", "SCMP_ARCH_X86"});
  f.x32 = true;
  CHECK(runtime::default_seccomp(f).strings("architectures").back() == "SCMP_ARCH_X32");
  CHECK(runtime::default_seccomp(facts({}, "arm64")).strings("architectures") == std::vector<std::string>{"SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"});
}

TEST_CASE("a profile file is narrowed down to this container and machine") {
  const auto filter = runtime::seccomp_from_profile(R"({
    "defaultAction": "SCMP_ACT_KILL", "defaultErrnoRet": 5,
    "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]},
                {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]}],
    "syscalls": [
      {"names": ["read", "write"], "action": "SCMP_ACT_ALLOW"},
      {"name": "single", "action": "SCMP_ACT_ALLOW"},
      {"names": ["for_arm"], "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["arm64"]}},
      {"names": ["not_amd"], "action": "SCMP_ACT_ALLOW", "excludes": {"arches": ["amd64"]}},
      {"names": ["with_admin"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}},
      {"names": ["without_admin"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38, "excludes": {"caps": ["CAP_SYS_ADMIN"]}},
      {"names": ["new"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "6.1"}},
      {"names": ["newer"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "6.2"}},
      {"names": ["next"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "7.0"}},
      {"names": ["some"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 1, "value": 2, "op": "SCMP_CMP_EQ"}]}
    ]})", facts());
  REQUIRE(filter);
  CHECK(filter->string_or("defaultAction") == "SCMP_ACT_KILL");
  CHECK(filter->int_or("defaultErrnoRet") == 5);
  CHECK(filter->strings("architectures") == std::vector<std::string>{"SCMP_ARCH_X86_64", "SCMP_ARCH_X86"});
  struct Row {
    const char* call;
    const char* rules;
  };
  for (const Row& row : {Row{"read", "allow"}, Row{"single", "allow"}, Row{"for_arm", "default"}, Row{"not_amd", "default"}, Row{"with_admin", "default"},
                         Row{"without_admin", "errno 38"}, Row{"new", "allow"}, Row{"newer", "default"}, Row{"next", "default"}, Row{"some", "allow if 1 EQ 2"}}) {
    CAPTURE(row.call);
    CHECK(rules_for(*filter, row.call) == row.rules);
  }
}

TEST_CASE("what is no profile is refused") {
  for (const char* text : {"", "[]", "{}", "not json", R"({"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["x"]}]})",
                           R"({"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"action":"SCMP_ACT_ALLOW"}]})",
                           R"({"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"a","names":["b"],"action":"SCMP_ACT_ALLOW"}]})",
                           R"({"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86"],"archMap":[{"architecture":"SCMP_ARCH_X86"}]})"}) {
    auto got = runtime::seccomp_from_profile(text, facts());
    CAPTURE(text);
    REQUIRE_FALSE(got);
    CHECK(got.error().code() == Errc::invalid_argument);
  }
}
