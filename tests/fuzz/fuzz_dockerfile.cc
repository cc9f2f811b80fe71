// Any text as a Dockerfile: positions stay within it, every word of the tree expands or says why not, and a trigger that ONBUILD
// took can be read back.
#include <algorithm>
#include <cstdint>

#include "dockerfile/expand.h"
#include "dockerfile/parser.h"

namespace {
using namespace mica;
using namespace mica::dockerfile;

constexpr std::size_t kMaxBytes = 1 << 20;

std::optional<std::string> lookup(std::string_view name) {
  if (name == "A") return "one two";
  if (name == "B") return "";
  if (name == "C") return "a/b*c?d\\e\nf\xff";
  if (name == "D") return "$A ${B:-x} $0 \"'";
  return std::nullopt;
}

class Words {
 public:
  explicit Words(char escape) : options_{.escape = escape} {}

  void operator()(const Arg& arg) const { pairs(arg.args); }
  void operator()(const Env& env) const { pairs(env.pairs); }
  void operator()(const Label& label) const { pairs(label.pairs); }
  void operator()(const Run& run) const {
    const ShellInput input = shell_input(run.command);
    MICA_ASSERT(!input.script || input.script == &run.command.heredocs[0], "the script is the only here-document");
    for (const std::string& mount : run.mounts) {
      (void)parse_mount(mount);
      (void)parse_mount(mount, [this](std::string_view value) -> Result<std::string> {
        const Expansion expansion = TRY(expand(value, lookup, options_));
        return expansion.text;
      });
    }
  }
  void operator()(const Copy& copy) const {
    for (const std::string& source : copy.sources) word(source);
    for (const std::string* text : {&copy.destination, &copy.chown, &copy.chmod, &copy.checksum}) word(*text);
    for (const Heredoc& heredoc : copy.heredocs)
      if (heredoc.expand) (void)expand(heredoc.body, lookup, {.keep_quotes = true});
  }
  void operator()(const Expose& expose) const {
    for (const std::string& port : expose.ports) (void)expand_words(port, lookup, options_);
  }
  void operator()(const Volume& volume) const {
    for (const std::string& path : volume.paths) word(path);
  }
  void operator()(const Workdir& workdir) const { word(workdir.path); }
  void operator()(const User& user) const { word(user.user); }
  void operator()(const StopSignal& signal) const { word(signal.signal); }
  void operator()(const OnBuild& onbuild) const { (void)parse_trigger(onbuild.text, "trigger"); }
  void operator()(const HealthcheckSpec& check) const {
    MICA_ASSERT(check.interval >= 0 && check.timeout >= 0 && check.retries >= 0, "negative values were refused");
  }
  template <class Other>
  void operator()(const Other&) const {}

 private:
  void word(std::string_view text) const {
    const auto expansion = expand(text, lookup, options_);
    if (expansion || !expansion.error().position()) return;
    const int column = expansion.error().position()->column;
    MICA_ASSERT(column >= 1 && column <= static_cast<int>(text.size()) + 1, "the column of an error lies within the word");
  }
  void pairs(const std::vector<KeyValue>& pairs) const {
    for (const KeyValue& pair : pairs) {
      word(pair.key);
      if (pair.value) word(*pair.value);
    }
  }

  ExpandOptions options_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > kMaxBytes) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const int lines = static_cast<int>(std::ranges::count(text, '\n')) + 1;
  const auto within = [&](const Range& where) {
    MICA_ASSERT(where.line >= 0 && where.line <= lines && where.end_line <= lines && where.column >= 1,
                "places lie within the file");
  };

  const Parsed parsed = parse("Dockerfile", text);
  MICA_ASSERT(parsed.errors.size() <= kMaxErrors && parsed.file.warnings.size() <= kMaxWarnings, "complaints are bounded");
  for (const auto* list : {&parsed.errors, &parsed.file.warnings})
    for (const Diagnostic& diagnostic : *list) {
      within(diagnostic.where);
      MICA_ASSERT(!diagnostic.message.empty(), "a complaint says something");
      (void)excerpt(text, diagnostic.where);
    }
  const auto file = parse_file("Dockerfile", text);
  MICA_ASSERT(file.has_value() == parsed.errors.empty(), "both forms agree");
  if (!file) (void)file.error().full_text();

  const auto visit = [&](const Instruction& instruction) {
    within(instruction.where);
    MICA_ASSERT(!instruction.pieces.empty(), "a line comes from somewhere");
    within(position(instruction, 0));
    within(position(instruction, instruction.text.size()));
    for (const Flag& flag : instruction.flags) within(flag.where);
    std::visit(Words(parsed.file.directives.escape), instruction.command);
  };
  for (const Instruction& instruction : parsed.file.global_args) visit(instruction);
  for (const Stage& stage : parsed.file.stages) {
    within(stage.where);
    (void)expand(stage.base, lookup, {.escape = parsed.file.directives.escape});
    for (const Instruction& instruction : stage.instructions) visit(instruction);
  }
  return 0;
}
