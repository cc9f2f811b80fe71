// What is copied out of the context, and what its ignore file says of that.
#include "base/format.h"
#include "base/text.h"
#include "dockerfile/ignore.h"
#include "lint/run_rules.h"

namespace mica::lint {
namespace {

namespace df = dockerfile;

template <class Visit>
void each_context_copy(const Inspection& in, const Visit& visit) {
  for (const InstructionView& view : in.instructions) {
    const auto* copy = std::get_if<df::Copy>(&view.instruction->command);
    if (!copy || !copy->from.empty()) continue;
    std::size_t from = in.arguments_begin(*view.instruction);
    for (const std::string& source : copy->sources) {
      const std::size_t at = view.instruction->text.find(source, from);
      if (at == std::string::npos) continue;
      visit(view, *copy, source, in.span(*view.instruction, at, at + source.size()));
      from = at + source.size();
    }
  }
}

bool is_whole_context(std::string_view source) {
  return source == "." || source == "./" || source == "/" || source == "*" || source == "./*";
}

void check_ignore_file(Inspection& in) {
  const bool missing = !in.options.has_ignore_file,
             empty = in.options.knows_context && in.options.has_ignore_file && trim(in.options.ignore_text).empty();
  if (!missing && !empty) return;
  bool told = false;
  each_context_copy(in, [&](const InstructionView& view, const df::Copy&, const std::string& source, Span where) {
    if (!is_whole_context(source) || std::exchange(told, true)) return;
    in.report(rule_of("missing-dockerignore"), where, view,
              missing ? "the whole context is copied and there is no .dockerignore: .git, local builds and secrets come along"
                      : "the whole context is copied and .dockerignore is empty: .git, local builds and secrets come along");
  });
}

void check_whole_context(Inspection& in) {
  each_context_copy(in, [&](const InstructionView& view, const df::Copy& copy, const std::string& source, Span where) {
    if (!is_whole_context(source) || !copy.excludes.empty() || !in.stages[view.stage].exported) return;
    in.report(rule_of("copy-whole-context"), where, view,
              "whatever lies in the context comes into the image: name the files and folders that it needs");
  });
}

void check_ignored(Inspection& in) {
  if (!in.options.knows_context || in.options.ignore_text.empty()) return;
  const auto patterns = df::read_ignore_file(in.options.ignore_text);
  if (!patterns) return;
  const auto matcher = df::PatternMatcher::compile(*patterns);
  if (!matcher || matcher->empty()) return;
  each_context_copy(in, [&](const InstructionView& view, const df::Copy&, const std::string& source, Span where) {
    if (source.find("://") != source.npos || source.find('$') != source.npos || source.starts_with("git@") ||
        df::has_wildcard(source))
      return;
    std::string path = clean_path(source);
    while (path.starts_with('/')) path.erase(0, 1);
    if (path.empty() || path == "." || !matcher->matches(path)) return;
    if (matcher->has_negation() && !matcher->can_skip_below(path)) return;
    in.report(rule_of("CopyIgnoredFile"), where, view,
              format("{} is excluded by .dockerignore: there is nothing to copy", quoted(source)));
  });
}

const Rule kRules[] = {
    // Whether the file is there only the caller knows: the examples show the instruction that the finding stands at.
    {.id = "missing-dockerignore",
     .fix = FixKind::data,
     .summary = "the whole context is copied without a .dockerignore",
     .why = "The history, local builds, editors' files and keys that lie beside the sources then come into the image, and each "
            "of their changes makes the steps below run again.",
     .practice = "Write a .dockerignore with .git, build folders and credential files.",
     .bad = "",
     .good = "FROM debian:12\nCOPY src /src\n",
     .check = check_ignore_file},
    {.id = "copy-whole-context",
     .severity = Severity::off,
     .summary = "the whole context is copied",
     .why = "A file that happens to lie in the folder becomes part of the image, and any change of any file makes the steps "
            "below run again.",
     .practice = "Name what is needed, or keep a strict .dockerignore.",
     .bad = "FROM debian:12\nCOPY . /app\n",
     .good = "FROM debian:12\nCOPY src /app/src\n",
     .check = check_whole_context},
    {.id = "CopyIgnoredFile",
     .severity = Severity::warning,
     .summary = "a file is copied that .dockerignore excludes",
     .why = "The builder never sees the file, so that the COPY fails or copies less than it says.",
     .practice = "Take it out of .dockerignore, or do not copy it.",
     .bad = "",
     .good = "FROM debian:12\nCOPY src /src\n",
     .check = check_ignored},
};

}  // namespace

std::span<const Rule> context_rules() { return kRules; }

}  // namespace mica::lint
