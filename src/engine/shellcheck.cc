#include "engine/shellcheck.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <map>
#include <mutex>
#include <set>

#include "base/format.h"
#include "base/text.h"
#include "base/utf8.h"
#include "dockerfile/parser.h"
#include "json/json.h"
#include "lint/inspection.h"
#include "lint/rule.h"
#include "sys/fd.h"
#include "stream/stream.h"
#include "sys/process.h"

namespace mica::engine {
namespace {

constexpr std::string_view kProxies[] = {"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "FTP_PROXY", "ftp_proxy", "NO_PROXY", "no_proxy"};
constexpr std::string_view kSenseless[] = {"SC1090", "SC1091", "SC2187"};
constexpr int kLinesBefore = 2;   ///< of ours in each script

bool is_shellcheck_id(std::string_view id) { return id.size() == 6 && id.starts_with("SC") && parse_int(id.substr(2)); }

/// Rules of the program that mica's catalogue does not have, by how grave the program holds the finding; they live as long as mica does.
const lint::Rule& rule_for(const std::string& id, lint::Severity severity) {
  if (const lint::Rule* known = lint::find_rule(id)) return *known;
  struct Made {
    std::string id;
    lint::Rule rule;
  };
  static std::mutex mutex;
  static std::deque<Made> made;
  const std::lock_guard lock(mutex);
  for (const Made& one : made)
    if (one.id == id && one.rule.severity == severity) return one.rule;
  Made& one = made.emplace_back(Made{.id = id, .rule = {}});
  one.rule = {.id = one.id, .severity = severity, .summary = "A finding of ShellCheck", .why = "ShellCheck explains it in its wiki, under this number.", .practice = "Follow ShellCheck's advice."};
  return one.rule;
}

bool is_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && letter(name[0]) && std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

/// Names that a RUN of the stage sees, up to the instruction at `line`.
std::set<std::string> variables(const lint::Inspection& inspection, std::size_t stage, int line) {
  std::set<std::string> names(std::begin(kProxies), std::end(kProxies));
  for (std::optional<std::size_t> at = stage; at; at = inspection.stages[*at].base_stage)
    for (const auto& view : inspection.instructions) {
      if (view.stage != *at || (*at == stage && view.line() >= line)) continue;
      const auto* arg = std::get_if<dockerfile::Arg>(&view.instruction->command);
      const auto* env = std::get_if<dockerfile::Env>(&view.instruction->command);
      for (const auto& pair : arg ? arg->args : env ? env->pairs : std::vector<dockerfile::KeyValue>())
        if (is_name(pair.key)) names.insert(pair.key);
    }
  return names;
}

/// One RUN as shellcheck gets it.
struct Script {
  std::size_t report = 0;
  const lint::Inspection* inspection = nullptr;
  const lint::RunView* run = nullptr;
};

std::string_view dialect(std::string_view shell) {
  if (shell == "bash" || shell == "zsh") return "bash";
  if (shell == "ksh" || shell == "mksh") return "ksh";
  return shell == "dash" || shell == "ash" ? "dash" : "sh";
}

std::string text_of(const Script& script) {
  std::string names;
  for (const auto& name : variables(*script.inspection, script.run->stage, script.run->instruction->where.line)) names += format(" {}=''", name);
  return format("# shellcheck shell={}\nexport{}\n{}\n", dialect(script.run->shell), names, script.run->script.text);
}

/// Byte offset of a line and column (of code points) in the script's own text.
std::size_t offset_in(std::string_view text, std::int64_t line, std::int64_t column) {
  std::size_t at = 0;
  for (line -= kLinesBefore; line > 1; --line) {
    const auto end = text.find('\n', at);
    if (end == std::string_view::npos) return text.size();
    at = end + 1;
  }
  for (; column > 1 && at < text.size() && text[at] != '\n'; --column) at += static_cast<std::size_t>(std::max(1, first_code_point(text.substr(at)).length));
  return std::min(at, text.size());
}

Result<std::string> run(const std::string& program, const std::vector<std::string>& files, const task::Cancel& cancel) {
  sys::Fd out(::memfd_create("mica-shellcheck", MFD_CLOEXEC));
  if (!out) return fail_errno("making a file in memory");
  std::vector<std::string> argv{program, "--norc", "--format=json1", "--severity=style"};
  argv.insert(argv.end(), files.begin(), files.end());
  auto process = TRY(sys::Process::start({.argv = std::move(argv), .stdout_fd = out.get()}));
  const auto exit = TRY(process.wait(cancel.fd()));
  constexpr int kFoundSome = 1;
  if (exit.status > kFoundSome) return failf(Errc::internal, "{} ended with status {}", program, exit.status);
  if (::lseek(out.get(), 0, SEEK_SET) != 0) return fail_errno("reading shellcheck's output");
  stream::FdSource source(std::move(out));
  return stream::read_all(source, 64 << 20);
}

std::string temporary_folder() {
  const char* folder = std::getenv("TMPDIR");
  return folder && *folder ? folder : "/tmp";
}

lint::Severity severity_of(std::string_view level) {
  const auto severity = lint::severity_of(level);
  return severity && *severity != lint::Severity::off ? *severity : lint::Severity::error;
}

}  // namespace

std::string find_shellcheck() {
  auto found = sys::find_program("shellcheck");
  return found ? *found : std::string();
}

Result<> add_shellcheck_findings(const std::string& program, std::span<lint::Report> reports, const lint::Options& options, task::Cancel cancel) {
  std::deque<dockerfile::Parsed> trees;
  std::deque<lint::Inspection> inspections;
  std::vector<Script> scripts;
  for (std::size_t i = 0; i < reports.size(); ++i) {
    std::erase_if(reports[i].findings, [](const lint::Finding& finding) { return is_shellcheck_id(finding.rule->id); });
    const auto& parsed = trees.emplace_back(dockerfile::parse(reports[i].file, reports[i].source, {.fragment = true}));
    if (parsed.file.source.empty()) continue;
    const auto& inspection = inspections.emplace_back(parsed.file, options);
    for (const auto& stage : inspection.stages)
      for (const auto& one : stage.runs)
        if (!one.exec_form && one.shell_is_posix && !trim(one.script.text).empty()) scripts.push_back({.report = i, .inspection = &inspection, .run = &one});
  }
  if (scripts.empty()) return {};
  const auto folder = TRY(sys::TempDir::create(temporary_folder(), "mica-lint-"));
  std::vector<std::string> files;
  for (std::size_t i = 0; i < scripts.size(); ++i) {
    files.push_back(format("{}/{}", folder.path(), i));
    TRY(sys::write_file(files.back(), text_of(scripts[i])));
  }
  const std::string said = TRY_DOING(run(program, files, cancel), "looking at RUN instructions with shellcheck");
  const auto value = TRY_DOING(json::parse(said, {.bytes = 64 << 20}), "reading shellcheck's output");
  const auto* comments = value.find("comments");
  if (!comments || !comments->is_array()) return fail(Errc::internal, "reading shellcheck's output: it has no \"comments\"");
  std::vector<std::vector<lint::Finding>> found(reports.size());
  for (const auto& comment : comments->as_array()) {
    const auto index = parse_int(base_name(comment.string_or("file")));
    const std::string id = format("SC{}", comment.int_or("code"));
    if (!index || *index < 0 || static_cast<std::size_t>(*index) >= scripts.size() || comment.int_or("line") <= kLinesBefore) continue;
    if (std::find(std::begin(kSenseless), std::end(kSenseless), id) != std::end(kSenseless)) continue;
    const Script& script = scripts[static_cast<std::size_t>(*index)];
    const std::string& text = script.run->script.text;
    const std::size_t begin = offset_in(text, comment.int_or("line"), comment.int_or("column"));
    const std::size_t end = std::max(begin, offset_in(text, comment.int_or("endLine"), comment.int_or("endColumn")));
    found[script.report].push_back({.rule = &rule_for(id, severity_of(comment.string_or("level"))), .message = comment.string_or("message"),
                                    .where = script.inspection->span(*script.run, begin, end), .instruction_line = script.run->instruction->where.line});
  }
  for (std::size_t i = 0; i < reports.size(); ++i) lint::add_findings(reports[i], std::move(found[i]), options);
  return {};
}

}  // namespace mica::engine
