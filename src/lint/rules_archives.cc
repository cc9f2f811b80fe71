// Archives that are in the image beside their contents.
#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "lint/run_rules.h"

namespace mica::lint {
namespace {

namespace df = dockerfile;
using shell::has_flag;
using shell::Word;

/// COPY and then a RUN with tar and nothing else (but rm of the archive): ADD does both.
std::optional<Fix> use_add(const Inspection& in, const df::Instruction& instruction, const RunView& run, const Step& unpack) {
  const auto* copy = std::get_if<df::Copy>(&instruction.command);
  if (!copy || copy->sources.size() != 1 || !copy->heredocs.empty() || !is_plain_chain(run) || !can_edit(run) ||
      !run.run->mounts.empty())
    return std::nullopt;
  if (unpack.program != "tar" || unpack.visit.pipeline->commands.size() != 1 || !is_archive_name(copy->sources[0]) ||
      copy->sources[0].ends_with(".zip"))
    return std::nullopt;
  for (const Step& step : steps_of(in.stages[run.stage], run))
    if (step.order != unpack.order && (step.program != "rm" || shell::operands(*step.command).size() != 1)) return std::nullopt;
  const auto folder =
      flag_value(*unpack.command, "-C") ? flag_value(*unpack.command, "-C") : flag_value(*unpack.command, "--directory");
  // Of what is left out, renamed or picked ADD knows nothing.
  for (const Word& word : unpack.command->words)
    if (word.text.starts_with("--") && !word.text.starts_with("--directory") && !word.text.starts_with("--file") &&
        word.text != "--extract")
      return std::nullopt;
  if (!folder || !folder->word->literal || !folder->text.starts_with('/') || folder->text.find(' ') != folder->text.npos ||
      shell::operands(*unpack.command, {"-C", "--directory", "-f", "--file"}).size() > 1)
    return std::nullopt;
  std::string target(folder->text);
  if (!target.ends_with('/')) target += '/';
  std::string flags;
  for (const df::Flag& flag : instruction.flags) flags += format("--{}{} ", flag.name, flag.value ? "=" + *flag.value : "");
  return Fix{FixKind::ask,
             "use ADD",
             {{in.whole(instruction), format("ADD {}{} {}", flags, copy->sources[0], target)},
              remove_instruction(in, *run.instruction)}};
}

void check_copied_archive(Inspection& in) {
  for (const StageView& stage : in.stages) {
    struct Archive {
      const df::Instruction* instruction = nullptr;
      std::string name, source;
      bool told = false;
    };
    std::vector<Archive> archives;
    const df::Instruction* last_run = nullptr;
    for (const Entry& entry : entries_of(stage)) {
      if (const auto* copy = std::get_if<df::Copy>(&entry.instruction->command); copy && !copy->add && copy->from.empty()) {
        if (is_archive_name(copy->destination))
          archives.push_back({entry.instruction, base_of(copy->destination), copy->sources.empty() ? "" : copy->sources[0]});
        else
          for (const std::string& source : copy->sources)
            if (is_archive_name(source)) archives.push_back({entry.instruction, base_of(source), source});
      }
      if (!entry.run) continue;
      for (const Step& step : steps_of(stage, *entry.run)) {
        if (!extracts_archive(*step.command)) continue;
        for (Archive& archive : archives) {
          if (archive.told ||
              !std::ranges::any_of(step.command->words, [&](const Word& word) { return base_of(word.text) == archive.name; }))
            continue;
          archive.told = true;
          const std::size_t at = archive.instruction->text.find(archive.source);
          in.report(rule_of("DL3010"),
                    at == std::string::npos || archive.source.empty()
                        ? in.keyword(*archive.instruction)
                        : in.span(*archive.instruction, at, at + archive.source.size()),
                    archive.instruction->where.line,
                    format("{} is stored as it is, and once more unpacked by line {}", quoted(archive.name),
                           entry.instruction->where.line),
                    last_run && last_run->where.line > archive.instruction->where.line
                        ? std::nullopt
                        : use_add(in, *archive.instruction, *entry.run, step));
        }
      }
      last_run = entry.instruction;
    }
  }
}

void check_archive_left(Inspection& in) {
  each_run(in, [&](const StageView& stage, const RunView& run) {
    if (!stage.exported) return;
    const std::vector<Step> steps = steps_of(stage, run);
    for (const Step& download : steps) {
      std::string file(output_file(*download.command));
      const auto links = urls(*download.command);
      if (file.empty() && links.size() == 1 &&
          (download.program == "wget" ? !flag_value(*download.command, "-O")
                                      : has_flag(*download.command, "-O") && download.program == "curl"))
        file = base_of(links[0]->text);
      if (file.empty() || file.starts_with("${") || (file.starts_with("/tmp/") && has_cache_mount(run, "/tmp"))) continue;
      bool extracted = false, removed = false;
      const std::string name = base_of(file);
      for (const Step& step : steps) {
        if (step.order <= download.order) continue;
        const bool named = std::ranges::any_of(step.command->words, [&](const Word& word) { return base_of(word.text) == name; });
        if (named && extracts_archive(*step.command)) extracted = true;
        if (step.program == "gunzip" || step.program == "bunzip2" || step.program == "unxz") removed = removed || named;
        if (step.program == "mv" && named) removed = true;
        if (step.program == "rm" && std::ranges::any_of(shell::operands(*step.command), [&](const Word* word) {
              const std::string last = base_of(without_slash(word->text));
              if (last == name || takes(word->text, file) || last == "*") return true;
              if (last.starts_with('*') && name.ends_with(last.substr(1))) return true;
              if (last.ends_with('*') && name.starts_with(last.substr(0, last.size() - 1))) return true;
              // "cd /tmp/x && wget a.tgz && rm -rf /tmp/x": the folder goes, and with it what has no path.
              return file.find('/') == std::string::npos && has_flag(*step.command, "-r");
            }))
          removed = true;
      }
      if (!extracted || removed) continue;
      in.report(rule_of("archive-left"), span_of(in, download), line_of(run),
                format("{} is unpacked and then left in the layer", quoted(name)),
                file.starts_with('/') && file.find_first_of(" $'\"*") == std::string::npos
                    ? append_command(in, run, FixKind::ask, "rm " + file)
                    : std::nullopt);
    }
  });
}

const Rule kRules[] = {
    {.id = "DL3010",
     .severity = Severity::info,
     .fix = FixKind::ask,
     .summary = "an archive is copied and then unpacked",
     .why = "The image then holds the archive and what was in it.",
     .practice = "ADD unpacks a local archive as it copies.",
     .bad = "FROM debian:12\nCOPY app.tar.gz /tmp/\nRUN tar -xzf /tmp/app.tar.gz -C /opt\n",
     .good = "FROM debian:12\nADD app.tar.gz /opt/\n",
     .check = check_copied_archive},
    {.id = "archive-left",
     .fix = FixKind::ask,
     .summary = "a downloaded archive is unpacked and not removed",
     .why = "The image holds the archive beside its contents.",
     .practice = "Remove it in the same RUN, pipe it into tar, or use ADD.",
     .bad = "FROM debian:12\nRUN curl -fsSL -o /opt/a.tgz https://example.com/a.tgz && tar -xzf /opt/a.tgz -C /opt\n",
     .good = "FROM debian:12\nRUN curl -fsSL -o /opt/a.tgz https://example.com/a.tgz && tar -xzf /opt/a.tgz -C /opt && rm "
             "/opt/a.tgz\n",
     .check = check_archive_left},
};

}  // namespace

std::span<const Rule> archive_rules() { return kRules; }

}  // namespace mica::lint
