// Order and number of instructions: what decides which steps run again.
#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "lint/run_rules.h"
#include "lint/texts.h"

namespace mica::lint {
namespace {

namespace df = dockerfile;
using Action = PackageCommand::Action;

constexpr std::size_t kManyLayers = 40;
constexpr int kFewCommands = 2;  // hadolint's: a RUN with more was put together on purpose

std::size_t command_count(const RunView& run) {
  std::size_t count = 0;
  shell::each_command(run.script, [&](const shell::Visit&) { ++count; });
  return count;
}

bool same_flags(const RunView& a, const RunView& b) {
  return a.run->mounts == b.run->mounts && a.run->network == b.run->network && a.run->security == b.run->security &&
         a.run->devices == b.run->devices;
}

void check_consecutive(Inspection& in) {
  for (const StageView& stage : in.stages) {
    const RunView* group = nullptr;  // the first of a row, by which the others are measured
    const df::Instruction* before = nullptr;
    const RunView* last = nullptr;
    std::size_t next = 0;
    for (const df::Instruction& instruction : stage.stage->instructions) {
      const RunView* run = nullptr;
      while (next < stage.runs.size() && stage.runs[next].instruction->where.line < instruction.where.line) ++next;
      if (next < stage.runs.size() && stage.runs[next].instruction == &instruction && !stage.runs[next].on_build)
        run = &stage.runs[next];
      if (!run) {
        group = last = nullptr;
        before = nullptr;
        continue;
      }
      const bool joins = group && before && same_flags(*group, *run) && command_count(*run) <= kFewCommands &&
                         command_count(*group) <= kFewCommands;
      if (joins) {
        std::optional<Fix> fix = join_runs(in, *last, *run, "join with the RUN before");
        in.report(rule_of("DL3059"), in.keyword(instruction), instruction.where.line,
                  "this RUN follows another: one RUN makes one layer of both", std::move(fix));
      } else {
        group = run;
      }
      before = &instruction;
      last = run;
    }
  }
}

void check_layer_count(Inspection& in) {
  if (in.stages.empty()) return;
  std::size_t count = 0;
  const df::Instruction* over = nullptr;
  for (const StageView& stage : in.stages) {
    if (!stage.exported) continue;
    for (const df::Instruction& instruction : stage.stage->instructions)
      if (instruction.keyword == "RUN" || instruction.keyword == "COPY" || instruction.keyword == "ADD")
        if (++count > kManyLayers && !over) over = &instruction;
  }
  if (over)
    in.report(rule_of("too-many-layers"), in.keyword(*over), over->where.line,
              format("the image gets {} layers: more than {} slow down every pull and every start", count, kManyLayers));
}

/// How a manager's project is installed, and what that reads.
struct Project {
  std::string_view manager;
  std::string_view manifests;  ///< sources of a COPY; empty: no fix, since the install needs more
};
constexpr Project kProjects[] = {{"npm", "package*.json"},
                                 {"yarn", "package.json yarn.lock*"},
                                 {"pnpm", "package.json pnpm-lock.yaml*"},
                                 {"bundle", "Gemfile Gemfile.lock*"},
                                 {"go", "go.mod go.sum*"},
                                 {"maven", "pom.xml"},
                                 {"composer", ""},
                                 {"poetry", ""},
                                 {"pipenv", "Pipfile Pipfile.lock*"},
                                 {"uv", ""}};

struct Install {
  bool system = false;  ///< packages of the distribution: the context plays no part
  std::string manifests;
  bool can_fix = false;
};

/// What a command installs, when that does not depend on the sources themselves.
std::optional<Install> install_of(const shell::Command& command) {
  const auto words = shell::operands(command);
  const std::string_view verb = words.empty() ? "" : std::string_view(words[0]->text);
  const auto project = [&](std::string_view manager) -> std::optional<Install> {
    const auto found = std::ranges::find(kProjects, manager, &Project::manager);
    return Install{false, std::string(found->manifests), !found->manifests.empty()};
  };
  const std::string_view program = shell::program(command);
  if (program == "go" && verb == "mod" && words.size() > 1 && words[1]->text == "download") return project("go");
  if ((program == "mvn" || program == "mvnw") &&
      std::ranges::any_of(words, [](const shell::Word* word) { return word->text.starts_with("dependency:"); }))
    return project("maven");
  const auto package = package_command(command);
  if (!package || package->action != Action::install) return std::nullopt;
  static constexpr std::string_view kSystem[] = {"apt-get", "apt", "aptitude", "apk", "yum", "dnf", "zypper", "pacman"};
  if (std::ranges::find(kSystem, package->manager) != std::end(kSystem)) {
    // A package file comes from somewhere: perhaps from the COPY.
    for (const shell::Word* word : package->packages)
      if (!word->literal || word->text.find('/') != std::string::npos) return std::nullopt;
    if (package->packages.empty()) return std::nullopt;
    return Install{.system = true, .can_fix = true};
  }
  if (package->manager == "pip") {
    if (package->verb != "install") return std::nullopt;
    const auto file = flag_value(command, "-r") ? flag_value(command, "-r") : flag_value(command, "--requirement");
    const bool local = std::ranges::any_of(command.words, [](const shell::Word& word) {
      return word.text == "." || word.text == "-e" || word.text.starts_with("./") || word.text == "--editable";
    });
    if (local) return std::nullopt;
    if (!file) {
      // Named packages alone: nothing of the context is read.
      if (package->packages.empty() || std::ranges::any_of(package->packages, [](const shell::Word* word) {
            return !word->literal || word->text.find('/') != std::string::npos;
          }))
        return std::nullopt;
      return Install{.system = true, .can_fix = true};
    }
    const bool plain = !file->text.starts_with('/') && file->text.find_first_of("$ \"'") == std::string_view::npos &&
                       !file->text.starts_with("..");
    return Install{false, std::string(file->text), plain && !file->text.empty()};
  }
  if (!package->packages.empty() && package->manager != "composer") {
    const bool global = shell::has_flag(command, "-g") || shell::has_flag(command, "--global") || package->manager == "gem";
    const bool literal = std::ranges::all_of(package->packages, [](const shell::Word* word) {
      return word->literal && word->text.find("./") == std::string::npos && !word->text.starts_with('/');
    });
    return global && literal ? std::optional(Install{.system = true, .can_fix = true}) : std::nullopt;
  }
  if (std::ranges::find(kProjects, package->manager, &Project::manager) == std::end(kProjects) || package->manager == "go")
    return std::nullopt;
  return project(package->manager);
}

/// More than single files: ".", a folder, a pattern for all.
bool is_broad(std::string_view source) {
  if (source == "." || source == "./" || source == "*" || source == "./*" || source == "/" || source.ends_with("/.") ||
      source.ends_with('/'))
    return true;
  if (source.find("://") != source.npos || source.starts_with("git@") || source.find('$') != source.npos) return false;
  const std::string_view name = source.substr(source.rfind('/') + 1);
  static constexpr std::string_view kFiles[] = {"Gemfile",  "Pipfile",  "Makefile", "Dockerfile", "LICENSE",
                                                "Rakefile", "Procfile", "gradlew",  "mvnw",       "go",
                                                "Cargo",    "README",   "VERSION",  "CMakeLists"};
  if (std::ranges::find(kFiles, name) != std::end(kFiles)) return false;
  for (const std::string_view ordinary :
       {"src", "app", "lib", "source", "sources", "code", "server", "client", "backend", "frontend", "web", "api", "public",
        "tests", "test", "config", "internal", "cmd", "pkg"})
    if (name == ordinary) return true;
  return false;
}

const df::Copy* broad_copy(const df::Instruction& instruction) {
  const auto* copy = std::get_if<df::Copy>(&instruction.command);
  if (!copy || !copy->from.empty() || copy->sources.empty()) return nullptr;
  return std::ranges::any_of(copy->sources, is_broad) ? copy : nullptr;
}

/// The chain's first commands are all part of installing; how many links they are.
std::size_t leading_installs(const RunView& run) {
  const shell::AndOr& chain = run.script.list.items[0];
  std::size_t count = 0, useful = 0;
  for (const shell::AndOr::Link& link : chain.links) {
    if (link.pipeline.commands.size() != 1 || link.pipeline.negated) break;
    const shell::Command& command = link.pipeline.commands[0];
    const auto package = package_command(command);
    const bool cleanup =
        shell::program(command) == "rm" && std::ranges::all_of(shell::operands(command), [](const shell::Word* word) {
          return word->literal &&
                 (word->text.starts_with("/var/") || word->text.starts_with("/tmp/") || word->text.starts_with("/root/.cache"));
        });
    const bool setup = shell::program(command) == "set";
    const bool install = install_of(command).has_value();
    if (!install && !cleanup && !setup &&
        !(package &&
          (package->action == Action::refresh || package->action == Action::clean || package->action == Action::upgrade)))
      break;
    ++count;
    if (install || cleanup || package) useful = count;
  }
  return useful;
}

std::optional<Fix> move_install(const Inspection& in, const df::Instruction& copy_instruction, const df::Copy& copy,
                                const RunView& run, const Install& install) {
  if (!install.can_fix || !is_plain_chain(run, true) || run.on_build || !can_edit(run) || copy.add || copy.parents ||
      !copy.heredocs.empty())
    return std::nullopt;
  const auto& list = in.stages[run.stage].stage->instructions;
  const auto at = std::ranges::find_if(list, [&](const df::Instruction& one) { return &one == &copy_instruction; });
  if (at == list.end() || at + 1 == list.end() || &*(at + 1) != run.instruction) return std::nullopt;
  const std::size_t moved = leading_installs(run);
  const shell::AndOr& chain = run.script.list.items[0];
  if (moved == 0) return std::nullopt;
  // The text that moves, as it stands: continuations and all.
  const std::size_t run_begin = in.whole(*run.instruction).begin;
  const std::size_t first = run.source_offsets[chain.begin];
  const std::size_t end = run.source_offsets[chain.links[moved - 1].pipeline.end - 1] + 1;
  const std::string eol = line_end(in);
  std::string text;
  if (!install.system) {
    const bool folder_source = std::ranges::all_of(copy.sources, [](const std::string& source) {
      return source == "." || source == "./" || source == "*" || source == "./*";
    });
    if (!folder_source || copy.sources.size() != 1) return std::nullopt;
    std::string flags;
    if (!copy.chown.empty()) flags += format("--chown={} ", copy.chown);
    if (copy.link) flags += "--link ";
    std::string target = copy.destination;
    std::string sources = install.manifests;
    const std::size_t slash = sources.rfind('/');
    if (slash != std::string::npos && !sources.starts_with('.'))
      target += (target.ends_with('/') ? "" : "/") + sources.substr(0, slash);
    if (!target.ends_with('/')) target += '/';
    if (target.find_first_of(" \"'") != std::string::npos) return std::nullopt;
    text = format("COPY {}{} {}{}", flags, sources, target, eol);
  }
  // The comments above the RUN go with it, when all of it goes.
  const bool whole = moved == chain.links.size();
  const std::size_t comments = whole ? insertion_before(in, *run.instruction) : run_begin;
  text += in.source.substr(comments, end - comments) + eol;
  const std::size_t before = insertion_before(in, copy_instruction);
  Fix fix{FixKind::ask,
          install.system ? "install before the COPY" : "copy the manifests and install before the COPY",
          {{{before, before}, std::move(text)}}};
  if (whole) {
    Edit removal = remove_instruction(in, *run.instruction);
    removal.where.begin = comments;
    fix.edits.push_back(std::move(removal));
  } else {
    const std::size_t rest = run.source_offsets[chain.links[moved].pipeline.begin];
    fix.edits.push_back({{first, rest}, ""});
  }
  return fix;
}

void check_cache_order(Inspection& in) {
  for (const StageView& stage : in.stages) {
    if (!stage.needed) continue;
    const df::Instruction* broad = nullptr;
    const df::Copy* copy = nullptr;
    std::vector<std::string> installed;  // what ran before the COPY: a second time is meant
    std::size_t next = 0;
    for (const df::Instruction& instruction : stage.stage->instructions) {
      if (const df::Copy* found = broad_copy(instruction); found && !broad) broad = &instruction, copy = found;
      while (next < stage.runs.size() && stage.runs[next].instruction->where.line < instruction.where.line) ++next;
      if (next >= stage.runs.size() || stage.runs[next].instruction != &instruction || stage.runs[next].on_build) continue;
      const RunView& run = stage.runs[next];
      if (!run.exec_form && !run.shell_is_posix) continue;
      for (const Step& step : steps_of(stage, run)) {
        if (step.visit.in_substitution) continue;
        const auto install = install_of(*step.command);
        if (!install) continue;
        const std::string key =
            install->system ? format("{} {}", step.program, step.command->begin) : install->manifests + std::string(step.program);
        if (!broad) {
          installed.push_back(key);
          continue;
        }
        if (!install->system && std::ranges::find(installed, key) != installed.end()) continue;
        in.report(
            rule_of("cache-order"), span_of(in, step), line_of(run),
            install->system
                ? format("this install runs again whenever a file of the COPY in line {} changes, though it reads none of them",
                         broad->where.line)
                : format("this install reads {}, but runs again whenever any file of the COPY in line {} changes",
                         install->manifests.empty() ? std::string("only manifests") : install->manifests, broad->where.line),
            move_install(in, *broad, *copy, run, *install));
        break;
      }
    }
  }
}

/// A name whose value is another for each commit or build.
bool is_volatile(std::string_view name) {
  const std::string lower = to_lower(name);
  for (const std::string_view part :
       {"commit",   "build_date", "builddate", "build_time", "buildtime", "vcs_ref",      "vcs_rev",
        "git_sha",  "git_rev",    "git_ref",   "git_hash",   "gitsha",    "build_number", "buildnumber",
        "build_id", "buildid",    "timestamp", "revision",   "cachebust", "cache_bust",   "cache_date"})
    if (lower.find(part) != std::string::npos) return true;
  return lower == "sha" || lower == "created" || lower == "git_branch" || lower == "git_tag";
}

bool is_slow(const df::Instruction& instruction) { return instruction.keyword == "RUN"; }

void check_volatile(Inspection& in) {
  for (const StageView& stage : in.stages) {
    if (!stage.needed) continue;
    const auto& list = stage.stage->instructions;
    for (std::size_t i = 0; i < list.size(); ++i) {
      const auto* arg = std::get_if<df::Arg>(&list[i].command);
      const auto* env = std::get_if<df::Env>(&list[i].command);
      const auto& pairs = arg ? arg->args : env ? env->pairs : std::vector<df::KeyValue>{};
      for (const df::KeyValue& pair : pairs) {
        if (!is_volatile(pair.key)) continue;
        // An ENV with a fixed value changes with the file alone.
        if (env && (!pair.value || pair.value->find('$') == std::string::npos)) continue;
        const auto slow = std::find_if(list.begin() + static_cast<std::ptrdiff_t>(i) + 1, list.end(), is_slow);
        if (slow == list.end()) break;
        const auto uses = [&](const df::Instruction& one) { return find_variable(one.text, pair.key).has_value(); };
        // When the next RUN is what it is for, it stands where it must.
        const auto use = std::find_if(list.begin() + static_cast<std::ptrdiff_t>(i) + 1, list.end(), uses);
        if (use == slow) break;
        const auto steps = std::count_if(slow, use > slow ? use : list.end(), is_slow);
        if (steps == 0) break;
        std::optional<Fix> fix;
        if (use != list.end() && use > slow && pairs.size() == 1) {
          const std::size_t before = insertion_before(in, *use);
          const Edit removal = remove_instruction(in, list[i]);
          const Span whole = in.whole(list[i]);
          fix = Fix{FixKind::ask,
                    format("move it to line {}", use->where.line - (list[i].where.end_line - list[i].where.line + 1)),
                    {removal, {{before, before}, in.source.substr(whole.begin, whole.end - whole.begin) + line_end(in)}}};
        }
        const std::size_t at = list[i].text.find(pair.key);
        in.report(rule_of("volatile-early"),
                  at == std::string::npos ? in.keyword(list[i]) : in.span(list[i], at, at + pair.key.size()), list[i].where.line,
                  format("{} changes with every build, and {} RUN step{} after it run{} again each time", quoted(pair.key), steps,
                         steps == 1 ? "" : "s", steps == 1 ? "s" : ""),
                  std::move(fix));
      }
    }
  }
}

const Rule kRules[] = {
    {.id = "DL3059",
     .severity = Severity::info,
     .fix = FixKind::ask,
     .summary = "several short RUN instructions in a row",
     .why = "Each makes a layer, and what one leaves behind the next cannot take away. Fewer steps also mean fewer that can be "
            "cached apart: weigh it.",
     .practice = "Join them with &&, or use a here-document.",
     .bad = "FROM debian:12\nRUN mkdir /data\nRUN touch /data/log\n",
     .good = "FROM debian:12\nRUN mkdir /data && touch /data/log\n",
     .check = check_consecutive},
    {.id = "too-many-layers",
     .fix = FixKind::none,
     .summary = "the image has very many layers",
     .why = "Each layer is a request of its own at every pull and a folder in every mount.",
     .practice = "Join what changes together.",
     .bad = "FROM debian:12\nCOPY a /\nCOPY a /\nCOPY a /\nCOPY a /\nCOPY a /\nCOPY a /\nCOPY a /\nCOPY a /\nCOPY a /\nCOPY a "
            "/\nCOPY a /\nCOPY a /\nCOPY a /\nCOPY a /\nCOPY a /\nCOPY a /\n"
            "COPY a /\nCOPY a /\nCOPY a /\nCOPY a /\nCOPY a /\nCOPY a /\nCOPY a /\nCOPY a /\nCOPY a /\nCOPY a /\nCOPY a /\nCOPY "
            "a /\nCOPY a /\nCOPY a /\nCOPY a /\nCOPY a /\nCOPY a /\nCOPY a /\n"
            "COPY a /\nCOPY a /\nCOPY a /\nCOPY a /\nCOPY a /\nCOPY a /\nCOPY a /\n",
     .good = "FROM debian:12\nCOPY a b c /\n",
     .check = check_layer_count},
    {.id = "cache-order",
     .fix = FixKind::ask,
     .summary = "dependencies are installed after the sources are copied",
     .why = "A step runs again when anything that stands before it changed. With all sources copied first, every edit of any "
            "file downloads and installs everything anew; the install needs the manifests alone.",
     .practice = "COPY the manifests, install, then COPY the rest.",
     .bad = "FROM node:20\nWORKDIR /app\nCOPY . .\nRUN npm ci\n",
     .good = "FROM node:20\nWORKDIR /app\nCOPY package*.json ./\nRUN npm ci\nCOPY . .\n",
     .check = check_cache_order},
    {.id = "volatile-early",
     .fix = FixKind::ask,
     .summary = "a value that changes with every build stands before slow steps",
     .why =
         "An ARG or ENV is part of every RUN after it. With a commit or a date in it no step below is ever found in the cache.",
     .practice = "Declare it as late as possible: right above the LABEL that uses it.",
     .bad = "FROM golang:1.22\nARG GIT_COMMIT\nCOPY go.mod ./\nRUN go mod download\nLABEL "
            "org.opencontainers.image.revision=$GIT_COMMIT\n",
     .good = "FROM golang:1.22\nCOPY go.mod ./\nRUN go mod download\nARG GIT_COMMIT\nLABEL "
             "org.opencontainers.image.revision=$GIT_COMMIT\n",
     .check = check_volatile},
};

}  // namespace

std::span<const Rule> order_rules() { return kRules; }

}  // namespace mica::lint
