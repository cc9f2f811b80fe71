// Users and permissions; secrets are in checks_secrets.cc.
#include <algorithm>
#include <array>

#include "base/format.h"
#include "base/text.h"
#include "dockerfile/parser.h"
#include "lint/checks.h"
#include "lint/reference_text.h"
#include "lint/rule.h"
#include "lint/texts.h"

namespace mica::lint {
namespace {

namespace df = dockerfile;

bool is_root(std::string_view user) {
  user = without_quotes(user);
  user = user.substr(0, user.find(':'));
  return user == "root" || user == "0";
}

Span argument_span(const Inspection& in, const df::Instruction& instruction) {
  return in.span(instruction, in.arguments_begin(instruction), instruction.text.size());
}

void check_last_user(Inspection& in) {
  static const Rule& rule = rule_of("DL3002");
  std::vector<const InstructionView*> last(in.stages.size());
  for (const InstructionView& view : in.instructions)
    if (!view.outer && std::holds_alternative<df::User>(view.instruction->command)) last[view.stage] = &view;
  for (const InstructionView* view : last) {
    if (!view) continue;
    const std::string& user = std::get<df::User>(view->instruction->command).user;
    if (is_root(user)) in.report(rule, argument_span(in, *view->instruction), *view, "the last USER is root: what runs in the container may do anything there");
  }
}

/// Images that are made to run without root say so by their name.
bool says_rootless(const StageView& view) {
  if (!view.base_known) return false;
  for (const std::string_view word : {"nonroot", "non-root", "rootless", "unprivileged", "chainguard"})
    if (view.base.find(word) != std::string::npos) return true;
  return false;
}

void check_no_user(Inspection& in) {
  static const Rule& rule = rule_of("no-user");
  if (in.stages.empty() || in.stages.back().stage->implied) return;
  std::optional<std::size_t> at = in.stages.size() - 1;
  for (; at; at = in.stages[*at].base_stage) {
    for (const df::Instruction& instruction : in.stages[*at].stage->instructions)
      if (std::holds_alternative<df::User>(instruction.command)) return;
    if (!in.stages[*at].base_stage && says_rootless(in.stages[*at])) return;
  }
  const df::Stage& last = *in.stages.back().stage;
  // Before what the container starts: that is what the user is for.
  std::optional<Fix> fix;
  if (!last.instructions.empty()) {
    std::size_t end = in.whole(last.instructions.back()).end;
    std::string text = "\nUSER 65532:65532";
    for (const df::Instruction& instruction : last.instructions)
      if (std::holds_alternative<df::Cmd>(instruction.command) || std::holds_alternative<df::Entrypoint>(instruction.command)) {
        end = in.lines.offset(instruction.where.line, 1);
        text = "USER 65532:65532\n";
        break;
      }
    fix = one_edit(FixKind::ask, "add USER 65532:65532", {end, end}, text);
  }
  in.report(rule, in.whole(last), last.where.line, "no USER: unless the base sets one, the container runs as root", std::move(fix));
}

void check_user_by_name(Inspection& in) {
  static const Rule& rule = rule_of("DL3066");
  for (const InstructionView& view : in.instructions) {
    const auto* user = std::get_if<df::User>(&view.instruction->command);
    if (!user || view.outer) continue;
    std::string_view name = without_quotes(user->user);
    name = name.substr(0, name.find(':'));
    if (name.find('$') != name.npos || (!name.empty() && name.find_first_not_of("0123456789") == name.npos)) continue;
    in.report(rule, argument_span(in, *view.instruction), view,
              format("{} is a name: a cluster that refuses root can tell only by a number", quoted(name)));
  }
}

void check_sudo(Inspection& in) {
  static const Rule& rule = rule_of("DL3004");
  for (const StageView& stage : in.stages)
    for (const RunView& run : stage.runs)
      shell::each_command(run.script, [&](const shell::Visit& visit) {
        const shell::Command& command = *visit.command;
        if (command.words.empty() || base_name(command.words[0].text) != "sudo") return;
        const shell::Word& word = command.words[0];
        std::optional<Fix> fix;
        if (!run.exec_form && command.words.size() > 1 && !command.words[1].text.starts_with('-') &&
            command.words[1].text.find('=') == std::string::npos)
          fix = one_edit(FixKind::ask, "remove sudo", in.span(run, word.begin, command.words[1].begin), "");
        in.report(rule, in.span(run, word.begin, word.end), run.instruction->where.line,
                  "sudo: a RUN is root already, unless USER says otherwise", std::move(fix));
      });
}

/// A mode that lets everybody write, and the same without.
std::optional<std::string> without_write(std::string_view mode) {
  if (const auto number = parse_octal(mode); number && mode.find_first_not_of("01234567") == mode.npos) {
    const bool sticky = (*number & 01000) != 0;
    if ((*number & 02) == 0 || sticky) return std::nullopt;
    std::string text = format("{:o}", *number & ~std::uint64_t{022});
    while (text.size() < mode.size()) text.insert(0, "0");
    return text;
  }
  for (const std::string_view clause : split(mode, ',')) {
    const std::size_t sign = clause.find_first_of("+=");
    if (sign == clause.npos || clause.find('w', sign) == clause.npos) continue;
    const std::string_view who = clause.substr(0, sign);
    if (who.find('a') != who.npos || who.find('o') != who.npos) return "";
  }
  return std::nullopt;
}

void check_world_writable(Inspection& in) {
  static const Rule& rule = rule_of("world-writable");
  const auto report = [&](std::string_view mode, std::string_view better, Span where, int line) {
    std::optional<Fix> fix;
    if (!better.empty()) fix = one_edit(FixKind::ask, format("write {}", better), where, std::string(better));
    in.report(rule, where, line, format("mode {} lets every user write", mode), std::move(fix));
  };
  for (const InstructionView& view : in.instructions)
    if (const auto* copy = std::get_if<df::Copy>(&view.instruction->command); copy && !copy->chmod.empty()) {
      const auto better = without_write(copy->chmod);
      const auto flag = find_flag(in, *view.instruction, "chmod");
      const std::size_t at = flag ? flag->text.find(copy->chmod, 7) : std::string_view::npos;
      if (!better || at == std::string_view::npos) continue;
      report(copy->chmod, *better, in.span(*view.instruction, flag->begin + at, flag->begin + at + copy->chmod.size()), view.line());
    }
  for (const StageView& stage : in.stages)
    for (const RunView& run : stage.runs)
      shell::each_command(run.script, [&](const shell::Visit& visit) {
        if (shell::program(*visit.command) != "chmod") return;
        const auto operands = shell::operands(*visit.command);
        if (operands.empty() || !operands[0]->literal) return;
        const auto better = without_write(operands[0]->text);
        if (better) report(operands[0]->text, *better, in.span(run, operands[0]->begin, operands[0]->end), run.instruction->where.line);
      });
}

void check_copy_after_user(Inspection& in) {
  static const Rule& rule = rule_of("copy-after-user");
  std::vector<std::string> user(in.stages.size());
  std::size_t stage = in.stages.size();
  for (const InstructionView& view : in.instructions) {
    if (view.stage != stage) {
      stage = view.stage;
      if (const auto base = in.stages[stage].base_stage) user[stage] = user[*base];
    }
    if (view.outer) continue;
    if (const auto* set = std::get_if<df::User>(&view.instruction->command)) user[stage] = is_root(set->user) ? "" : set->user;
    const auto* copy = std::get_if<df::Copy>(&view.instruction->command);
    if (!copy || user[stage].empty() || !copy->chown.empty()) continue;
    const std::size_t end = view.instruction->keyword_as_written.size();
    const std::size_t at = in.source_offset(*view.instruction, end);
    std::optional<Fix> fix;
    if (user[stage].find_first_of(" \t\"'\\") == std::string::npos)
      fix = one_edit(FixKind::ask, format("add --chown={}", user[stage]), {at, at}, format(" --chown={}", user[stage]));
    in.report(rule, in.keyword(*view.instruction), view,
              format("{} makes files of root, whatever USER says: {} cannot change them", view.instruction->keyword, user[stage]), std::move(fix));
  }
}

/// Whether `name` stands in `text` as a word.
bool mentions(std::string_view text, std::string_view name) {
  const auto is_word = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-'; };
  for (std::size_t at = text.find(name); at != text.npos; at = text.find(name, at + 1))
    if ((at == 0 || !is_word(text[at - 1])) && (at + name.size() == text.size() || !is_word(text[at + name.size()]))) return true;
  return false;
}

void check_unused_user(Inspection& in) {
  static const Rule& rule = rule_of("unused-user");
  for (const StageView& stage : in.stages) {
    if (!stage.exported) continue;
    for (const RunView& run : stage.runs)
      shell::each_command(run.script, [&](const shell::Visit& visit) {
        const std::string_view program = shell::program(*visit.command);
        if (run.exec_form || (program != "useradd" && program != "adduser")) return;
        const auto operands = shell::operands(*visit.command, {"-u", "--uid", "-g", "--gid", "-G", "--groups", "--ingroup", "-d", "--home-dir", "--home",
                                                               "-h", "-s", "--shell", "-c", "--comment", "--gecos", "-k", "--skel", "-p", "--password",
                                                               "-b", "-e", "-f", "-K"});
        if (operands.empty() || !operands[0]->literal) return;
        // useradd takes the name last; adduser first, a group may follow.
        const shell::Word& name = program == "useradd" ? *operands.back() : *operands.front();
        const std::size_t after = in.span(run, visit.command->end, visit.command->end).begin;
        if (name.text.empty() || mentions(std::string_view(in.source).substr(std::min(after, in.source.size())), name.text)) return;
        in.report(rule, in.span(run, name.begin, name.end), run.instruction->where.line,
                  format("the user {} is made and never used: the container still runs as another", name.text));
      });
  }
}

/// Groups that a user was put into count only when USER does not name one.
void check_lost_groups(Inspection& in) {
  static const Rule& rule = rule_of("lost-groups");
  std::vector<std::vector<std::string>> members(in.stages.size());
  for (const StageView& stage : in.stages) {
    if (stage.base_stage) members[stage.index] = members[*stage.base_stage];
    for (const RunView& run : stage.runs)
      shell::each_command(run.script, [&](const shell::Visit& visit) {
        const std::string_view program = shell::program(*visit.command);
        const bool adds = (program == "useradd" || program == "usermod")
                              ? shell::has_flag(*visit.command, "-G") || shell::has_flag(*visit.command, "--groups")
                              : program == "adduser" || program == "addgroup" || program == "gpasswd";
        if (!adds) return;
        const auto operands = shell::operands(*visit.command, {"-G", "--groups", "-g", "--gid", "-u", "--uid", "-s", "--shell", "-d", "--home-dir", "-h", "-c"});
        if (program == "useradd" || program == "usermod") {
          if (!operands.empty() && operands.back()->literal) members[stage.index].push_back(operands.back()->text);
        } else if (operands.size() == 2 && operands.front()->literal) {
          members[stage.index].push_back(operands.front()->text);
        }
      });
  }
  for (const InstructionView& view : in.instructions) {
    const auto* user = std::get_if<df::User>(&view.instruction->command);
    if (!user || view.outer) continue;
    const std::string_view text = without_quotes(user->user);
    const std::size_t colon = text.find(':');
    if (colon == text.npos || std::ranges::find(members[view.stage], text.substr(0, colon)) == members[view.stage].end()) continue;
    const std::size_t begin = in.arguments_begin(*view.instruction) + (text.data() - user->user.data()) + colon;
    const Span group = in.span(*view.instruction, begin, begin + text.size() - colon);
    in.report(rule, group, view, format("with a group here, {} is in no other of the groups that it was put into", text.substr(0, colon)),
              one_edit(FixKind::ask, "remove the group", group, ""));
  }
}

/// A volume that a user other than root is to write, made by nothing that gives it to them.
void check_root_volume(Inspection& in) {
  static const Rule& rule = rule_of("root-volume");
  for (const InstructionView& view : in.instructions) {
    const auto* volume = std::get_if<df::Volume>(&view.instruction->command);
    if (!volume || view.outer || !in.stages[view.stage].exported) continue;
    std::string_view last_user;
    for (const df::Instruction& instruction : in.stages[view.stage].stage->instructions)
      if (const auto* user = std::get_if<df::User>(&instruction.command)) last_user = user->user;
    if (last_user.empty() || is_root(last_user)) continue;
    const std::size_t before = in.whole(*view.instruction).begin;
    for (const std::string& path : volume->paths) {
      if (!path.starts_with('/') || path.find('$') != std::string::npos) continue;
      // Whatever above says its name may have made it over: chown, install -o, COPY --chown, WORKDIR.
      if (mentions(std::string_view(in.source).substr(0, before), path)) continue;
      const std::size_t at = view.instruction->text.find(path, in.arguments_begin(*view.instruction));
      if (at == std::string::npos) continue;
      in.report(rule, in.span(*view.instruction, at, at + path.size()), view,
                format("{} will be root's, and {} cannot write there: make it and give it away first", path, last_user));
    }
  }
}

/// "/proc", "/proc/x"; not "/process".
bool is_below(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

void check_system_folder(Inspection& in) {
  static const Rule& rule = rule_of("system-folder");
  for (const InstructionView& view : in.instructions) {
    std::vector<std::string_view> paths;
    if (const auto* volume = std::get_if<df::Volume>(&view.instruction->command)) paths.assign(volume->paths.begin(), volume->paths.end());
    if (const auto* workdir = std::get_if<df::Workdir>(&view.instruction->command)) paths.push_back(without_quotes(workdir->path));
    for (const std::string_view path : paths)
      for (const std::string_view folder : {"/proc", "/sys", "/dev"}) {
        if (!is_below(path, folder)) continue;
        const std::size_t at = view.instruction->text.find(path, in.arguments_begin(*view.instruction));
        const Span where = at == std::string::npos ? argument_span(in, *view.instruction) : in.span(*view.instruction, at, at + path.size());
        in.report(rule, where, view, format("{} belongs to the kernel: a container gets its own there", folder));
      }
  }
}

void check_docker_socket(Inspection& in) {
  static const Rule& rule = rule_of("docker-socket");
  for (const InstructionView& view : in.instructions) {
    const auto* volume = std::get_if<df::Volume>(&view.instruction->command);
    const auto* run = std::get_if<df::Run>(&view.instruction->command);
    if (!volume && !(run && !run->mounts.empty())) continue;
    const std::size_t end = run ? in.arguments_begin(*view.instruction) : view.instruction->text.size();
    const std::string_view text = std::string_view(view.instruction->text).substr(0, end);
    const std::size_t at = text.find("/docker.sock");
    if (at == text.npos) continue;
    std::size_t begin = at;
    while (begin > 0 && text[begin - 1] != '=' && text[begin - 1] != '"' && text[begin - 1] != ' ' && text[begin - 1] != ',') --begin;
    in.report(rule, in.span(*view.instruction, begin, at + 12), view, "who may write to the engine's socket is root on the host");
  }
}

const Rule kRules[] = {
    {.id = "DL3002",
     .severity = Severity::warning,
     .summary = "the last USER is root",
     .why = "A program that is broken into then has every right in the container, and is one hole of the kernel or the runtime away from the host.",
     .practice = "Switch to another user before the stage ends.",
     .bad = "FROM debian:12.9\nUSER root\n",
     .good = "FROM debian:12.9\nUSER root\nRUN apt-get check\nUSER 1000\n",
     .check = check_last_user},
    {.id = "no-user",
     .severity = Severity::warning,
     .fix = FixKind::ask,
     .summary = "no USER at all",
     .why = "Without one the container runs as the base image's user, and nearly all bases leave that to root.",
     .practice = "End the image with USER and a number.",
     .bad = "FROM debian:12.9\nCMD [\"app\"]\n",
     .good = "FROM debian:12.9\nUSER 65532:65532\nCMD [\"app\"]\n",
     .check = check_no_user},
    {.id = "DL3066",
     .severity = Severity::info,
     .fix = FixKind::data,
     .summary = "USER by name",
     .why = "Names are looked up in the image's /etc/passwd when a container starts. An orchestrator that must not run root can check a number only.",
     .practice = "Write the number.",
     .bad = "FROM debian:12.9\nUSER app\n",
     .good = "FROM debian:12.9\nUSER 1000:1000\n",
     .check = check_user_by_name},
    {.id = "DL3004",
     .severity = Severity::error,
     .fix = FixKind::ask,
     .summary = "sudo",
     .why = "It hides as whom a command runs, handles signals and terminals in its own way, and is one more program with the setuid bit in the image.",
     .practice = "Switch with USER, or run the step before USER.",
     .bad = "FROM debian:12.9\nRUN sudo apt-get check\n",
     .good = "FROM debian:12.9\nRUN apt-get check\nUSER 1000\n",
     .check = check_sudo},
    {.id = "DL3064",
     .aliases = "SecretsUsedInArgOrEnv",
     .severity = Severity::warning,
     .summary = "ARG or ENV with the name of a secret",
     .why = "Values of ENV are in the image's configuration, values of ARG in its history: whoever has the image can read both.",
     .practice = "Use RUN --mount=type=secret while building, and the environment of the container when running.",
     .bad = "FROM debian:12.9\nARG API_TOKEN\n",
     .good = "FROM debian:12.9\nRUN --mount=type=secret,id=api_token app --token-file=/run/secrets/api_token\n",
     .check = check_secret_names},
    {.id = "secret-value",
     .aliases = "secrets-in-code",
     .severity = Severity::error,
     .summary = "what looks like a token, a private key or a password",
     .why = "It is in the image's history or files for good, and in the repository of the Dockerfile. Taking it out later does not take it back.",
     .practice = "Revoke it, and hand secrets to the build with RUN --mount=type=secret.",
     .bad = "FROM debian:12.9\nRUN curl -fsS https://user:hunter2@example.com/file\n",
     .good = "FROM debian:12.9\nRUN --mount=type=secret,id=netrc,target=/root/.netrc curl -fsSn https://example.com/file\n",
     .check = check_secret_values},
    {.id = "credential-file",
     .severity = Severity::error,
     .summary = "COPY of a file that holds credentials",
     .why = "The layer keeps the file, also when a later step removes it.",
     .practice = "Mount it with RUN --mount=type=secret where it is needed, and list it in .dockerignore.",
     .bad = "FROM debian:12.9\nCOPY .netrc /root/.netrc\n",
     .good = "FROM debian:12.9\nRUN --mount=type=secret,id=netrc,target=/root/.netrc true\n",
     .check = check_credential_files},
    {.id = "world-writable",
     .severity = Severity::warning,
     .fix = FixKind::ask,
     .summary = "files that every user may write",
     .why = "Any process in the container, whatever its user, can then change the program or its configuration.",
     .practice = "Give the files to the user that needs them (--chown), and keep the mode tight.",
     .bad = "FROM debian:12.9\nRUN chmod -R 777 /srv\n",
     .good = "FROM debian:12.9\nRUN chmod -R 755 /srv\n",
     .check = check_world_writable},
    {.id = "copy-after-user",
     .severity = Severity::warning,
     .fix = FixKind::ask,
     .summary = "COPY below USER without --chown",
     .why = "USER does not count for COPY and ADD: what they make is root's. The program that runs as the user cannot write there.",
     .practice = "Add --chown; or leave it to root on purpose, and copy before USER.",
     .bad = "FROM debian:12.9\nUSER 1000\nCOPY app /srv/app\n",
     .good = "FROM debian:12.9\nUSER 1000\nCOPY --chown=1000 app /srv/app\n",
     .check = check_copy_after_user},
    {.id = "unused-user",
     .severity = Severity::warning,
     .summary = "a user is made and never used",
     .why = "The user was meant to run the program; without USER it does not.",
     .practice = "Add USER, or do not make it.",
     .bad = "FROM debian:12.9\nRUN useradd --system app\nCMD [\"serve\"]\n",
     .good = "FROM debian:12.9\nRUN useradd --system app\nUSER app\nCMD [\"serve\"]\n",
     .check = check_unused_user},
    {.id = "lost-groups",
     .aliases = "user-explicit-group-drops-supplementary-groups",
     .severity = Severity::warning,
     .fix = FixKind::ask,
     .summary = "USER with a group loses the user's other groups",
     .why = "With a group after the colon the process is in that group alone; without one it is in all that /etc/group puts the user into.",
     .practice = "Write USER without a group.",
     .bad = "FROM debian:12.9\nRUN useradd -G audio app\nUSER app:app\n",
     .good = "FROM debian:12.9\nRUN useradd -G audio app\nUSER app\n",
     .check = check_lost_groups},
    {.id = "root-volume",
     .severity = Severity::warning,
     .summary = "volume that the image's user cannot write",
     .why = "A new volume gets the owner and mode that the folder has in the image. When nothing made the folder, it is root's.",
     .practice = "Make the folder and give it to the user before VOLUME.",
     .bad = "FROM debian:12.9\nVOLUME /data\nUSER 1000\n",
     .good = "FROM debian:12.9\nRUN install -d -o 1000 /data\nVOLUME /data\nUSER 1000\n",
     .check = check_root_volume},
    {.id = "system-folder",
     .severity = Severity::error,
     .summary = "VOLUME or WORKDIR on /proc, /sys or /dev",
     .why = "The runtime mounts the kernel's own file systems there: a volume hides them, or fails to mount.",
     .practice = "Use another folder.",
     .bad = "FROM debian:12.9\nVOLUME /proc\n",
     .good = "FROM debian:12.9\nVOLUME /data\n",
     .check = check_system_folder},
    {.id = "docker-socket",
     .severity = Severity::error,
     .summary = "the engine's socket in a volume or a mount",
     .why = "Who can write to it can start a container with the host's root folder in it.",
     .practice = "Give a container the socket, if it must be, when it is run, and by a proxy that lets through only what it needs.",
     .bad = "FROM debian:12.9\nVOLUME /var/run/docker.sock\n",
     .good = "FROM debian:12.9\nVOLUME /var/lib/app\n",
     .check = check_docker_socket},
};

}  // namespace

std::span<const Rule> user_rules() { return kRules; }

}  // namespace mica::lint
