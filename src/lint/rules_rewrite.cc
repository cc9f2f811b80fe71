// What is stored twice, or stored and then hidden.
#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "lint/run_rules.h"
#include "lint/texts.h"

namespace mica::lint {
namespace {

namespace df = dockerfile;
using shell::has_flag;
using shell::Word;
using Action = PackageCommand::Action;

/// Only takes files away or empties caches.
bool is_cleanup(const Step& step) {
  if (step.program == "rm" || step.program == "rmdir" || step.program == "unlink") return true;
  if (step.program == "find")
    return has_flag(*step.command, "-delete") ||
           std::ranges::any_of(step.command->words, [](const Word& word) { return word.text == "-delete"; });
  const auto package = package_command(*step.command);
  return package && (package->action == Action::clean || package->action == Action::remove);
}

constexpr std::size_t kMaxPaths = 500;  // remembered of a stage, and looked at in one rm

struct Made {
  std::string path;
  int line = 0;
};

void add_copied(const df::Instruction& instruction, const std::string& workdir, std::vector<Made>& made) {
  const auto* copy = std::get_if<df::Copy>(&instruction.command);
  if (!copy || copy->destination.find('$') != std::string::npos || made.size() >= kMaxPaths) return;
  const std::string target = join_path(workdir, copy->destination);
  for (const std::string& source : copy->sources) {
    if (source.find_first_of("$*?[") != std::string::npos) continue;
    const bool into = copy->destination.ends_with('/') || copy->sources.size() > 1 || copy->destination == ".";
    made.push_back({into ? join_path(target, source.substr(source.rfind('/') + 1)) : target, instruction.where.line});
  }
}

void check_delete_later(Inspection& in) {
  for (const StageView& stage : in.stages) {
    if (!stage.exported) continue;
    std::vector<Made> made;
    std::string workdir = "/";
    const RunView* before = nullptr;
    const auto entries = entries_of(stage);
    for (const Entry& entry : entries) {
      if (const auto* set = std::get_if<df::Workdir>(&entry.instruction->command);
          set && set->path.find('$') == std::string::npos)
        workdir = join_path(workdir, set->path);
      add_copied(*entry.instruction, workdir, made);
      if (!entry.run) {
        before = nullptr;
        continue;
      }
      const RunView& run = *entry.run;
      const std::vector<Step> steps = steps_of(stage, run);
      const bool only_cleanup = !steps.empty() && std::ranges::all_of(steps, is_cleanup);
      const Step* found = nullptr;
      const Made* hidden = nullptr;
      for (const Step& step : steps) {
        if (step.program != "rm") continue;
        std::size_t count = 0;
        for (const Word* word : shell::operands(*step.command)) {
          if (!word->literal || ++count > kMaxPaths) continue;
          const std::string path = word->text.starts_with('/') ? word->text : join_path(workdir, word->text);
          for (const Made& one : made)
            if (!found && one.line < run.instruction->where.line && takes(path, one.path)) found = &step, hidden = &one;
        }
      }
      if (found) {
        in.report(rule_of("delete-later"), span_of(in, *found), line_of(run),
                  format("{} of line {} is only hidden: its bytes stay in the image", quoted(hidden->path), hidden->line));
      } else if (only_cleanup && &entry != &entries.front()) {
        std::optional<Fix> fix;
        if (before) fix = join_runs(in, *before, run, "clean up in the RUN before");
        in.report(rule_of("delete-later"), span_of(in, steps.front()), line_of(run),
                  "what a RUN of its own deletes is only hidden: the bytes stay in the layer before", std::move(fix));
      }
      for (const Step& step : steps) {
        const std::string_view file = output_file(*step.command);
        if (file.empty() || file.find('$') != file.npos) continue;
        const std::string path = join_path(workdir, file);
        // Taken away in the same RUN it was never stored.
        const bool removed = std::ranges::any_of(steps, [&](const Step& other) {
          return other.order > step.order && other.program == "rm" &&
                 std::ranges::any_of(shell::operands(*other.command),
                                     [&](const Word* word) { return takes(join_path(workdir, word->text), path); });
        });
        if (!removed) made.push_back({path, run.instruction->where.line});
      }
      before = &run;
    }
  }
}

void check_useradd(Inspection& in) {
  each_step(in, [&](const Step& step) {
    if (step.program != "useradd" || has_flag(*step.command, "-l") || has_flag(*step.command, "--no-log-init")) return;
    auto uid = flag_value(*step.command, "-u");
    if (!uid) uid = flag_value(*step.command, "--uid");
    if (!uid || uid->text.size() <= 5 || uid->text.find_first_not_of("0123456789") != uid->text.npos) return;
    const Word& program = step.command->words[shell::program_index(*step.command)];
    in.report(
        rule_of("DL3046"), span_of(in, step), line_of(*step.run),
        "useradd writes a login log with a place for each user id below this one: a sparse file that a layer may store in full",
        insert_after(in, *step.run, program, FixKind::safe, "-l"));
  });
}

bool is_octal(std::string_view mode) {
  return mode.size() >= 3 && mode.size() <= 4 && mode.find_first_not_of("01234567") == mode.npos;
}

/// COPY and then, as the next instruction, chmod or chown of what it copied.
void check_copy_chmod(Inspection& in) {
  for (const StageView& stage : in.stages) {
    const auto entries = entries_of(stage);
    std::string workdir = "/";
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (const auto* set = std::get_if<df::Workdir>(&entries[i].instruction->command)) workdir = join_path(workdir, set->path);
      if (!entries[i].run) continue;
      const RunView& run = *entries[i].run;
      for (const Step& step : steps_of(stage, run)) {
        const bool chmod = step.program == "chmod";
        if ((!chmod && step.program != "chown") || step.visit.in_substitution) continue;
        auto words = shell::operands(*step.command);
        // "+x" and "-x" are modes; operands() takes the second for a flag, and then nothing is to be said.
        if (words.size() != 2 || !words[1]->literal) continue;
        const std::string path = join_path(workdir, words[1]->text);
        // The last COPY before it that wrote there, with no RUN between that could have had a part in it.
        const df::Instruction* from = nullptr;
        const df::Copy* copied = nullptr;
        bool apart = false;
        for (std::size_t k = i; k-- > 0 && !copied;) {
          if (entries[k].run || entries[k].instruction->keyword == "WORKDIR") apart = true;
          const auto* copy = std::get_if<df::Copy>(&entries[k].instruction->command);
          if (!copy) continue;
          std::vector<Made> made;
          add_copied(*entries[k].instruction, workdir, made);
          const std::string target = without_slash(join_path(workdir, copy->destination));
          const bool same = std::ranges::any_of(made, [&](const Made& one) { return one.path == path; }) || target == path;
          if (same) from = entries[k].instruction, copied = copy;
        }
        if (!copied) continue;
        const bool recursive = has_flag(*step.command, "-R") || has_flag(*step.command, "--recursive");
        std::string mode(words[0]->text);
        FixKind kind = FixKind::ask;
        const bool one_file = copied->sources.empty()
                                  ? copied->heredocs.size() == 1
                                  : copied->sources.size() == 1 && copied->heredocs.empty() &&
                                        base_of(copied->sources[0]).find('.') != std::string::npos && copied->sources[0] != "." &&
                                        copied->sources[0] != "./" && copied->sources[0] != "..";
        if (chmod && is_octal(mode) && one_file && !recursive && copied->from.empty()) kind = FixKind::safe;
        if (chmod && (mode == "+x" || mode == "a+x") && one_file) mode = "755";
        std::optional<Fix> fix;
        const bool fits =
            chmod ? copied->chmod.empty() && is_octal(mode) && !recursive && copied->sources.size() + copied->heredocs.size() == 1
                  : copied->chown.empty() && words[0]->literal;
        const shell::AndOr* chain = is_plain_chain(run, true) ? &run.script.list.items[0] : nullptr;
        if (fits && chain && !apart && can_edit(run) && run.run->mounts.empty() && step.visit.top_level &&
            step.visit.and_or == chain && step.command->redirects.empty() && step.visit.pipeline->commands.size() == 1 &&
            words[0]->literal && !(chmod && copied->add && is_archive_name(copied->sources.empty() ? "" : copied->sources[0]))) {
          const Span keyword = in.keyword(*from);
          fix = Fix{kind,
                    format("{} in the {}", chmod ? "--chmod" : "--chown", copied->add ? "ADD" : "COPY"),
                    {{{keyword.end, keyword.end}, format(" --{}={}", step.program, mode)}}};
          if (chain->links.size() == 1) {
            fix->edits.push_back(remove_instruction(in, *run.instruction));
          } else if (step.visit.link + 1 < chain->links.size()) {
            fix->edits.push_back(
                {{run.source_offsets[step.command->begin], run.source_offsets[chain->links[step.visit.link + 1].pipeline.begin]},
                 ""});
          } else {
            const shell::Pipeline& previous = chain->links[step.visit.link - 1].pipeline;
            fix->edits.push_back({{run.source_offsets[previous.end - 1] + 1, run.source_offsets[step.command->end - 1] + 1}, ""});
          }
        }
        in.report(rule_of("prefer-copy-chmod"), span_of(in, step), line_of(run),
                  format("{} stores what line {} copied once more: --{} of {} does it at once", step.program, from->where.line,
                         step.program, copied->add ? "ADD" : "COPY"),
                  std::move(fix));
      }
    }
  }
}

void check_whole_root(Inspection& in) {
  for (const InstructionView& view : in.instructions) {
    const auto* copy = std::get_if<df::Copy>(&view.instruction->command);
    if (!copy || copy->from.empty()) continue;
    const auto is_root = [](std::string_view path) { return without_quotes(path) == "/"; };
    if (!is_root(copy->destination) || !std::ranges::any_of(copy->sources, is_root)) continue;
    in.report(rule_of("DL3067"), in.keyword(*view.instruction), view,
              "a whole root file system is copied over this one: name what is needed");
  }
}

void check_build_tools(Inspection& in) {
  if (in.stages.size() != 1) return;
  static constexpr std::string_view kTools[] = {
      "build-essential",    "gcc",        "g++",    "clang", "make",  "cmake", "build-base",     "gcc-c++",
      "@development-tools", "base-devel", "golang", "cargo", "rustc", "maven", "openjdk-17-jdk", "openjdk-21-jdk"};
  const StageView& stage = in.stages[0];
  for (const RunView& run : stage.runs) {
    if (run.on_build || (!run.exec_form && !run.shell_is_posix)) continue;
    const std::vector<Step> steps = steps_of(stage, run);
    const bool removes = std::ranges::any_of(steps, [](const Step& step) {
      const auto package = package_command(*step.command);
      return package && package->action == Action::remove;
    });
    if (removes) continue;
    for (const Step& step : steps) {
      const auto package = package_command(*step.command);
      if (!package || package->action != Action::install) continue;
      static constexpr std::string_view kSystem[] = {"apt-get", "apt", "apk", "yum", "dnf", "zypper", "pacman"};
      if (std::ranges::find(kSystem, package->manager) == std::end(kSystem)) continue;
      for (const Word* word : package->packages) {
        const std::string name = word->text.substr(0, word->text.find_first_of("=~<>"));
        if (std::ranges::find(kTools, name) == std::end(kTools)) continue;
        in.report(rule_of("build-tools-shipped"), can_edit(run) ? span_of(in, run, *word) : span_of(in, step), line_of(run),
                  format("{} is for building, and comes along into the image: build in a stage of its own", quoted(name)));
        return;
      }
    }
  }
}

const Rule kRules[] = {
    {.id = "delete-later",
     .fix = FixKind::ask,
     .summary = "files are deleted in another layer than they came in",
     .why = "Layers are added one on another. A file that a later one deletes is no longer seen, but stored and transferred with "
            "the layer that brought it.",
     .practice = "Delete in the RUN that made it, mount instead of copying, or build in another stage.",
     .bad = "FROM debian:12\nRUN make\nRUN rm -rf /src\n",
     .good = "FROM debian:12\nRUN make && rm -rf /src\n",
     .check = check_delete_later},
    {.id = "DL3046",
     .fix = FixKind::safe,
     .summary = "useradd with a large user id and without -l",
     .why = "/var/log/lastlog and faillog have a record for each id up to the highest: sparse on disk, gigabytes in a layer.",
     .practice = "Write useradd -l.",
     .bad = "FROM debian:12\nRUN useradd -u 1234567 app\n",
     .good = "FROM debian:12\nRUN useradd -l -u 1234567 app\n",
     .check = check_useradd},
    {.id = "prefer-copy-chmod",
     .severity = Severity::info,
     .fix = FixKind::safe,
     .summary = "chmod or chown of what was just copied",
     .why = "A changed mode or owner makes a new copy of the whole file in the layer of the RUN.",
     .practice = "COPY --chmod=755, COPY --chown=user:group.",
     .bad = "FROM debian:12\nCOPY entry.sh /entry.sh\nRUN chmod 755 /entry.sh\n",
     .good = "FROM debian:12\nCOPY --chmod=755 entry.sh /entry.sh\n",
     .check = check_copy_chmod},
    {.id = "DL3067",
     .summary = "a whole root file system is copied from a stage",
     .why = "The files of both images are then in this one, those of the first hidden where they agree.",
     .practice = "Copy the folders that are needed, or build FROM that stage.",
     .bad = "FROM alpine:3.20 AS build\nFROM debian:12\nCOPY --from=build / /\n",
     .good = "FROM alpine:3.20 AS build\nFROM debian:12\nCOPY --from=build /usr/bin/app /usr/bin/\n",
     .check = check_whole_root},
    {.id = "build-tools-shipped",
     .aliases = "prefer-multi-stage-build",
     .severity = Severity::info,
     .fix = FixKind::none,
     .summary = "compilers come along into the image",
     .why = "They are hundreds of megabytes that nothing needs when the image runs, and a help for whoever breaks in.",
     .practice = "Build in one stage, and COPY --from it what was built.",
     .bad = "FROM debian:12\nRUN apt-get update && apt-get install -y --no-install-recommends gcc=4:12.2.0 && rm -rf "
            "/var/lib/apt/lists/*\n",
     .good = "FROM gcc:13 AS build\nCOPY . .\nRUN make\nFROM debian:12\nCOPY --from=build /app /app\n",
     .check = check_build_tools},
};

}  // namespace

std::span<const Rule> rewrite_rules() { return kRules; }

}  // namespace mica::lint
