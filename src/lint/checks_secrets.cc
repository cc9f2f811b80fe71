// Secrets in names, values and files.
#include "base/format.h"
#include "base/text.h"
#include "lint/checks.h"
#include "lint/rule.h"
#include "lint/secrets.h"
#include "lint/texts.h"

namespace mica::lint {

namespace df = dockerfile;

void check_secret_names(Inspection& in) {
  static const Rule& rule = rule_of("DL3064");
  const auto check = [&](const df::Instruction& instruction, int line) {
    const auto* env = std::get_if<df::Env>(&instruction.command);
    const auto* arg = std::get_if<df::Arg>(&instruction.command);
    if (!env && !arg) return;
    const auto words = arguments(in, instruction);
    const auto& pairs = env ? env->pairs : arg->args;
    for (std::size_t i = 0; i < pairs.size() && i < words.size(); ++i)
      if (is_secret_name(without_quotes(pairs[i].key)))
        in.report(rule, in.span(instruction, words[i].begin, words[i].begin + pairs[i].key.size()), line,
                  format("{} sounds like a secret: {} keeps it in the image's {}", pairs[i].key, instruction.keyword, env ? "configuration" : "history"));
  };
  for (const df::Instruction& instruction : in.file.global_args) check(instruction, instruction.where.line);
  for (const InstructionView& view : in.instructions) check(*view.instruction, view.line());
}

void check_secret_values(Inspection& in) {
  static const Rule& rule = rule_of("secret-value");
  const auto check = [&](const df::Instruction& instruction) {
    const Span whole = in.whole(instruction);
    for (const SecretText& secret : find_secrets(std::string_view(in.source).substr(whole.begin, whole.end - whole.begin)))
      in.report(rule, {whole.begin + secret.begin, whole.begin + secret.end}, instruction.where.line, format("this looks like {}", secret.kind));
  };
  for (const df::Instruction& instruction : in.file.global_args) check(instruction);
  for (const df::Stage& stage : in.file.stages)
    for (const df::Instruction& instruction : stage.instructions) check(instruction);
}

void check_credential_files(Inspection& in) {
  static const Rule& rule = rule_of("credential-file");
  for (const InstructionView& view : in.instructions) {
    const auto* copy = std::get_if<df::Copy>(&view.instruction->command);
    if (!copy || !copy->from.empty()) continue;
    for (const std::string& source : copy->sources) {
      if (!is_credential_file(without_quotes(source)) || source.find("://") != std::string::npos) continue;
      const std::size_t at = view.instruction->text.find(source, in.arguments_begin(*view.instruction));
      const Span where = at == std::string::npos ? in.keyword(*view.instruction) : in.span(*view.instruction, at, at + source.size());
      in.report(rule, where, view, format("{} holds credentials, and the layer keeps them", quoted(source)));
    }
  }
}

}  // namespace mica::lint
