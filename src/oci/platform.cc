#include "oci/platform.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/format.h"
#include "base/text.h"

namespace mica::oci {
namespace {

constexpr std::array<std::string_view, 18> kSystems = {
    "linux", "windows", "darwin", "freebsd", "netbsd", "openbsd", "dragonfly", "solaris", "illumos",
    "aix", "android", "hurd", "ios", "js", "nacl", "plan9", "wasip1", "zos"};
constexpr std::array<std::string_view, 27> kArchitectures = {
    "386", "amd64", "arm", "arm64", "ppc64", "ppc64le", "s390x", "riscv64", "loong64", "mips", "mipsle", "mips64", "mips64le",
    "mips64p32", "mips64p32le", "ppc", "riscv", "s390", "sparc", "sparc64", "wasm", "amd64p32", "armbe", "arm64be", "i386",
    "x86_64", "aarch64"};

void normalise(Platform& p) {
  p.os = to_lower(p.os);
  p.architecture = to_lower(p.architecture);
  p.variant = to_lower(p.variant);
  if (p.os == "macos") p.os = "darwin";
  std::string& arch = p.architecture;
  std::string& variant = p.variant;
  if (arch == "i386") {
    arch = "386";
    variant.clear();
  } else if (arch == "x86_64" || arch == "x86-64" || arch == "amd64") {
    arch = "amd64";
    if (variant == "v1") variant.clear();
  } else if (arch == "aarch64" || arch == "arm64") {
    arch = "arm64";
    if (variant == "8" || variant == "v8" || variant == "8.0" || variant == "v8.0") variant.clear();
  } else if (arch == "armhf") {
    arch = "arm";
    variant = "v7";
  } else if (arch == "armel") {
    arch = "arm";
    variant = "v6";
  } else if (arch == "arm") {
    if (variant.empty() || variant == "7") variant = "v7";
    if (variant == "5" || variant == "6" || variant == "8") variant.insert(0, 1, 'v');
  }
}

bool is_word(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' || c == '-';
  });
}

/// The number of "v7" or "v3"; `fallback` for none.
std::int64_t level(std::string_view variant, std::int64_t fallback) {
  if (!variant.starts_with('v')) return fallback;
  return parse_int(variant.substr(1)).value_or(fallback);
}

}  // namespace

Result<Platform> Platform::parse(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return failf(Errc::invalid_argument, "invalid platform {}: {}", quoted(text.substr(0, 200)), why);
  };
  if (text == "local") return host();
  std::vector<std::string_view> parts = split(text, '/');
  if (parts.size() > 3) return bad("want os/architecture[/variant]");
  Platform platform;
  if (const auto open = parts[0].find('('); open != text.npos && parts[0].ends_with(')')) {
    platform.os_version = parts[0].substr(open + 1, parts[0].size() - open - 2);
    if (!is_word(platform.os_version)) return bad("the os version may only hold letters, digits, '_', '.' and '-'");
    parts[0] = parts[0].substr(0, open);
  }
  for (const std::string_view part : parts)
    if (!is_word(part)) return bad("each part is one or more letters, digits, '_', '.' or '-'");
  if (parts.size() == 1) {
    const Platform here = host();
    Platform as_arch{.os = here.os, .architecture = std::string(parts[0])};
    normalise(as_arch);
    if (platform.os_version.empty() && std::ranges::count(kArchitectures, as_arch.architecture)) return as_arch;
    platform.os = parts[0];
    platform.architecture = here.architecture;
    platform.variant = here.variant;
    normalise(platform);
    if (std::ranges::count(kSystems, platform.os)) return platform;
    return bad("neither a known operating system nor a known architecture");
  }
  platform.os = parts[0];
  platform.architecture = parts[1];
  if (parts.size() == 3) platform.variant = parts[2];
  normalise(platform);
  return platform;
}

Platform Platform::host() {
  Platform platform;
#if defined(__x86_64__)
  platform.architecture = "amd64";
#elif defined(__aarch64__)
  platform.architecture = "arm64";
#elif defined(__arm__)
  platform.architecture = "arm";
  platform.variant = "v7";
#elif defined(__i386__)
  platform.architecture = "386";
#elif defined(__riscv) && __riscv_xlen == 64
  platform.architecture = "riscv64";
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
  platform.architecture = "ppc64le";
#elif defined(__s390x__)
  platform.architecture = "s390x";
#elif defined(__loongarch64)
  platform.architecture = "loong64";
#else
#error "unknown architecture"
#endif
  return platform;
}

std::string Platform::str() const {
  std::string text = os;
  if (!os_version.empty()) text += "(" + os_version + ")";
  text += "/" + architecture;
  if (!variant.empty()) text += "/" + variant;
  return text;
}

int preference(const Platform& want, const Platform& have) {
  Platform w = want, h = have;
  normalise(w);
  normalise(h);
  if (w.os != h.os || w.architecture != h.architecture) return 0;
  if (!w.os_version.empty() && !h.os_version.empty() && w.os_version != h.os_version) return 0;
  constexpr int kExact = 100;
  if (w.variant == h.variant) return kExact;
  const bool levels = w.architecture == "arm" || w.architecture == "amd64";
  if (!levels) return h.variant.empty() ? kExact - 1 : 0;
  const std::int64_t least = w.architecture == "arm" ? 5 : 1;
  const std::int64_t wanted = level(w.variant, w.variant.empty() ? least : -1);
  const std::int64_t offered = level(h.variant, h.variant.empty() ? least : -1);
  if (wanted < 0 || offered < least || offered > wanted || wanted - offered >= kExact) return 0;
  return kExact - static_cast<int>(wanted - offered);
}

bool matches(const Platform& want, const Platform& have) { return preference(want, have) > 0; }

}  // namespace mica::oci
