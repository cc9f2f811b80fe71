#include "analyze/package_caches.h"

#include <array>
#include <vector>

#include "base/text.h"

namespace mica::analyze {
namespace {

constexpr std::string_view kMount = "add --mount=type=cache,target=/% to the step, or remove /% in it";
constexpr std::string_view kApt = "end the step with: rm -rf /var/lib/apt/lists/*; or add --mount=type=cache,target=/%";
constexpr std::string_view kAptArchives = "end the step with: apt-get clean; or add --mount=type=cache,target=/%";

constexpr CacheRule kRules[] = {
    {"apt", "var/lib/apt/lists", kApt},
    {"apt", "var/cache/apt", kAptArchives},
    {"apk", "var/cache/apk", "apk add --no-cache leaves nothing there"},
    {"apk", "etc/apk/cache", "apk add --no-cache leaves nothing there"},
    {"dnf", "var/cache/dnf", "end the step with: dnf clean all"},
    {"dnf", "var/cache/libdnf5", "end the step with: dnf clean all"},
    {"dnf", "var/cache/tdnf", "end the step with: tdnf clean all"},
    {"yum", "var/cache/yum", "end the step with: yum clean all"},
    {"zypper", "var/cache/zypp", "end the step with: zypper clean --all"},
    {"pacman", "var/cache/pacman", "end the step with: pacman -Scc --noconfirm"},
    {"pacman", "var/lib/pacman/sync", "end the step with: rm -rf /%"},
    {"xbps", "var/cache/xbps", "end the step with: xbps-remove -O"},
    {"portage", "var/cache/distfiles", kMount},
    {"portage", "var/db/repos", kMount},
    {"opkg", "var/opkg-lists", "end the step with: rm -rf /%"},
    {"pip", "*/.cache/pip", "pip install --no-cache-dir leaves nothing there; or add --mount=type=cache,target=/%"},
    {"uv", "*/.cache/uv", "uv --no-cache leaves nothing there; or add --mount=type=cache,target=/%"},
    {"poetry", "*/.cache/pypoetry", kMount},
    {"pipenv", "*/.cache/pipenv", kMount},
    {"conda", "opt/conda/pkgs", "end the step with: conda clean -afy"},
    {"conda", "*/miniconda*/pkgs", "end the step with: conda clean -afy"},
    {"conda", "*/anaconda*/pkgs", "end the step with: conda clean -afy"},
    {"conda", "*/miniforge*/pkgs", "end the step with: conda clean -afy"},
    {"conda", "*/mambaforge*/pkgs", "end the step with: conda clean -afy"},
    {"conda", "*/.conda/pkgs", "end the step with: conda clean -afy"},
    {"npm", "*/.npm", "end the step with: npm cache clean --force; or add --mount=type=cache,target=/%"},
    {"npm", "*/.cache/node-gyp", kMount},
    {"yarn", "*/.cache/yarn", "end the step with: yarn cache clean; or add --mount=type=cache,target=/%"},
    {"yarn", "*/.yarn/berry/cache", kMount},
    {"yarn", "*/.yarn/cache", kMount},
    {"pnpm", "*/.local/share/pnpm/store", kMount},
    {"pnpm", "*/.pnpm-store", kMount},
    {"pnpm", "*/.cache/pnpm", kMount},
    {"bun", "*/.bun/install/cache", kMount},
    {"deno", "*/.cache/deno", kMount},
    {"gem", "usr/local/bundle/cache", "end the step with: rm -rf /%"},
    {"gem", "usr/lib/ruby/gems/*/cache", "end the step with: rm -rf /%"},
    {"gem", "usr/local/lib/ruby/gems/*/cache", "end the step with: rm -rf /%"},
    {"gem", "var/lib/gems/*/cache", "end the step with: rm -rf /%"},
    {"gem", "*/.gem/ruby/*/cache", "end the step with: rm -rf /%"},
    {"gem", "*/.gem/specs", "end the step with: rm -rf /%"},
    {"bundler", "*/.bundle/cache", "end the step with: rm -rf /%"},
    {"bundler", "*/vendor/bundle/ruby/*/cache", "end the step with: rm -rf /%"},
    {"cargo", "*/.cargo/registry", kMount},
    {"cargo", "*/.cargo/git", kMount},
    {"cargo", "usr/local/cargo/registry", kMount},
    {"cargo", "usr/local/cargo/git", kMount},
    {"go", "*/.cache/go-build", kMount},
    {"go", "*/go/pkg/mod", kMount},
    {"composer", "*/.composer/cache", kMount},
    {"composer", "*/.cache/composer", kMount},
    {"nuget", "*/.nuget/packages", kMount},
    {"nuget", "*/.local/share/NuGet", kMount},
    {"maven", "*/.m2/repository", kMount},
    {"gradle", "*/.gradle/caches", kMount},
    {"gradle", "*/.gradle/wrapper/dists", kMount},
    {"ivy", "*/.ivy2/cache", kMount},
    {"sbt", "*/.sbt/boot", kMount},
    {"coursier", "*/.cache/coursier", kMount},
    {"bazel", "*/.cache/bazel", kMount},
    {"ccache", "*/.cache/ccache", kMount},
    {"ccache", "*/.ccache", kMount},
    {"hex", "*/.hex/packages", kMount},
    {"hex", "*/.cache/rebar3", kMount},
    {"pub", "*/.pub-cache", kMount},
    {"cabal", "*/.cabal/packages", kMount},
    {"stack", "*/.stack/pantry", kMount},
    {"cpan", "*/.cpan", "end the step with: rm -rf /%"},
    {"cpan", "*/.cpanm", "end the step with: rm -rf /%"},
    {"luarocks", "*/.cache/luarocks", kMount},
    {"homebrew", "*/.cache/Homebrew", "end the step with: brew cleanup --prune=all"},
};

/// `pattern` may hold one '*'.
bool component_matches(std::string_view pattern, std::string_view component) {
  const auto star = pattern.find('*');
  if (star == pattern.npos) return pattern == component;
  const std::string_view before = pattern.substr(0, star), after = pattern.substr(star + 1);
  return component.size() >= before.size() + after.size() && component.starts_with(before) && component.ends_with(after);
}

struct Pattern {
  const CacheRule* rule;
  bool anywhere;
  std::vector<std::string_view> components;
};

const std::vector<Pattern>& patterns() {
  static const std::vector<Pattern> all = [] {
    std::vector<Pattern> out;
    for (const CacheRule& rule : kRules) {
      const bool anywhere = rule.pattern.starts_with("*/");
      out.push_back({&rule, anywhere, split(rule.pattern.substr(anywhere ? 2 : 0), '/')});
    }
    return out;
  }();
  return all;
}

constexpr std::size_t kMostComponents = 64;   // deeper folders hold no cache that anybody made

}  // namespace

CacheMatch find_cache(std::string_view path) {
  // The last component is the file itself.
  std::array<std::string_view, kMostComponents> components;
  std::size_t count = 0;
  for (std::size_t begin = 0; count < kMostComponents;) {
    const auto slash = path.find('/', begin);
    if (slash == path.npos) break;
    components[count++] = path.substr(begin, slash - begin);
    begin = slash + 1;
  }
  for (const Pattern& pattern : patterns()) {
    const std::size_t wanted = pattern.components.size();
    if (wanted > count) continue;
    const std::size_t last = pattern.anywhere ? count - wanted : 0;
    for (std::size_t at = 0; at <= last; ++at) {
      std::size_t i = 0;
      while (i < wanted && component_matches(pattern.components[i], components[at + i])) ++i;
      if (i < wanted) continue;
      const std::string_view end = components[at + wanted - 1];
      return {.rule = pattern.rule, .folder = path.substr(0, static_cast<std::size_t>(end.data() + end.size() - path.data()))};
    }
  }
  return {};
}

std::string remedy_for(const CacheRule& rule, std::string_view folder) { return replace_all(std::string(rule.remedy), "%", folder); }

}  // namespace mica::analyze
