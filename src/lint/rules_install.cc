// How packages are installed.
#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "lint/run_rules.h"

namespace mica::lint {
namespace {

using shell::has_flag;
using shell::Word;
using Action = PackageCommand::Action;

template <class Visit>
void each_package_command(const Inspection& in, const Visit& visit) {
  each_step(in, [&](const Step& step) {
    if (const auto package = package_command(*step.command)) visit(step, *package);
  });
}

Span verb_span(const Inspection& in, const Step& step, const PackageCommand& package) {
  if (!can_edit(*step.run)) return span_of(in, step);
  return in.span(*step.run, package.program->begin, package.verb_word ? package.verb_word->end : package.program->end);
}

bool sets_option(const shell::Command& command, std::string_view option, std::initializer_list<std::string_view> values) {
  for (const Word& word : command.words) {
    const std::size_t at = word.text.find(option);
    if (at == std::string::npos) continue;
    const std::string_view rest = std::string_view(word.text).substr(at + option.size());
    for (const std::string_view value : values)
      if (rest == value) return true;
  }
  return false;
}

/// apt is apt-get with another face: what is said of one holds for the other.
bool is_manager(const PackageCommand& package, std::string_view name) {
  return package.manager == name || (name == "apt-get" && package.manager == "apt");
}

struct Question {
  std::string_view id, manager, flag;
  std::string_view accepted;  ///< flags that answer, apart by blanks
};
constexpr Question kQuestions[] = {{"DL3014", "apt-get", "-y", "-y --yes -q --assume-yes"},
                                   {"DL3030", "yum", "-y", "-y --assumeyes"},
                                   {"DL3034", "zypper", "-y", "-y --no-confirm -n --non-interactive"},
                                   {"DL3038", "dnf", "-y", "-y --assumeyes"}};

template <std::size_t kIndex>
void check_question(Inspection& in) {
  const Question& question = kQuestions[kIndex];
  each_package_command(in, [&](const Step& step, const PackageCommand& package) {
    if (package.action != Action::install || !is_manager(package, question.manager) || !package.verb_word) return;
    for (const std::string_view flag : split_blanks(question.accepted))
      if (has_flag(*step.command, flag)) return;
    if (sets_option(*step.command, "APT::Get::Assume-Yes", {"=true", "=1", "=yes"})) return;
    in.report(rule_of(question.id), verb_span(in, step, package), line_of(*step.run),
              format("{} asks before it installs, and nobody answers during a build", quoted(step.program)),
              insert_after(in, *step.run, *package.verb_word, FixKind::safe, std::string(question.flag)));
  });
}

void check_recommends(Inspection& in) {
  each_package_command(in, [&](const Step& step, const PackageCommand& package) {
    if (!is_manager(package, "apt-get") || package.verb != "install" || has_flag(*step.command, "--no-install-recommends") ||
        sets_option(*step.command, "APT::Install-Recommends", {"=false", "=0", "=no"}))
      return;
    in.report(rule_of("DL3015"), verb_span(in, step, package), line_of(*step.run),
              "packages that are only recommended are installed as well",
              insert_after(in, *step.run, *package.verb_word, FixKind::ask, "--no-install-recommends"));
  });
}

void check_apt(Inspection& in) {
  each_step(in, [&](const Step& step) {
    if (step.program != "apt") return;
    const Word& program = step.command->words[shell::program_index(*step.command)];
    const auto words = shell::operands(*step.command);
    const std::string_view verb = words.empty() ? "" : std::string_view(words[0]->text);
    static constexpr std::string_view kShared[] = {"install", "update",    "upgrade",  "remove",    "purge",  "autoremove",
                                                   "clean",   "autoclean", "download", "build-dep", "source", "dist-upgrade"};
    std::optional<Fix> fix;
    std::string text(program.text);
    text.replace(text.size() - 3, 3, "apt-get");
    if (std::ranges::find(kShared, verb) != std::end(kShared) && !program.quoted)
      fix = replace_word(in, *step.run, program, FixKind::safe, "use apt-get", text);
    in.report(rule_of("DL3027"), can_edit(*step.run) ? span_of(in, *step.run, program) : span_of(in, step), line_of(*step.run),
              "apt is made for people: its output and options may change between versions", std::move(fix));
  });
}

bool refreshes(const PackageCommand& package) {
  return package.action == Action::refresh && package.manager != "cargo" && package.manager != "uv";
}

void check_update_alone(Inspection& in) {
  each_run(in, [&](const StageView& stage, const RunView& run) {
    std::optional<Step> update;
    for (const Step& step : steps_of(stage, run)) {
      const auto package = package_command(*step.command);
      if (!package) continue;
      if (!update && refreshes(*package)) update = step;
      if (package->action == Action::install || package->action == Action::upgrade) return;
    }
    if (!update) return;
    std::optional<Fix> fix;
    if (const RunView* next = next_run(in, run))
      for (const Step& step : steps_of(stage, *next)) {
        const auto package = package_command(*step.command);
        if (package && package->action == Action::install) {
          fix = join_runs(in, run, *next, "update and install in one RUN");
          break;
        }
      }
    in.report(
        rule_of("update-alone"), span_of(in, *update), line_of(run),
        "the package index is read in a RUN of its own: once cached it grows old, and later installs fail or get old versions",
        std::move(fix));
  });
}

void report_upgrade(Inspection& in, std::string_view id, bool zypper_dup) {
  each_package_command(in, [&](const Step& step, const PackageCommand& package) {
    static constexpr std::string_view kSystem[] = {"apt-get", "apt", "aptitude", "apk", "yum", "dnf", "zypper", "pacman"};
    if (package.action != Action::upgrade || std::ranges::find(kSystem, package.manager) == std::end(kSystem)) return;
    if (!package.packages.empty() && package.manager != "zypper") return;
    const bool is_dup = package.manager == "zypper" && (package.verb == "dup" || package.verb == "dist-upgrade");
    if (is_dup != zypper_dup) return;
    in.report(rule_of(id), verb_span(in, step, package), line_of(*step.run),
              "everything that the base image holds is replaced: twice the bytes, and another result every day");
  });
}
void check_upgrade(Inspection& in) { report_upgrade(in, "dist-upgrade", false); }
void check_zypper_dup(Inspection& in) { report_upgrade(in, "DL3035", true); }

std::string_view package_name(const Word& word) {
  return std::string_view(word.text).substr(0, word.text.find_first_of("=~<>@"));
}

/// When all that was added is deleted, one name can stand for it.
std::optional<Fix> use_virtual(const Inspection& in, const RunView& run, const PackageCommand& added,
                               const PackageCommand& deleted) {
  const bool all = std::ranges::all_of(added.packages, [&](const Word* word) {
    return std::ranges::any_of(deleted.packages, [&](const Word* other) { return package_name(*other) == package_name(*word); });
  });
  if (!all || added.packages.size() != deleted.packages.size()) return std::nullopt;
  auto fix = insert_after(in, run, *added.verb_word, FixKind::ask, "--virtual .build");
  if (!fix) return std::nullopt;
  fix->edits.push_back({in.span(run, deleted.packages.front()->begin, deleted.packages.back()->end), ".build"});
  return fix;
}

void check_apk_virtual(Inspection& in) {
  each_run(in, [&](const StageView& stage, const RunView& run) {
    std::optional<PackageCommand> added;
    for (const Step& step : steps_of(stage, run)) {
      const auto package = package_command(*step.command);
      if (!package || package->manager != "apk") continue;
      if (package->verb == "add" && !added && !has_flag(*step.command, "--virtual") && !flag_value(*step.command, "-t"))
        added = package;
      if (package->verb != "del" || !added) continue;
      const bool same = std::ranges::any_of(package->packages, [&](const Word* word) {
        return std::ranges::any_of(added->packages,
                                   [&](const Word* other) { return package_name(*other) == package_name(*word); });
      });
      if (!same) continue;
      in.report(rule_of("apk-virtual"), verb_span(in, step, *package), line_of(run),
                "packages are deleted by name one by one: added with --virtual NAME they go together, with all that they brought",
                use_virtual(in, run, *added, *package));
      return;
    }
  });
}

/// "npm install" that reads package.json.
bool installs_project(const PackageCommand& package, const shell::Command& command) {
  return package.action == Action::install && package.packages.empty() && !has_flag(command, "-g") &&
         !has_flag(command, "--global");
}

void check_npm_ci(Inspection& in) {
  each_package_command(in, [&](const Step& step, const PackageCommand& package) {
    if (package.manager != "npm" || (package.verb != "install" && package.verb != "i") ||
        !installs_project(package, *step.command))
      return;
    if (has_flag(*step.command, "--package-lock-only") || has_flag(*step.command, "--no-package-lock")) return;
    in.report(rule_of("npm-ci"), verb_span(in, step, package), line_of(*step.run),
              "npm install may change what the lock file says; npm ci installs exactly that, or fails",
              replace_word(in, *step.run, *package.verb_word, FixKind::ask, "use npm ci", "ci"));
  });
}

void check_frozen(Inspection& in) {
  each_package_command(in, [&](const Step& step, const PackageCommand& package) {
    const bool yarn = package.manager == "yarn", pnpm = package.manager == "pnpm";
    if ((!yarn && !pnpm) || (!package.verb.empty() && package.verb != "install" && package.verb != "i") ||
        !installs_project(package, *step.command))
      return;
    for (const std::string_view flag :
         {"--frozen-lockfile", "--immutable", "--pure-lockfile", "--no-frozen-lockfile", "--no-lockfile", "--offline"})
      if (has_flag(*step.command, flag)) return;
    in.report(rule_of("frozen-lockfile"), verb_span(in, step, package), line_of(*step.run),
              format("{} may change what the lock file says: --frozen-lockfile makes it fail instead", quoted(package.manager)),
              insert_after(in, *step.run, package.verb_word ? *package.verb_word : *package.program, FixKind::ask,
                           "--frozen-lockfile"));
  });
}

/// Development dependencies in a stage that is exported, where nothing is built that would need them.
void check_dev_dependencies(Inspection& in) {
  for (const StageView& stage : in.stages) {
    if (!stage.exported) continue;
    bool builds = false;
    for (const RunView& run : stage.runs)
      for (const Step& step : steps_of(stage, run)) {
        const auto words = shell::operands(*step.command);
        const std::string_view verb = words.empty() ? "" : std::string_view(words[0]->text);
        if ((step.program == "npm" || step.program == "yarn" || step.program == "pnpm") &&
            (verb == "run" || verb == "build" || verb == "test" || verb == "prune" || verb == "run-script"))
          builds = true;
        if (step.program == "npx" || step.program == "tsc" || step.program == "ng" || step.program == "webpack") builds = true;
      }
    if (builds) continue;
    for (const RunView& run : stage.runs) {
      if (!run.exec_form && !run.shell_is_posix) continue;
      for (const Step& step : steps_of(stage, run)) {
        const auto package = package_command(*step.command);
        if (!package || !installs_project(*package, *step.command)) continue;
        std::string_view flag;
        if (package->manager == "npm") {
          const auto node_env = env_value(in, stage, line_of(run), "NODE_ENV");
          if ((node_env && *node_env == "production") || has_flag(*step.command, "--production") ||
              has_flag(*step.command, "--omit") || has_flag(*step.command, "--only"))
            continue;
          for (const shell::Assignment& assignment : step.command->assignments)
            if (assignment.name == "NODE_ENV") flag = "-";
          if (flag == "-") continue;
          flag = "--omit=dev";
        } else if (package->manager == "composer" && package->verb == "install") {
          if (has_flag(*step.command, "--no-dev")) continue;
          flag = "--no-dev";
        } else {
          continue;
        }
        in.report(rule_of("dev-dependencies"), verb_span(in, step, *package), line_of(run),
                  "development dependencies come along into the image",
                  insert_after(in, run, *package->verb_word, FixKind::ask, std::string(flag)));
      }
    }
  }
}

/// A list of packages with one on each line.
void check_sorted(Inspection& in) {
  each_package_command(in, [&](const Step& step, const PackageCommand& package) {
    static constexpr std::string_view kSystem[] = {"apt-get", "apt", "apk", "yum", "dnf", "zypper"};
    if (package.action != Action::install || package.packages.size() < 3 || !can_edit(*step.run)) return;
    if (std::ranges::find(kSystem, package.manager) == std::end(kSystem)) return;
    int line = 0;
    std::vector<std::string> names;
    for (const Word* word : package.packages) {
      const Span span = span_of(in, *step.run, *word);
      const int own = in.lines.position(span.begin).line;
      const std::string_view text = std::string_view(in.source).substr(span.begin, span.end - span.begin);
      if (own == line || !word->literal || text.find('\n') != text.npos) return;
      line = own;
      names.emplace_back(text);
    }
    std::vector<std::string> sorted = names;
    std::ranges::stable_sort(sorted);
    if (sorted == names) return;
    Fix fix{FixKind::safe, "sort the packages", {}};
    std::size_t first = names.size();
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i] == sorted[i]) continue;
      first = std::min(first, i);
      fix.edits.push_back({span_of(in, *step.run, *package.packages[i]), sorted[i]});
    }
    in.report(rule_of("sort-packages"), span_of(in, *step.run, *package.packages[first]), line_of(*step.run),
              format("{} stands out of order: a sorted list shows doubles and gives small diffs", quoted(names[first])),
              std::move(fix));
  });
}

