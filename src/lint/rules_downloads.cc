// Programs that fetch from the network.
#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "lint/run_rules.h"

namespace mica::lint {
namespace {

namespace df = dockerfile;
using shell::Command;
using shell::has_flag;
using shell::Word;

const Word& program_word(const Step& step) { return step.command->words[shell::program_index(*step.command)]; }
Span program_span(const Inspection& in, const Step& step) {
  return can_edit(*step.run) ? span_of(in, *step.run, program_word(step)) : span_of(in, step);
}

void check_both(Inspection& in) {
  for (const StageView& stage : in.stages) {
    std::string_view first;
    bool both = false;
    for (const RunView& run : stage.runs) {
      if (!run.exec_form && !run.shell_is_posix) continue;
      for (const Step& step : steps_of(stage, run)) {
        if (step.program != "curl" && step.program != "wget") continue;
        if (first.empty()) first = step.program;
        both = both || step.program != first;
        if (!both) continue;
        in.report(rule_of("DL4001"), program_span(in, step), line_of(run),
                  "this stage uses both curl and wget: one of them is enough");
        break;
      }
    }
  }
}

void check_progress(Inspection& in) {
  each_step(in, [&](const Step& step) {
    if (step.program != "wget") return;
    for (const std::string_view flag : {"--progress", "-q", "--quiet", "-o", "--output-file", "-a", "--append-output", "-nv",
                                        "--no-verbose", "--version", "--help"})
      if (flag == "-nv" ? std::ranges::any_of(step.command->words, [](const Word& word) { return word.text.starts_with("-nv"); })
                        : has_flag(*step.command, flag))
        return;
    // busybox has no --progress.
    const bool alpine = base_is_alpine(in, *step.stage);
    in.report(rule_of("DL3047"), program_span(in, step), line_of(*step.run),
              "wget draws its progress bar into the log of the build",
              insert_after(in, *step.run, program_word(step), FixKind::safe, alpine ? "-q" : "--progress=dot:giga"));
  });
}

/// What fetches a page to look at, or asks something, is no download.
bool is_download(const Step& step) {
  return step.program == "curl" && !urls(*step.command).empty() && !has_flag(*step.command, "-I") &&
         !has_flag(*step.command, "--head") && !has_flag(*step.command, "--version");
}

void check_curl_fail(Inspection& in) {
  each_step(in, [&](const Step& step) {
    if (!is_download(step) || has_flag(*step.command, "-f") || has_flag(*step.command, "--fail") ||
        has_flag(*step.command, "--fail-with-body") || has_flag(*step.command, "--fail-early"))
      return;
    in.report(rule_of("curl-without-fail"), program_span(in, step), line_of(*step.run),
              "curl takes an error page for success: it is saved or run as if it were the file",
              insert_after(in, *step.run, program_word(step), FixKind::ask, "-f"));
  });
}

void check_curl_location(Inspection& in) {
  each_step(in, [&](const Step& step) {
    if (!is_download(step) || has_flag(*step.command, "-L") || has_flag(*step.command, "--location") ||
        has_flag(*step.command, "--location-trusted"))
      return;
    in.report(rule_of("curl-without-location"), program_span(in, step), line_of(*step.run),
              "curl does not follow redirections: once the file moves, an empty page is saved instead",
              insert_after(in, *step.run, program_word(step), FixKind::ask, "-L"));
  });
}

bool is_local(std::string_view url) {
  const std::string_view host = url.substr(std::min(url.find("://"), url.size() - 3) + 3);
  return host.starts_with("localhost") || host.starts_with("127.") || host.starts_with("[::1]") || host.starts_with("$");
}

void check_plain_http(Inspection& in) {
  each_step(in, [&](const Step& step) {
    if (step.program != "curl" && step.program != "wget") return;
    for (const Word* word : urls(*step.command)) {
      if (!word->text.starts_with("http://") || is_local(word->text)) continue;
      std::optional<Fix> fix;
      if (word->literal && !word->quoted)
        fix = replace_word(in, *step.run, *word, FixKind::ask, "use https", "https" + word->text.substr(4));
      in.report(rule_of("plain-http"), can_edit(*step.run) ? span_of(in, *step.run, *word) : span_of(in, step),
                line_of(*step.run), "over plain http anybody on the way may put another file in its place", std::move(fix));
    }
  });
  for (const InstructionView& view : in.instructions) {
    const auto* copy = std::get_if<df::Copy>(&view.instruction->command);
    if (!copy || !copy->add || !copy->checksum.empty()) continue;
    for (const std::string& source : copy->sources) {
      if (!source.starts_with("http://") || is_local(source)) continue;
      const std::size_t at = view.instruction->text.find(source);
      if (at == std::string::npos) continue;
      in.report(rule_of("plain-http"), in.span(*view.instruction, at, at + source.size()), view,
                "over plain http anybody on the way may put another file in its place");
    }
  }
}

bool is_interpreter(std::string_view program) {
  for (const std::string_view one :
       {"sh", "bash", "dash", "ash", "zsh", "ksh", "python", "python3", "perl", "ruby", "node", "php", "source", "."})
    if (program == one) return true;
  return false;
}

bool fetches(const Command& command) {
  const std::string_view program = shell::program(command);
  return program == "curl" || program == "wget" || program == "fetch";
}

bool fetches(const shell::List& list) {
  return std::ranges::any_of(list.items, [](const shell::AndOr& item) {
    return std::ranges::any_of(item.links, [](const shell::AndOr::Link& link) {
      return std::ranges::any_of(link.pipeline.commands, [](const Command& one) { return fetches(one); });
    });
  });
}

void check_pipe_to_shell(Inspection& in) {
  each_step(in, [&](const Step& step) {
    if (!is_interpreter(step.program)) return;
    bool found = false;
    // curl ... | sh
    for (const Command& before : step.visit.pipeline->commands) {
      if (&before == step.command) break;
      found = found || fetches(before);
    }
    // A script given by name reads its data from the pipe: "python3 -c ..." and "sh file". "-" and "-s" still run what comes.
    const auto words = shell::operands(*step.command);
    const bool named = (!words.empty() && words[0]->text != "-" && !has_flag(*step.command, "-s")) ||
                       (has_flag(*step.command, "-c") && step.command->words.size() > 2) || has_flag(*step.command, "-m") ||
                       has_flag(*step.command, "-e");
    if (found && named) found = false;
    // bash <(curl ...), sh -c "$(curl ...)"
    for (const Word& word : step.command->words)
      for (const shell::Expansion& expansion : word.expansions)
        if (expansion.commands && fetches(*expansion.commands)) found = true;
    if (!found) return;
    in.report(rule_of("pipe-to-shell"),
              can_edit(*step.run) ? in.span(*step.run, step.visit.pipeline->begin, step.visit.pipeline->end) : span_of(in, step),
              line_of(*step.run), "what the network gives today is run at once, unseen and unchecked");
  });
}

/// "git clone [--depth N] [-b REF] URL [DIR]" and nothing that ADD could not do. Submodules and full history need the program.
void check_git_clone(Inspection& in) {
  each_step(in, [&](const Step& step) {
    if (step.program != "git") return;
    const auto words = shell::operands(
        *step.command, {"-b", "--branch", "--depth", "-c", "--config", "-C", "-j", "--jobs", "--filter", "-o", "--origin"});
    if (words.size() < 2 || words.size() > 3 || words[0]->text != "clone") return;
    const std::string& url = words[1]->text;
    if (!url.starts_with("https://") && !url.starts_with("git@") && !url.starts_with("ssh://")) return;
    std::optional<Fix> fix;
    const std::string ref = [&] {
      if (const auto value = flag_value(*step.command, "-b")) return std::string(value->text);
      if (const auto value = flag_value(*step.command, "--branch")) return std::string(value->text);
      return std::string();
    }();
    const bool recursive = has_flag(*step.command, "--recurse-submodules") || has_flag(*step.command, "--recursive");
    const bool others = std::ranges::any_of(step.command->words, [](const Word& word) {
      return word.text == "-c" || word.text.starts_with("--filter") || word.text == "-C";
    });
    const bool alone = is_plain_chain(*step.run) && step.run->script.list.items[0].links.size() == 1 &&
                       step.visit.pipeline->commands.size() == 1 && step.command->redirects.empty() &&
                       step.run->run->mounts.empty() && !step.run->on_build;
    if (alone && !recursive && !others && url.starts_with("https://") && can_edit(*step.run)) {
      std::string target = words.size() == 3 ? words[2]->text : url.substr(url.rfind('/') + 1);
      if (target.ends_with(".git")) target.resize(target.size() - 4);
      std::string source = url;
      if (!source.ends_with(".git")) source += ".git";
      if (!ref.empty()) source += "#" + ref;
      if (target.find_first_of(" \"'$~") == std::string::npos && source.find_first_of(" \"'") == std::string::npos)
        fix = Fix{FixKind::ask,
                  "use ADD",
                  {{in.whole(*step.run->instruction), format("ADD --keep-git-dir=true {} {}", source, target)}}};
    }
    in.report(rule_of("prefer-add-git"), span_of(in, step), line_of(*step.run),
              "the cached clone is never renewed, and git must be installed for it: ADD fetches a repository by itself and sees "
              "when it changed",
              std::move(fix));
  });
}

/// "curl URL | tar -x -C DIR" and nothing else.
std::optional<Fix> add_unpack(const Inspection& in, const RunView& run, const Step& download, const Step& unpack) {
  const auto links = urls(*download.command);
  const auto folder =
      flag_value(*unpack.command, "-C") ? flag_value(*unpack.command, "-C") : flag_value(*unpack.command, "--directory");
  if (!is_plain_chain(run) || !can_edit(run) || run.on_build || links.size() != 1 || !links[0]->literal || !folder ||
      !folder->word->literal)
    return std::nullopt;
  const shell::AndOr& chain = run.script.list.items[0];
  if (chain.links.size() != 1 || chain.links[0].pipeline.commands.size() != 2 ||
      download.visit.pipeline != unpack.visit.pipeline || !run.run->mounts.empty())
    return std::nullopt;
  // With --strip-components or a list of members less is unpacked, or elsewhere.
  for (const Word& word : unpack.command->words)
    if (word.text.starts_with("--strip") || word.text.starts_with("--exclude") || word.text.starts_with("--transform"))
      return std::nullopt;
  if (shell::operands(*unpack.command, {"-C", "--directory", "-f", "--file"}).size() > 1) return std::nullopt;
  std::string target(folder->text);
  if (target.find(' ') != std::string::npos) return std::nullopt;
  if (!target.ends_with('/')) target += '/';
  return Fix{FixKind::ask,
             "use ADD --unpack",
             {{in.whole(*run.instruction), format("ADD --unpack=true {} {}", links[0]->text, target)}}};
}

void check_unpack(Inspection& in) {
  each_run(in, [&](const StageView& stage, const RunView& run) {
    const std::vector<Step> steps = steps_of(stage, run);
    for (const Step& step : steps) {
      if (!extracts_archive(*step.command) || step.program == "zcat" || step.program == "gzcat" || step.program == "unzip")
        continue;
      const Step* download = nullptr;
      for (const Step& other : steps) {
        if (&other == &step) break;
        if (!fetches(*other.command)) continue;
        const bool piped = other.visit.pipeline == step.visit.pipeline;
        const std::string_view file = output_file(*other.command);
        const bool named =
            !file.empty() && std::ranges::any_of(step.command->words, [&](const Word& word) { return word.text == file; });
        if (piped || named) download = &other;
      }
      if (!download) continue;
      in.report(rule_of("prefer-add-unpack"), span_of(in, *download), line_of(run),
                "ADD --unpack=true fetches and unpacks an archive without any program in the image, and --checksum checks it",
                add_unpack(in, run, *download, step));
      return;
    }
  });
}

const Rule kRules[] = {
    {.id = "DL4001",
     .summary = "both curl and wget are used in a stage",
     .why = "Each brings its libraries along, and they need the same updates.",
     .practice = "Choose one of them.",
     .bad = "FROM debian:12\nRUN wget -q https://example.com/a\nRUN curl -fLO https://example.com/b\n",
     .good = "FROM debian:12\nRUN curl -fLO https://example.com/a && curl -fLO https://example.com/b\n",
     .check = check_both},
    {.id = "DL3047",
     .severity = Severity::info,
     .fix = FixKind::safe,
     .summary = "wget shows its progress bar in the log",
     .why = "The bar is made for a terminal; in a log it is thousands of lines.",
     .practice = "Write wget --progress=dot:giga, or -q or -nv.",
     .bad = "FROM debian:12\nRUN wget https://example.com/big.bin\n",
     .good = "FROM debian:12\nRUN wget --progress=dot:giga https://example.com/big.bin\n",
     .check = check_progress},
    {.id = "curl-without-fail",
     .fix = FixKind::ask,
     .summary = "curl without -f",
     .why = "For curl a page that says 404 is a download that went well. The build goes on with that page, and fails later and "
            "elsewhere, or not at all.",
     .practice = "Write curl -fsSL.",
     .bad = "FROM debian:12\nRUN curl -sSL -o /usr/bin/tool https://example.com/tool\n",
     .good = "FROM debian:12\nRUN curl -fsSL -o /usr/bin/tool https://example.com/tool\n",
     .check = check_curl_fail},
    {.id = "curl-without-location",
     .severity = Severity::info,
     .fix = FixKind::ask,
     .summary = "curl without -L",
     .why = "Release files move behind redirections sooner or later; without -L curl then saves the answer that says so.",
     .practice = "Write curl -fsSL.",
     .bad = "FROM debian:12\nRUN curl -fsS -o /usr/bin/tool https://example.com/tool\n",
     .good = "FROM debian:12\nRUN curl -fsSL -o /usr/bin/tool https://example.com/tool\n",
     .check = check_curl_location},
    {.id = "plain-http",
     .fix = FixKind::ask,
     .summary = "a download over plain http",
     .why = "Whoever sits on the way may change what comes, and a cache or a captive page may do it by accident.",
     .practice = "Use https, and check a digest.",
     .bad = "FROM debian:12\nRUN curl -fsSL -o /usr/bin/tool http://example.com/tool\n",
     .good = "FROM debian:12\nRUN curl -fsSL -o /usr/bin/tool https://example.com/tool\n",
     .check = check_plain_http},
    {.id = "pipe-to-shell",
     .summary = "a download is piped into a shell",
     .why = "The script may be another tomorrow, or half of it when the connection breaks; nothing is checked and nothing "
            "remains to look at.",
     .practice = "Download a named version, check its digest, then run it.",
     .bad = "FROM debian:12\nSHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]\nRUN curl -fsSL https://example.com/install.sh "
            "| bash\n",
     .good = "FROM debian:12\nADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d "
             "https://example.com/install.sh /tmp/install.sh\nRUN bash /tmp/install.sh\n",
     .check = check_pipe_to_shell},
    {.id = "prefer-add-git",
     .severity = Severity::info,
     .fix = FixKind::ask,
     .summary = "git clone where ADD of a repository does",
     .why = "The step is cached by its text, so new commits are never seen; and git with all it needs stays in the image.",
     .practice = "ADD https://host/repo.git#TAG DIR.",
     .bad = "FROM debian:12\nRUN git clone --depth 1 -b v1.2 https://example.com/tool.git /src\n",
     .good = "FROM debian:12\nADD https://example.com/tool.git#v1.2 /src\n",
     .check = check_git_clone},
    {.id = "prefer-add-unpack",
     .severity = Severity::info,
     .fix = FixKind::ask,
     .summary = "download and unpacking where ADD --unpack does",
     .why = "curl, tar and a certificate store are then in the image only for this, and the step is never renewed.",
     .practice = "ADD --unpack=true --checksum=sha256:... URL DIR.",
     .bad = "FROM debian:12\nSHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]\nRUN curl -fsSL https://example.com/a.tar.gz | "
            "tar -xz -C /opt\n",
     .good = "FROM debian:12\nADD --unpack=true https://example.com/a.tar.gz /opt/\n",
     .check = check_unpack},
};

}  // namespace

std::span<const Rule> download_rules() { return kRules; }

}  // namespace mica::lint
