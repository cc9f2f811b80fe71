#include <unistd.h>

#include "base/format.h"
#include "base/text.h"
#include "cli/commands.h"
#include "engine/interrupt.h"
#include "engine/copy_session.h"
#include "engine/lint_files.h"
#include "engine/lock_images.h"
#include "engine/verify_fixes.h"
#include "lint/difference.h"
#include "lint/output.h"
#include "lint/rule.h"
#include "lint/rule_page.h"

namespace mica::cli {
namespace {

constexpr Flag kFlags[] = {
    {"build-arg", 0, "stringArray", "Set build-time variables"},
    {"config", 'c', "string", "Configuration, hadolint's or mica's (default: found)"},
    {"context", 0, "string", "Folder of the build context (default: that of a file\ncalled Dockerfile)"},
    {"diff", 0, "", "With --fix: show what would change, write nothing"},
    {"disable-ignore-pragma", 0, "", "Comments in the file hide nothing"},
    {"error", 0, "stringArray", "Make a rule an error"},
    {"explain", 0, "string", "Explain a rule"},
    {"fail-level", 0, "string", "Another name of --failure-threshold"},
    {"failure-threshold", 't', "string", "Exit with 1 if a finding is at least as grave: error,\nwarning (default), info, style, ignore"},
    {"file-path-in-report", 0, "string", "What standard input is called"},
    {"fix", 0, "", "Mend what can be mended without changing what is built"},
    {"format", 'f', "string", "tty (default), json, sarif, checkstyle, codeclimate,\ngitlab_codeclimate, gnu, github, sonarqube, codacy,\njunit"},
    {"ignore", 0, "stringArray", "Leave out a rule"},
    {"image", 0, "string", "Measure on the image that was built from the file: bytes\nand seconds"},
    {"info", 0, "stringArray", "Make a rule an info"},
    {"list-rules", 0, "", "Name all rules"},
    {"lock", 0, "", "With --fix: pin the base images in mica.lock, too"},
    {"no-color", 0, "", "No colours"},
    {"no-fail", 0, "", "Exit with 0 whatever is found"},
    {"no-shellcheck", 0, "", "Do not run shellcheck over RUN instructions"},
    {"platform", 0, "string", "Of the image"},
    {"print-config", 0, "", "Print the configuration that holds"},
    {"require-label", 0, "stringArray", "A label that must be there (KEY:KIND)"},
    {"strict-labels", 0, "", "No other labels"},
    {"style", 0, "stringArray", "Make a rule a matter of style"},
    {"trusted-registry", 0, "stringArray", "A registry that bases may come from"},
    {"unsafe", 0, "", "With --fix: also what may change the meaning"},
    {"verify", 0, "", "With --fix: build before and after, and write only if\nboth give the same files"},
    {"warning", 0, "stringArray", "Make a rule a warning"},
};

constexpr int kTrouble = 2;   ///< the files could not be looked at

std::string_view fix_word(lint::FixKind kind) {
  constexpr std::string_view kWords[] = {"-", "safe", "unsafe", "data"};
  return kWords[static_cast<std::size_t>(kind)];
}

std::string rule_list() {
  std::string text;
  for (const lint::Rule* rule : lint::rules())
    text += format("{:<34} {:<8} {:<7} {}\n", rule->aliases.empty() ? std::string(rule->id) : format("{} {}", rule->id, rule->aliases), lint::severity_name(rule->severity), fix_word(rule->fix), rule->summary);
  return text;
}

Result<int> explain(const std::string& name, bool markdown) {
  const auto named = lint::rules_named(name);
  if (named.empty()) {
    std::vector<std::string_view> known;
    for (const lint::Rule* rule : lint::rules()) known.push_back(rule->id);
    const auto near = closest(name, known);
    return fail(Error(Errc::not_found, format("no rule is called {}", quoted(name))).with_hint(near ? format("did you mean {}?", *near) : "'mica lint --list-rules' names all").with_exit_status(kTrouble));
  }
  for (const lint::Rule* rule : named) TRY(print(markdown ? lint::rule_page(*rule) : lint::rule_text(*rule)));
  return 0;
}

engine::LintRequest request_of(const Args& args) {
  engine::LintRequest request{.files = args.positionals(), .stdin_name = args.text("file-path-in-report", "-"), .context = args.text("context"), .config = args.text("config"), .ignored = args.list("ignore")};
  for (const auto& [flag, severity] : {std::pair{"error", lint::Severity::error}, {"warning", lint::Severity::warning}, {"info", lint::Severity::info}, {"style", lint::Severity::style}})
    for (auto& name : args.list(flag)) request.overrides.emplace_back(severity, std::move(name));
  request.trusted_registries = args.list("trusted-registry");
  request.labels = args.list("require-label");
  request.strict_labels = args.flag("strict-labels");
  request.disable_pragmas = args.flag("disable-ignore-pragma");
  request.build_args = args.list("build-arg");
  request.shellcheck = !args.flag("no-shellcheck");
  request.image = args.text("image");
  request.platform = args.text("platform");
  request.fix = args.flag("fix");
  request.unsafe = args.flag("unsafe");
  request.write = !args.flag("diff");
  return request;
}

Result<lint::Severity> threshold_of(const Args& args, const lint::Settings& settings) {
  const std::string given = args.text("failure-threshold", args.text("fail-level"));
  if (given.empty()) return settings.failure_threshold.value_or(lint::Severity::warning);
  const auto severity = lint::severity_of(given);
  if (!severity) return fail(Error(Errc::invalid_argument, format("there is no severity {}", quoted(given))).with_hint("error, warning, info, style, or ignore for none"));
  return *severity;
}

Result<lint::Format> format_wanted(const Args& args, const lint::Settings& settings) {
  const std::string name = args.text("format", settings.format.value_or("tty"));
  const auto kind = lint::format_of(name);
  if (kind) return *kind;
  std::string names;
  for (const auto one : lint::format_names()) names += format("{}{}", names.empty() ? "" : ", ", one);
  const auto near = closest(name, lint::format_names());
  return fail(Error(Errc::invalid_argument, format("there is no format {}", quoted(name))).with_hint(near ? format("did you mean {}?", *near) : names));
}

/// With fixes: what was done to each file goes where the findings go, and a fixed standard input to standard output.
Result<bool> show_fixes(const engine::Linted& linted, bool from_stdin, bool diff) {
  bool stdout_taken = false;
  for (const auto& file : linted.fixed) {
    const bool is_stdin = from_stdin && &file == &linted.fixed.front();
    if (diff) {
      TRY(print(lint::line_difference(file.file, file.before, file.after)));
      stdout_taken = true;
    } else if (is_stdin) {
      TRY(print(file.after));
      stdout_taken = true;
    }
    if (file.before == file.after) continue;
    for (const auto& finding : file.applied) note(format("{}: {}: {}\n", file.file, finding.rule->id, finding.fix->title));
  }
  return stdout_taken;
}

std::string change_text(const analyze::PathChange& change) {
  const auto aspects = analyze::aspects(change);
  return format("  {} /{}{}\n", analyze::name(change.what), change.path, aspects.empty() ? "" : format(" ({})", join(aspects, ", ")));
}

/// Builds both versions of each file that would change. An error when they do not give the same files: nothing is written then.
Result<> verify(const Args& args, engine::LintRequest request, const lint::Settings& settings, engine::Engine& store, const task::Cancel& cancel) {
  constexpr std::size_t kMostShown = 20;
  request.write = false;
  request.shellcheck = false;
  const auto linted = TRY(engine::lint_files(request, settings, cancel));
  for (const auto& file : linted.fixed) {
    if (file.before == file.after || base_name(file.file).ends_with("ignore")) continue;
    const std::string context = request.context.empty() ? dir_name(file.file) : request.context;
    const auto verified = TRY(engine::verify_fixes(store, {.file = file.file, .before = file.before, .after = file.after, .context = context, .build_args = args.list("build-arg")}, nullptr, cancel));
    std::string text;
    for (const auto& change : verified.difference.config) text += format("  config {}: {} became {}\n", change.name, change.before.value_or("nothing"), change.after.value_or("nothing"));
    if (!verified.same()) {
      for (std::size_t i = 0; i < std::min(verified.lost.size(), kMostShown); ++i) text += change_text(verified.lost[i]);
      if (verified.lost.size() > kMostShown) text += format("  and {} more\n", verified.lost.size() - kMostShown);
      note(text);
      return fail(Error(Errc::conflict, format("{}: with the fixes other files are built; nothing was written", file.file)).with_hint("leave out what is responsible: --ignore RULE, or no --unsafe"));
    }
    std::string remark = format("{}: the same files are built", file.file);
    if (!verified.cleaned.empty()) remark += format(", less {} of caches and package lists", verified.cleaned.size());
    if (!verified.unstable.empty()) remark += format(" ({} that differ in each build are not compared)", verified.unstable.size());
    if (verified.bytes_saved != 0) remark += format("; {} {}", human_size(std::abs(verified.bytes_saved)), verified.bytes_saved > 0 ? "less" : "more");
    note(format("{}\n{}", remark, text));
  }
  return {};
}

/// Before the file is looked at again: a base that is locked does not float.
Result<> pin_bases(const engine::LintRequest& request, const std::vector<std::string>& build_args, const task::Cancel& cancel) {
  engine::CopySession session([](std::string text) { note(text + "\n"); });
  std::vector<std::string> files = request.files;
  if (files.empty()) files.emplace_back("Dockerfile");
  for (const auto& file : files) {
    if (file == "-") return fail(Errc::invalid_argument, "--lock: standard input has no folder for a mica.lock");
    const auto locked = TRY(engine::lock_images(session, {.dockerfile = file, .build_args = build_args}, cancel));
    if (locked.written) note(format("{}: {} image{}\n", locked.path, locked.images, locked.images == 1 ? "" : "s"));
  }
  return {};
}

Result<int> lint_them(const Args& args, const engine::Options& options) {
  engine::LintRequest request = request_of(args);
  if (!request.fix && (request.unsafe || !request.write || args.flag("verify") || args.flag("lock")))
    return fail(Errc::invalid_argument, format("--{} is for --fix", request.unsafe ? "unsafe" : !request.write ? "diff" : args.flag("verify") ? "verify" : "lock"));
  if (args.flag("lock") && !request.write) return fail(Errc::invalid_argument, "--diff writes nothing: it does not go with --lock");
  if (!request.image.empty() && request.files.size() > 1) return fail(Errc::invalid_argument, "--image: an image is built from one file");
  if (!request.image.empty() && request.fix) return fail(Errc::invalid_argument, "--image measures what was built: it does not go with --fix");
  const auto settings = TRY(engine::lint_settings(request));
  if (args.flag("print-config")) {
    TRY(print(lint::config_text(settings)));
    return 0;
  }
  const auto threshold = TRY(threshold_of(args, settings));
  const auto kind = TRY(format_wanted(args, settings));
  const auto interrupt = TRY(engine::Interrupt::install());
  std::unique_ptr<engine::Engine> store;
  if (!request.image.empty() || args.flag("verify")) store = TRY(engine::Engine::open(options));
  request.engine = store.get();
  if (args.flag("verify")) TRY(verify(args, request, settings, *store, interrupt.cancel()));
  if (args.flag("lock")) TRY(pin_bases(request, args.list("build-arg"), interrupt.cancel()));
  const auto linted = TRY(engine::lint_files(request, settings, interrupt.cancel()));
  const bool from_stdin = request.files.size() == 1 && request.files[0] == "-";
  const bool stdout_taken = request.fix && TRY(show_fixes(linted, from_stdin, !request.write));
  const bool colour = kind == lint::Format::tty && !args.flag("no-color") && !settings.no_color.value_or(false) && ::isatty(stdout_taken ? STDERR_FILENO : STDOUT_FILENO);
  const std::string text = lint::write_reports(linted.reports, kind, {.colour = colour, .version = MICA_VERSION});
  if (stdout_taken) note(text);
  else TRY(print(text));
  if (args.flag("no-fail") || settings.no_fail.value_or(false) || kind == lint::Format::codeclimate || kind == lint::Format::codacy) return 0;
  return threshold != lint::Severity::off && lint::reaches(linted.reports, threshold) ? 1 : 0;
}

Needs needs_of(const Args& args) { return args.flag("verify") ? Needs::mounts : args.has("image") ? Needs::store : Needs::nothing; }

Result<int> run(Context& context) {
  const Args& args = context.args;
  if (args.flag("list-rules")) {
    TRY(print(args.text("format") == "markdown" ? lint::rule_index() : rule_list()));
    return 0;
  }
  if (args.has("explain")) return explain(args.text("explain"), args.text("format") == "markdown");
  auto status = lint_them(args, context.options);
  if (!status) return fail(std::move(status).error().with_exit_status(kTrouble));
  return status;
}

}  // namespace

constinit const Command kLint{.usage = "[OPTIONS] [FILE|FOLDER|-...]",
                              .summary = "Check Dockerfiles for bad practice, and mend them",
                              .aliases = {},
                              .flags = kFlags,
                              .least = 0,
                              .needs = Needs::nothing,
                              .run = run,
                              .needs_with = needs_of};

}  // namespace mica::cli
