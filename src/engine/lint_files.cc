#include "engine/lint_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/format.h"
#include "base/text.h"
#include "base/time.h"
#include "dockerfile/parser.h"
#include "engine/lint_context.h"
#include "engine/lint_measured.h"
#include "engine/lock_file.h"
#include "engine/shellcheck.h"
#include "lint/inspection.h"
#include "lint/rule.h"
#include "oci/reference.h"
#include "stream/stream.h"
#include "sys/fd.h"

namespace mica::engine {
namespace {

constexpr std::size_t kMaxConfigBytes = 1 << 20;

std::optional<std::string> variable(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  return value ? std::optional<std::string>(value) : std::nullopt;
}

bool is_file(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}
bool is_folder(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

/// Where hadolint looks, in its order.
std::vector<std::string> hadolint_places() {
  std::vector<std::string> places{".hadolint.yaml", ".hadolint.yml"};
  const std::string home = variable("HOME").value_or("");
  const auto add = [&](const std::string& folder) {
    places.push_back(folder + "/hadolint.yaml");
    places.push_back(folder + "/hadolint.yml");
  };
  if (const auto xdg = variable("XDG_CONFIG_HOME"); xdg && !xdg->empty()) add(*xdg);
  else if (!home.empty()) add(home + "/.config");
  if (!home.empty()) {
    places.push_back(home + "/.hadolint/hadolint.yaml");
    places.push_back(home + "/hadolint/config.yaml");
    places.push_back(home + "/.hadolint.yaml");
  }
  return places;
}

Result<std::string> read_text(const std::string& path, std::size_t limit) {
  stream::FdSource source(TRY(sys::open(path, O_RDONLY)));
  return stream::read_all(source, limit);
}

Result<> take_config(const std::string& path, lint::ConfigKind kind, lint::Settings& settings) {
  const auto text = TRY_DOING(read_text(path, kMaxConfigBytes), format("reading the configuration {}", path));
  return lint::read_config_text(text, path, kind, settings);
}

lint::ConfigKind kind_of(const std::string& path) { return base_name(path).find("hadolint") != std::string::npos ? lint::ConfigKind::hadolint : lint::ConfigKind::mica; }

/// The names of a rule as canonical ids; names of ShellCheck's stay as they are.
Result<std::vector<std::string>> rule_ids(const std::string& name) {
  std::vector<std::string> ids;
  for (const lint::Rule* rule : lint::rules_named(name)) ids.emplace_back(rule->id);
  if (ids.empty() && name.size() == 6 && name.starts_with("SC")) ids.push_back(name);
  if (!ids.empty()) return ids;
  std::vector<std::string_view> known;
  for (const lint::Rule* rule : lint::rules()) known.push_back(rule->id);
  Error error(Errc::invalid_argument, format("no rule is called {}", quoted(name)));
  const auto near = closest(name, known);
  return fail(std::move(error).with_hint(near ? format("did you mean {}? 'mica lint --list-rules' names all", *near) : "'mica lint --list-rules' names all"));
}

Result<> take_request(const LintRequest& request, lint::Settings& settings) {
  lint::Options& options = settings.options;
  if (!request.ignored.empty()) options.ignored.clear();
  for (const auto& list : request.ignored)
    for (const auto name : split(list, ','))
      for (auto& id : TRY(rule_ids(std::string(trim(name))))) options.ignored.insert(std::move(id));
  for (const auto& [severity, list] : request.overrides)
    for (const auto name : split(list, ','))
      for (auto& id : TRY(rule_ids(std::string(trim(name))))) options.severities[std::move(id)] = severity;
  for (const auto& list : request.trusted_registries)
    for (const auto name : split(list, ',')) options.trusted_registries.emplace_back(trim(name));
  for (const auto& label : request.labels) {
    const auto parts = split_once(label, ':');
    const auto kind = parts ? lint::label_kind_of(parts->second) : std::nullopt;
    if (!kind)
      return fail(Error(Errc::invalid_argument, format("label {} has no kind", quoted(label))).with_hint("write KEY:KIND with text, rfc3339, semver, url, hash, spdx or email"));
    options.label_schema[std::string(parts->first)] = *kind;
  }
  if (request.strict_labels) options.strict_labels = true;
  if (request.disable_pragmas) options.honour_pragmas = false;
  for (const auto& arg : request.build_args) {
    const auto parts = split_once(arg, '=');
    if (parts) options.build_args[std::string(parts->first)] = parts->second;
    else if (const auto value = variable(arg)) options.build_args[arg] = *value;
  }
  return {};
}

struct Input {
  std::string name, path;      ///< path empty: standard input
  std::string text;
  lint::Options options;       ///< with what is known of its context
  std::string context;         ///< its folder; empty: not known
  std::string ignore_path;     ///< of the ignore file that a build would take; empty: there is none
};

Result<std::string> dockerfile_in(const std::string& folder) {
  for (const char* name : {"Dockerfile", "Containerfile"})
    if (std::string path = folder == "." ? name : join_path(folder, name); is_file(path)) return path;
  return fail(Error(Errc::not_found, format("{} has no Dockerfile", folder == "." ? "this folder" : folder)).with_hint("name the file: 'mica lint FILE', or '-' for standard input"));
}

/// The ignore file that a build of `path` in `context` would take.
void look_beside(Input& input, const std::string& context) {
  std::string folder = context;
  const std::string base = base_name(input.path);
  if (folder.empty() && !input.path.empty() && (base == "Dockerfile" || base == "Containerfile")) folder = dir_name(input.path);
  if (folder.empty()) return;
  input.context = folder;
  input.options.knows_context = true;
  input.options.has_ignore_file = false;
  for (const std::string& path : {input.path.empty() ? std::string() : input.path + ".dockerignore", join_path(folder, ".dockerignore"), join_path(folder, ".containerignore")}) {
    if (path.empty() || !is_file(path)) continue;
    auto text = read_text(path, kMaxConfigBytes);
    if (!text) continue;      // a build says so
    input.options.has_ignore_file = true;
    input.options.ignore_text = std::move(*text);
    input.ignore_path = path;
    return;
  }
}

Result<Input> read_input(const std::string& name, const LintRequest& request, const lint::Options& options) {
  Input input{.name = name, .path = name, .text = {}, .options = options};
  if (name == "-") {
    input.name = request.stdin_name;
    input.path.clear();
    stream::FdSource source(sys::Fd(::dup(STDIN_FILENO)));
    input.text = TRY_DOING(stream::read_all(source, dockerfile::kMaxFileBytes), "reading standard input");
  } else {
    if (is_folder(name)) input.name = input.path = TRY(dockerfile_in(name));
    input.text = TRY(read_text(input.path, dockerfile::kMaxFileBytes));
  }
  look_beside(input, request.context);
  return input;
}

/// Through a link, so that it stays one.
Result<> replace_file(const std::string& path, std::string_view text) {
  char* real = ::realpath(path.c_str(), nullptr);
  if (!real) return fail_errno(format("writing {}", path));
  const std::string target = real;
  std::free(real);
  struct stat status{};
  if (::stat(target.c_str(), &status) != 0) return fail_errno(format("writing {}", path));
  TRY_DOING(sys::write_file_atomically(target, text, static_cast<int>(status.st_mode & 07777)), format("writing {}", path));
  if (::geteuid() == 0 && ::chown(target.c_str(), status.st_uid, status.st_gid) != 0) return fail_errno(format("keeping the owner of {}", path));
  return {};
}

Result<> fix(Input& input, const LintRequest& request, std::vector<FixedFile>& done) {
  auto fixed = lint::fix_text(input.name, input.text, input.options, request.unsafe);
  if (request.write && !input.path.empty() && fixed.source != input.text) TRY(replace_file(input.path, fixed.source));
  done.push_back({.file = input.name, .before = input.text, .after = fixed.source, .applied = std::move(fixed.applied)});
  input.text = std::move(fixed.source);
  return {};
}

/// A name that floats is no fault where a lock holds it.
Result<> drop_locked(lint::Report& report, const Input& input) {
  if (input.path.empty()) return {};
  const auto lock = TRY(LockFile::read(lock_path_for(input.path)));
  if (!lock) return {};
  const auto parsed = dockerfile::parse(report.file, report.source, {.fragment = true});
  const lint::Inspection inspection(parsed.file, input.options);
  std::erase_if(report.findings, [&](const lint::Finding& finding) {
    if (finding.rule->id != "DL3006" && finding.rule->id != "DL3007") return false;
    return std::any_of(inspection.stages.begin(), inspection.stages.end(), [&](const lint::StageView& stage) {
      if (stage.stage->where.line != finding.instruction_line) return false;
      const auto reference = oci::Reference::parse(stage.base);
      return reference && lock->images.contains(LockFile::key(*reference));
    });
  });
  return {};
}

/// With fixes, what no step reads goes into the ignore file that a build would take, or into a new one.
Result<> look_at_context(const Input& input, const LintRequest& request, lint::Report& report, std::vector<FixedFile>& done, const task::Cancel& cancel) {
  if (input.context.empty()) return {};
  const auto unread = TRY(find_unread_files(report, input.context, input.options, cancel));
  auto finding = unread_finding(report, unread);
  if (!finding) return {};
  if (!request.fix) {
    std::vector<lint::Finding> found;
    found.push_back(std::move(*finding));
    lint::add_findings(report, std::move(found), input.options);
    return {};
  }
  if (lint::severity_of(*finding->rule, input.options) == lint::Severity::off) return {};
  const std::string path = input.ignore_path.empty() ? join_path(input.context, ".dockerignore") : input.ignore_path;
  std::string after = with_ignored(input.options.ignore_text, unread);
  if (request.write) {
    if (input.ignore_path.empty()) TRY_DOING(sys::write_file_atomically(path, after), format("writing {}", path));
    else TRY(replace_file(path, after));
  }
  finding->fix = lint::Fix{.kind = lint::FixKind::safe, .title = "leave out what no step reads", .edits = {}};
  done.push_back({.file = path, .before = input.options.ignore_text, .after = std::move(after), .applied = {std::move(*finding)}});
  return {};
}

std::string today() { return rfc3339(now()).substr(0, 10); }

}  // namespace

Result<lint::Settings> lint_settings(const LintRequest& request) {
  lint::Settings settings;
  if (!request.config.empty()) {
    TRY(take_config(request.config, kind_of(request.config), settings));
  } else {
    for (const auto& place : hadolint_places())
      if (is_file(place)) {
        TRY(take_config(place, lint::ConfigKind::hadolint, settings));
        break;
      }
    if (is_file(".mica-lint.yaml")) TRY(take_config(".mica-lint.yaml", lint::ConfigKind::mica, settings));
  }
  lint::read_environment(variable, settings);
  TRY(take_request(request, settings));
  settings.options.today = today();
  return settings;
}

Result<Linted> lint_files(const LintRequest& request, const lint::Settings& settings, task::Cancel cancel) {
  std::vector<std::string> files = request.files;
  if (files.empty()) files.push_back(TRY(dockerfile_in(".")));
  MICA_ASSERT(request.image.empty() || (request.engine && files.size() == 1), "an image has one Dockerfile");
  Linted linted;
  for (const auto& name : files) {
    TRY(cancel.check());
    Input input = TRY(read_input(name, request, settings.options));
    if (request.fix) TRY(fix(input, request, linted.fixed));
    lint::Report report = lint::lint_text(input.name, std::move(input.text), input.options);
    TRY(drop_locked(report, input));
    if (!request.context.empty() || !request.image.empty()) TRY(look_at_context(input, request, report, linted.fixed, cancel));
    if (!request.image.empty()) TRY(add_measured_findings(*request.engine, {.image = request.image, .platform = request.platform}, report, input.options, cancel));
    linted.reports.push_back(std::move(report));
  }
  const std::string shellcheck = request.shellcheck ? find_shellcheck() : "";
  if (!shellcheck.empty()) TRY(add_shellcheck_findings(shellcheck, linted.reports, settings.options, cancel));
  return linted;
}

}  // namespace mica::engine
