// What package managers leave behind. Only stages whose files reach the image matter: what another stage holds is thrown away.
#include <algorithm>
#include <set>

#include "base/format.h"
#include "base/text.h"
#include "lint/run_rules.h"

namespace mica::lint {
namespace {

using shell::has_flag;
using shell::Word;
using Action = PackageCommand::Action;

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

template <class Visit>
void each_exported_run(const Inspection& in, const Visit& visit) {
  each_run(in, [&](const StageView& stage, const RunView& run) {
    if (stage.exported) visit(run, steps_of(stage, run));
  });
}

Span place_of(const Inspection& in, const Step& step, const PackageCommand& package) {
  if (!can_edit(*step.run)) return span_of(in, step);
  return in.span(*step.run, package.program->begin, package.verb_word ? package.verb_word->end : package.program->end);
}

bool removes_path(const Step& step, std::string_view part) {
  if (step.program != "rm" && step.program != "find" && step.program != "unlink") return false;
  for (const Word& word : step.command->words)
    if (has(word.text, part)) return true;
  return false;
}

/// rm of the lists, or of a folder above them.
bool removes_apt_lists(const Step& step) {
  if (step.program == "apt-get" || step.program == "apt") {
    const auto package = package_command(*step.command);
    return package && package->verb == "distclean";
  }
  if (removes_path(step, "/var/lib/apt/lists")) return true;
  if (step.program != "rm") return false;
  for (const Word* word : shell::operands(*step.command))
    for (const std::string_view above : {"/var/lib/apt", "/var/lib/apt/", "/var/lib/apt/*", "/var/lib/*"})
      if (word->text == above) return true;
  return false;
}

bool installs_without_update(const StageView& stage, const RunView& run) {
  bool updated = false;
  for (const Step& step : steps_of(stage, run)) {
    const auto package = package_command(*step.command);
    if (!package || (package->manager != "apt-get" && package->manager != "apt" && package->manager != "aptitude")) continue;
    if (package->action == Action::refresh) updated = true;
    if (package->action == Action::install && !updated) return true;
  }
  return false;
}

/// RUNs after which, in their stage or in one that is built from it, something is installed without reading the index again:
/// their lists are needed.
std::set<const RunView*> runs_with_needed_lists(const Inspection& in) {
  std::set<const RunView*> needed;
  std::vector<bool> by_others(in.stages.size());
  for (std::size_t i = in.stages.size(); i-- > 0;) {
    const StageView& stage = in.stages[i];
    bool later = by_others[i];
    for (std::size_t k = stage.runs.size(); k-- > 0;) {
      if (later) needed.insert(&stage.runs[k]);
      later = later || installs_without_update(stage, stage.runs[k]);
    }
    if (stage.base_stage && later) by_others[*stage.base_stage] = true;
  }
  return needed;
}

void check_apt_lists(Inspection& in) {
  const std::set<const RunView*> needed = runs_with_needed_lists(in);
  each_exported_run(in, [&](const RunView& run, const std::vector<Step>& steps) {
    if (has_cache_mount(run, "/var/lib/apt/lists")) return;
    const Step* update = nullptr;
    bool cleaned = false, installs = false, cleaned_early = false;
    for (const Step& step : steps) {
      const auto package = package_command(*step.command);
      const bool apt = package && (package->manager == "apt-get" || package->manager == "aptitude" || package->manager == "apt");
      if (apt && package->action == Action::refresh) {
        cleaned_early = cleaned_early || cleaned;
        cleaned = false;
        update = &step;
      }
      if (apt && package->action == Action::install) installs = true;
      if (removes_apt_lists(step)) {
        cleaned_early = cleaned_early || !update;
        cleaned = true;
      }
    }
    if (!update || cleaned) return;
    std::optional<Fix> fix;
    if (installs && !needed.contains(&run)) fix = append_command(in, run, FixKind::safe, "rm -rf /var/lib/apt/lists/*");
    in.report(rule_of("DL3009"), span_of(in, *update), line_of(run),
              cleaned_early ? "the package lists are deleted before they are read again: they stay in this layer"
                            : "the package lists stay in this layer (20 to 60 MB)",
              std::move(fix));
  });
}

void check_apk(Inspection& in) {
  each_exported_run(in, [&](const RunView& run, const std::vector<Step>& steps) {
    if (has_cache_mount(run, "/var/cache/apk") || has_cache_mount(run, "/etc/apk/cache")) return;
    for (const Step& step : steps) {
      const auto package = package_command(*step.command);
      if (!package || package->manager != "apk" || package->verb != "add" || has_flag(*step.command, "--no-cache")) continue;
      in.report(rule_of("DL3019"), place_of(in, step, *package), line_of(run), "apk keeps its index in this layer",
                insert_after(in, run, *package->verb_word, FixKind::safe, "--no-cache"));
    }
  });
}

struct Cleaning {
  std::string_view id, manager;
  std::string_view path;  ///< what rm may take instead
  std::string_view mount;
};
constexpr Cleaning kCleanings[] = {{"DL3032", "yum", "/var/cache/", "/var/cache/yum"},
                                   {"DL3036", "zypper", "/var/cache/", "/var/cache/zypp"},
                                   {"DL3040", "dnf", "/var/cache/", "/var/cache"}};

template <std::size_t kIndex>
void check_cleaning(Inspection& in) {
  const Cleaning& cleaning = kCleanings[kIndex];
  each_exported_run(in, [&](const RunView& run, const std::vector<Step>& steps) {
    if (has_cache_mount(run, cleaning.mount)) return;
    const Step* install = nullptr;
    bool clean = false;
    for (const Step& step : steps) {
      const auto package = package_command(*step.command);
      if (package && package->manager == cleaning.manager) {
        if (package->action == Action::install || package->action == Action::upgrade) install = &step, clean = false;
        if (package->action == Action::clean) clean = true;
      }
      // yum is dnf on newer systems, and either cleans up after the other.
      if (package && package->action == Action::clean && (package->manager == "yum" || package->manager == "dnf") &&
          cleaning.manager != "zypper")
        clean = true;
      if (removes_path(step, cleaning.path)) clean = true;
    }
    if (!install || clean) return;
    const auto package = package_command(*install->command);
    const std::string program(install->program);
    in.report(rule_of(cleaning.id), place_of(in, *install, *package), line_of(run),
              format("{} keeps its metadata and packages in this layer", quoted(program)),
              append_command(in, run, FixKind::safe, program + (cleaning.manager == "zypper" ? " clean --all" : " clean all")));
  });
}

bool is_true(std::string_view value) {
  for (const std::string_view yes : {"1", "true", "on", "yes"})
    if (equals_ignoring_case(value, yes)) return true;
  return false;
}

bool sets_true(const RunView& run, std::string_view name) {
  bool set = false;
  shell::each_command(run.script, [&](const shell::Visit& visit) {
    for (const shell::Assignment& assignment : visit.command->assignments)
      if (assignment.name == name && is_true(assignment.value.text)) set = true;
    for (const Word& word : visit.command->words)
      if (word.text.starts_with(name) && word.text[name.size()] == '=' &&
          is_true(std::string_view(word.text).substr(name.size() + 1)))
        set = true;
  });
  return set;
}

void check_pip(Inspection& in) {
  each_exported_run(in, [&](const RunView& run, const std::vector<Step>& steps) {
    if (has_cache_mount_named(run, "pip") || has_cache_mount_named(run, ".cache")) return;
    const auto env = env_value(in, in.stages[run.stage], line_of(run), "PIP_NO_CACHE_DIR");
    if ((env && is_true(*env)) || sets_true(run, "PIP_NO_CACHE_DIR")) return;
    for (const Step& step : steps) {
      const auto package = package_command(*step.command);
      if (!package || package->manager != "pip" || package->verb != "install" || has_flag(*step.command, "--no-cache-dir"))
        continue;
      in.report(rule_of("DL3042"), place_of(in, step, *package), line_of(run), "pip keeps what it downloaded in its cache",
                insert_after(in, run, *package->verb_word, FixKind::safe, "--no-cache-dir"));
    }
  });
}

void check_yarn(Inspection& in) {
  each_exported_run(in, [&](const RunView& run, const std::vector<Step>& steps) {
    if (has_cache_mount_named(run, "yarn") || has_cache_mount_named(run, ".cache")) return;
    const Step* install = nullptr;
    bool clean = false;
    for (const Step& step : steps) {
      const auto package = package_command(*step.command);
      if (package && package->manager == "yarn" && package->action == Action::install) install = &step, clean = false;
      if ((package && package->manager == "yarn" && package->action == Action::clean) || removes_path(step, "yarn") ||
          removes_path(step, ".cache"))
        clean = true;
    }
    if (!install || clean) return;
    in.report(rule_of("DL3060"), place_of(in, *install, *package_command(*install->command)), line_of(run),
              "yarn keeps what it downloaded in its cache", append_command(in, run, FixKind::safe, "yarn cache clean"));
  });
}

/// Managers without a rule of hadolint.
struct Leftover {
  std::string_view manager, what;
  std::string_view path;             ///< a part of what rm would name
  std::string_view mount, variable;  ///< a variable that moves or stops the cache
  std::string_view clean;            ///< a command at the end; or, beginning with '-', a flag
};
constexpr Leftover kLeftovers[] = {
    {"npm", "every package that it downloaded", ".npm", "npm", "NPM_CONFIG_CACHE", "npm cache clean --force"},
    {"gem", "the .gem file of each gem", "cache", "gem", "", "rm -rf \"$(gem env gemdir)\"/cache/*.gem"},
    {"bundle", "the .gem file of each gem", "cache", "bundle", "", "rm -rf \"$(gem env gemdir)\"/cache/*.gem"},
    {"cargo", "the registry and all sources", "registry", "cargo", "", "rm -rf \"${CARGO_HOME:-$HOME/.cargo}/registry\""},
    {"composer", "each archive that it downloaded", "composer", "composer", "COMPOSER_CACHE_DIR", "composer clear-cache"},
    {"uv", "each wheel that it downloaded", "uv", "uv", "UV_NO_CACHE", "--no-cache"},
};

bool cleans_leftover(const Step& step, const Leftover& leftover) {
  const auto package = package_command(*step.command);
  return (package && package->manager == leftover.manager && package->action == Action::clean) ||
         removes_path(step, leftover.path);
}

void check_leftovers(Inspection& in) {
  each_exported_run(in, [&](const RunView& run, const std::vector<Step>& steps) {
    for (const Leftover& leftover : kLeftovers) {
      const Step* install = nullptr;
      bool clean = false;
      for (const Step& step : steps) {
        const auto package = package_command(*step.command);
        if (package && package->manager == leftover.manager && package->action == Action::install) install = &step, clean = false;
        if (package && package->manager == "uv" && leftover.manager == "uv" && package->verb == "install")
          install = &step, clean = false;
        if (install && cleans_leftover(step, leftover)) clean = true;
      }
      if (!install || clean || has_cache_mount_named(run, leftover.mount) || has_cache_mount_named(run, ".cache")) continue;
      if (!leftover.variable.empty() && env_value(in, in.stages[run.stage], line_of(run), leftover.variable)) continue;
      const auto package = package_command(*install->command);
      if (has_flag(*install->command, "--no-cache")) continue;
      std::optional<Fix> fix;
      if (leftover.clean.starts_with('-'))
        fix = package->verb_word ? insert_after(in, run, *package->verb_word, FixKind::safe, std::string(leftover.clean))
                                 : std::nullopt;
      else
        fix = append_command(in, run, FixKind::safe, leftover.clean);
      in.report(rule_of("package-cache-left"), place_of(in, *install, *package), line_of(run),
                format("{} keeps {} in this layer", quoted(leftover.manager), leftover.what), std::move(fix));
    }
    const Step* conda = nullptr;
    bool clean = false;
    for (const Step& step : steps) {
      if (step.program != "conda" && step.program != "mamba" && step.program != "micromamba") continue;
      const auto words = shell::operands(*step.command);
      const std::string_view verb = words.empty() ? "" : std::string_view(words[0]->text);
      if (verb == "install" || verb == "create" || verb == "env") conda = &step, clean = false;
      if (verb == "clean") clean = true;
    }
    if (conda && !clean && !has_cache_mount_named(run, "pkgs"))
      in.report(rule_of("package-cache-left"), span_of(in, *conda), line_of(run),
                format("{} keeps every package that it downloaded in this layer", quoted(conda->program)),
                append_command(in, run, FixKind::safe, format("{} clean -afy", conda->program)));
  });
}

/// Installs of a project's dependencies: what is downloaded again, whole, after each change of a manifest.
struct CacheFolder {
  std::string_view manager, target, part;
};
constexpr CacheFolder kCacheFolders[] = {{"npm", "/root/.npm", "npm"},
                                         {"yarn", "/usr/local/share/.cache/yarn", "yarn"},
                                         {"pnpm", "/root/.local/share/pnpm/store", "pnpm"},
                                         {"pip", "/root/.cache/pip", "pip"},
                                         {"composer", "/tmp/cache", "cache"}};

void check_cache_mount(Inspection& in) {
  each_run(in, [&](const StageView& stage, const RunView& run) {
    if (run.on_build || run.exec_form) return;
    for (const Step& step : steps_of(stage, run)) {
      const auto package = package_command(*step.command);
      if (!package || package->action != Action::install) continue;
      const auto folder = std::ranges::find(kCacheFolders, package->manager, &CacheFolder::manager);
      if (folder == std::end(kCacheFolders)) continue;
      const bool project = package->manager == "pip"
                               ? flag_value(*step.command, "-r") || flag_value(*step.command, "--requirement")
                               : package->packages.empty();
      if (!project || has_cache_mount_named(run, folder->part) || has_cache_mount_named(run, ".cache") ||
          has_flag(*step.command, "--no-cache-dir") || has_flag(*step.command, "-g") || has_flag(*step.command, "--global"))
        continue;
      const auto env = env_value(in, stage, line_of(run), "PIP_NO_CACHE_DIR");
      if (package->manager == "pip" && env && is_true(*env)) continue;
      const Span keyword = in.keyword(*run.instruction);
      Fix fix{
          FixKind::ask, "mount a cache", {{{keyword.end, keyword.end}, format(" --mount=type=cache,target={}", folder->target)}}};
      in.report(rule_of("package-cache-mount"), place_of(in, step, *package), line_of(run),
                format("a changed manifest makes {} download everything again", quoted(package->manager)), std::move(fix));
      return;
    }
  });
}

constexpr std::string_view kWhy =
    "What a layer holds stays in the image, whatever later layers delete; the cache is of no use there and is downloaded and "
    "stored by everyone.";

const Rule kRules[] = {
    {.id = "DL3009",
     .aliases = "DKL-DI-0005",
     .severity = Severity::info,
     .fix = FixKind::safe,
     .summary = "the package lists of apt stay in the layer",
     .why = kWhy,
     .practice = "End the same RUN with rm -rf /var/lib/apt/lists/*, or mount a cache there.",
     .bad = "FROM debian:12\nRUN apt-get update && apt-get install -y --no-install-recommends curl=7.88.1\n",
     .good = "FROM debian:12\nRUN apt-get update && apt-get install -y --no-install-recommends curl=7.88.1 && rm -rf "
             "/var/lib/apt/lists/*\n",
     .check = check_apt_lists},
    {.id = "DL3019",
     .severity = Severity::info,
     .fix = FixKind::safe,
     .summary = "apk add without --no-cache",
     .why = kWhy,
     .practice = "Write apk add --no-cache, which needs no apk update before it either.",
     .bad = "FROM alpine:3.20\nRUN apk add curl~8.9\n",
     .good = "FROM alpine:3.20\nRUN apk add --no-cache curl~8.9\n",
     .check = check_apk},
    {.id = "DL3032",
     .fix = FixKind::safe,
     .summary = "yum clean all is missing",
     .why = kWhy,
     .practice = "End the same RUN with yum clean all, or mount a cache at /var/cache/yum.",
     .bad = "FROM centos:7\nRUN yum install -y httpd-2.4.6\n",
     .good = "FROM centos:7\nRUN yum install -y httpd-2.4.6 && yum clean all\n",
     .check = check_cleaning<0>},
    {.id = "DL3036",
     .fix = FixKind::safe,
     .summary = "zypper clean is missing",
     .why = kWhy,
     .practice = "End the same RUN with zypper clean --all.",
     .bad = "FROM opensuse/leap:15.6\nRUN zypper install -y httpd=2.4.46\n",
     .good = "FROM opensuse/leap:15.6\nRUN zypper install -y httpd=2.4.46 && zypper clean --all\n",
     .check = check_cleaning<1>},
    {.id = "DL3040",
     .fix = FixKind::safe,
     .summary = "dnf clean all is missing",
     .why = kWhy,
     .practice = "End the same RUN with dnf clean all (microdnf and tdnf alike), or mount a cache.",
     .bad = "FROM fedora:40\nRUN dnf install -y httpd-2.4.62\n",
     .good = "FROM fedora:40\nRUN dnf install -y httpd-2.4.62 && dnf clean all\n",
     .check = check_cleaning<2>},
    {.id = "DL3042",
     .fix = FixKind::safe,
     .summary = "pip install without --no-cache-dir",
     .why = kWhy,
     .practice = "Write pip install --no-cache-dir, set PIP_NO_CACHE_DIR=1, or mount a cache at /root/.cache/pip.",
     .bad = "FROM python:3.12\nRUN pip install flask==3.0.3\n",
     .good = "FROM python:3.12\nRUN pip install --no-cache-dir flask==3.0.3\n",
     .check = check_pip},
    {.id = "DL3060",
     .severity = Severity::info,
     .fix = FixKind::safe,
     .summary = "yarn cache clean is missing",
     .why = kWhy,
     .practice = "End the same RUN with yarn cache clean, or mount a cache.",
     .bad = "FROM node:20\nCOPY package.json yarn.lock ./\nRUN yarn install --frozen-lockfile\n",
     .good = "FROM node:20\nCOPY package.json yarn.lock ./\nRUN yarn install --frozen-lockfile && yarn cache clean\n",
     .check = check_yarn},
    {.id = "package-cache-left",
     .severity = Severity::info,
     .fix = FixKind::safe,
     .summary = "the cache of a package manager stays in the layer",
     .why = kWhy,
     .practice = "Empty the cache in the same RUN, or mount one there.",
     .bad = "FROM node:20\nWORKDIR /app\nCOPY package*.json ./\nRUN npm ci --omit=dev\n",
     .good = "FROM node:20\nWORKDIR /app\nCOPY package*.json ./\nRUN npm ci --omit=dev && npm cache clean --force\n",
     .check = check_leftovers},
    {.id = "package-cache-mount",
     .aliases = "prefer-package-cache-mounts",
     .severity = Severity::info,
     .fix = FixKind::ask,
     .summary = "a RUN that installs a project's dependencies could mount a cache",
     .why =
         "When a manifest changes the step runs again, and without a cache that outlives it every package is downloaded again.",
     .practice = "RUN --mount=type=cache,target=/root/.npm npm ci; the cache is no part of the image.",
     .bad = "FROM node:20\nWORKDIR /app\nCOPY package*.json ./\nRUN npm ci\n",
     .good = "FROM node:20\nWORKDIR /app\nCOPY package*.json ./\nRUN --mount=type=cache,target=/root/.npm npm ci\n",
     .check = check_cache_mount},
};

}  // namespace

std::span<const Rule> cache_rules() { return kRules; }

}  // namespace mica::lint