const Rule kRules[] = {
    {.id = "DL3014",
     .fix = FixKind::safe,
     .summary = "apt-get install without -y",
     .why = "apt-get asks for leave before it installs more than it was told; a build has no one to give it and stops.",
     .practice = "Write apt-get install -y.",
     .bad = "FROM debian:12\nRUN apt-get update && apt-get install --no-install-recommends curl=7.88.1 && rm -rf "
            "/var/lib/apt/lists/*\n",
     .good = "FROM debian:12\nRUN apt-get update && apt-get install -y --no-install-recommends curl=7.88.1 && rm -rf "
             "/var/lib/apt/lists/*\n",
     .check = check_question<0>},
    {.id = "DL3030",
     .fix = FixKind::safe,
     .summary = "yum install without -y",
     .why = "yum asks before it installs; a build has no one to answer.",
     .practice = "Write yum install -y.",
     .bad = "FROM centos:7\nRUN yum install httpd-2.4.6 && yum clean all\n",
     .good = "FROM centos:7\nRUN yum install -y httpd-2.4.6 && yum clean all\n",
     .check = check_question<1>},
    {.id = "DL3034",
     .fix = FixKind::safe,
     .summary = "zypper install without -y or -n",
     .why = "zypper asks before it installs; a build has no one to answer.",
     .practice = "Write zypper install -y, or zypper -n install.",
     .bad = "FROM opensuse/leap:15.6\nRUN zypper install httpd=2.4.46 && zypper clean\n",
     .good = "FROM opensuse/leap:15.6\nRUN zypper -n install httpd=2.4.46 && zypper clean\n",
     .check = check_question<2>},
    {.id = "DL3038",
     .fix = FixKind::safe,
     .summary = "dnf install without -y",
     .why = "dnf asks before it installs; a build has no one to answer.",
     .practice = "Write dnf install -y.",
     .bad = "FROM fedora:40\nRUN dnf install httpd-2.4.62 && dnf clean all\n",
     .good = "FROM fedora:40\nRUN dnf install -y httpd-2.4.62 && dnf clean all\n",
     .check = check_question<3>},
    {.id = "DL3015",
     .severity = Severity::info,
     .fix = FixKind::ask,
     .summary = "apt-get install brings recommended packages along",
     .why = "Recommended packages are for comfort on a desktop; in an image they often double the size and are one more thing to "
            "patch.",
     .practice = "Add --no-install-recommends and name what is really needed.",
     .bad = "FROM debian:12\nRUN apt-get update && apt-get install -y curl=7.88.1 && rm -rf /var/lib/apt/lists/*\n",
     .good = "FROM debian:12\nRUN apt-get update && apt-get install -y --no-install-recommends curl=7.88.1 && rm -rf "
             "/var/lib/apt/lists/*\n",
     .check = check_recommends},
    {.id = "DL3027",
     .fix = FixKind::safe,
     .summary = "apt used in a script",
     .why = "apt says itself that it has no stable interface for scripts.",
     .practice = "Use apt-get, and apt-cache to ask.",
     .bad = "FROM debian:12\nRUN apt update\n",
     .good = "FROM debian:12\nRUN apt-get update\n",
     .check = check_apt},
    {.id = "update-alone",
     .aliases = "CIS-DI-0007 DS-0017 CKV_DOCKER_5",
     .fix = FixKind::ask,
     .summary = "the package index is updated in a RUN of its own",
     .why = "The layer with the index is cached by its text. Weeks later the install of the next RUN works with an old index: "
            "packages are missing or old.",
     .practice = "Update, install and clean up in one RUN.",
     .bad = "FROM debian:12\nRUN apt-get update\nRUN apt-get install -y --no-install-recommends curl=7.88.1\n",
     .good = "FROM debian:12\nRUN apt-get update && apt-get install -y --no-install-recommends curl=7.88.1 && rm -rf "
             "/var/lib/apt/lists/*\n",
     .check = check_update_alone},
    {.id = "dist-upgrade",
     .aliases = "DL3005 DL3017 DL3031 DL3039",
     .summary = "the packages of the base image are upgraded",
     .why = "Every upgraded file is stored twice, what comes out depends on the day, and the next rebuild of the base does the "
            "same for everyone.",
     .practice = "Move to a newer base image, pinned by digest; upgrade single packages where a fix cannot wait.",
     .bad = "FROM debian:12\nRUN apt-get update && apt-get dist-upgrade -y && rm -rf /var/lib/apt/lists/*\n",
     .good = "FROM debian:12.6\nRUN apt-get update && rm -rf /var/lib/apt/lists/*\n",
     .check = check_upgrade},
    {.id = "DL3035",
     .summary = "zypper dist-upgrade",
     .why = "It replaces the whole distribution below the image: every file twice, and another result every day.",
     .practice = "Move to a newer base image.",
     .bad = "FROM opensuse/leap:15.6\nRUN zypper dup -y && zypper clean\n",
     .good = "FROM opensuse/leap:15.6\nRUN zypper install -y httpd=2.4.46 && zypper clean\n",
     .check = check_zypper_dup},
    {.id = "apk-virtual",
     .severity = Severity::info,
     .fix = FixKind::ask,
     .summary = "apk adds and deletes packages without --virtual",
     .why = "apk del of single names leaves behind whatever came along with them, and the list must be kept in step twice.",
     .practice = "apk add --no-cache --virtual .build ..., then apk del .build.",
     .bad = "FROM alpine:3.20\nRUN apk add --no-cache gcc=13.2.1 && make && apk del gcc\n",
     .good = "FROM alpine:3.20\nRUN apk add --no-cache --virtual .build gcc=13.2.1 && make && apk del .build\n",
     .check = check_apk_virtual},
    {.id = "npm-ci",
     .severity = Severity::info,
     .fix = FixKind::ask,
     .summary = "npm install where npm ci is meant",
     .why = "npm install resolves versions anew when package.json and the lock disagree, and rewrites the lock inside the image.",
     .practice = "Copy the lock file and run npm ci.",
     .bad = "FROM node:20\nWORKDIR /app\nCOPY package*.json ./\nRUN npm install\n",
     .good = "FROM node:20\nWORKDIR /app\nCOPY package*.json ./\nRUN npm ci\n",
     .check = check_npm_ci},
    {.id = "frozen-lockfile",
     .severity = Severity::info,
     .fix = FixKind::ask,
     .summary = "yarn or pnpm may change the lock file",
     .why = "Without the flag the install resolves anew what the lock does not cover, and the image holds versions that nobody "
            "recorded.",
     .practice = "Write yarn install --frozen-lockfile (yarn 2 and later: --immutable).",
     .bad = "FROM node:20\nWORKDIR /app\nCOPY package.json yarn.lock ./\nRUN yarn install && yarn cache clean\n",
     .good =
         "FROM node:20\nWORKDIR /app\nCOPY package.json yarn.lock ./\nRUN yarn install --frozen-lockfile && yarn cache clean\n",
     .check = check_frozen},
    {.id = "dev-dependencies",
     .severity = Severity::info,
     .fix = FixKind::ask,
     .summary = "development dependencies are shipped",
     .why =
         "Compilers, test runners and their trees are often most of node_modules or vendor, and none of it runs in production.",
     .practice = "npm ci --omit=dev, composer install --no-dev; build in a stage of its own.",
     .bad = "FROM node:20\nWORKDIR /app\nCOPY package*.json ./\nRUN npm ci\n",
     .good = "FROM node:20\nWORKDIR /app\nCOPY package*.json ./\nRUN npm ci --omit=dev\n",
     .check = check_dev_dependencies},
    {.id = "sort-packages",
     .severity = Severity::style,
     .fix = FixKind::safe,
     .summary = "a list of packages is not sorted",
     .why = "In a sorted list, one on each line, doubles and changes are seen at once.",
     .practice = "Sort the lines.",
     .bad = "FROM alpine:3.20\nRUN apk add --no-cache \\\n    git~2 \\\n    curl~8 \\\n    bash~5\n",
     .good = "FROM alpine:3.20\nRUN apk add --no-cache \\\n    bash~5 \\\n    curl~8 \\\n    git~2\n",
     .check = check_sorted},
};

}  // namespace

std::span<const Rule> install_rules() { return kRules; }

}  // namespace mica::lint
