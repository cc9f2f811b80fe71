// Checks of certificates and signatures that are switched off.
#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "lint/run_rules.h"

namespace mica::lint {
namespace {

namespace df = dockerfile;
using shell::Word;

struct Switch {
  std::string_view program;  ///< canonical name of a package manager, or a program
  std::string_view flag;
  bool has_value = false;  ///< the next word belongs to it
};
constexpr Switch kFlags[] = {{"curl", "-k"},
                             {"curl", "--insecure"},
                             {"wget", "--no-check-certificate"},
                             {"pip", "--trusted-host", true},
                             {"apk", "--allow-untrusted"},
                             {"apt-get", "--allow-unauthenticated"},
                             {"apt-get", "--force-yes"},
                             {"apt-get", "--allow-insecure-repositories"},
                             {"apt", "--allow-unauthenticated"},
                             {"apt", "--force-yes"},
                             {"yum", "--nogpgcheck"},
                             {"dnf", "--nogpgcheck"},
                             {"dnf", "--no-gpgchecks"},
                             {"zypper", "--no-gpg-checks"},
                             {"rpm", "--nosignature"},
                             {"rpm", "--nodigest"},
                             {"rpm", "--noverify"},
                             {"gem", "--no-verify"}};

struct Variable {
  std::string_view name, off;  ///< values that switch off, apart by blanks; "*": whatever is set
};
constexpr Variable kVariables[] = {{"PYTHONHTTPSVERIFY", "0"},
                                   {"NODE_TLS_REJECT_UNAUTHORIZED", "0"},
                                   {"NPM_CONFIG_STRICT_SSL", "false"},
                                   {"npm_config_strict_ssl", "false"},
                                   {"GIT_SSL_NO_VERIFY", "1 true yes on"},
                                   {"PIP_TRUSTED_HOST", "*"},
                                   {"YARN_STRICT_SSL", "false"},
                                   {"CURL_INSECURE", "1 true"},
                                   {"GOINSECURE", "*"}};

bool switches_off(std::string_view name, std::string_view value) {
  for (const Variable& variable : kVariables) {
    if (variable.name != name || value.empty()) continue;
    if (variable.off == "*") return true;
    for (const std::string_view off : split_blanks(variable.off))
      if (equals_ignoring_case(off, value)) return true;
  }
  return false;
}

void report(Inspection& in, const Step& step, const Word& first, const Word& last, std::string_view what,
            std::optional<Fix> fix = std::nullopt) {
  in.report(rule_of("certificate-check-off"), can_edit(*step.run) ? in.span(*step.run, first.begin, last.end) : span_of(in, step),
            line_of(*step.run), format("{} switches off the check of who sent this", quoted(what)), std::move(fix));
}

void check_flags(Inspection& in, const Step& step) {
  const auto package = package_command(*step.command);
  const std::string_view name = package ? package->manager : step.program;
  const auto& words = step.command->words;
  for (std::size_t i = shell::program_index(*step.command) + 1; i < words.size(); ++i) {
    const std::string_view text = words[i].text;
    if (text == "--") break;
    for (const Switch& one : kFlags) {
      if (one.program != name) continue;
      const bool exact = text == one.flag || (text.starts_with(one.flag) && one.flag.size() > 2 && text[one.flag.size()] == '=');
      const bool cluster = one.flag.size() == 2 && text.size() > 2 && text[0] == '-' && text[1] != '-' &&
                           text.find(one.flag[1]) != text.npos && std::ranges::all_of(text.substr(1), [](char c) {
                             return std::string_view("fsSLkOoJRqvgN#").find(c) != std::string_view::npos;
                           });
      if (!exact && !cluster) continue;
      const bool takes_next = one.has_value && text == one.flag && i + 1 < words.size();
      const Word& last = words[takes_next ? i + 1 : i];
      std::optional<Fix> fix;
      if (exact) {
        fix = remove_words(in, *step.run, words[i], last, FixKind::ask, format("remove {}", one.flag));
      } else if (!words[i].quoted) {
        std::string without(text);
        std::erase(without, one.flag[1]);
        fix = replace_word(in, *step.run, words[i], FixKind::ask, format("remove {}", one.flag), without);
      }
      report(in, step, words[i], last, one.flag, std::move(fix));
      break;
    }
  }
}

/// Settings that are given as words: "npm config set strict-ssl false", "git config http.sslVerify false", apt's -o options.
void check_settings(Inspection& in, const Step& step) {
  const auto& words = step.command->words;
  for (std::size_t i = shell::program_index(*step.command) + 1; i < words.size(); ++i) {
    const std::string text = to_lower(words[i].text);
    const std::string next = i + 1 < words.size() ? to_lower(words[i + 1].text) : "";
    const auto is_off = [](std::string_view value) {
      return value == "false" || value == "0" || value == "off" || value == "no";
    };
    const auto setting = [&](std::string_view key) {
      if (text == key && is_off(next)) return std::size_t{1};
      if (text.starts_with(key) && text.size() > key.size() && text[key.size()] == '=' &&
          is_off(std::string_view(text).substr(key.size() + 1)))
        return std::size_t{0};
      return std::string_view::npos;
    };
    std::size_t more = std::string_view::npos;
    if (step.program == "npm" || step.program == "yarn" || step.program == "pnpm")
      more = std::min(setting("strict-ssl"), setting("--strict-ssl"));
    else if (step.program == "git")
      more = setting("http.sslverify");
    else if (step.program == "conda" || step.program == "mamba")
      more = setting("ssl_verify");
    else if (step.program == "yum" || step.program == "dnf" || step.program == "yum-config-manager" || step.program == "microdnf")
      more = std::min({setting("sslverify"), setting("--setopt=sslverify"), setting("--setopt=gpgcheck")});
    else if (step.program == "apt-get" || step.program == "apt")
      for (const std::string_view option :
           {"acquire::allowinsecurerepositories=true", "apt::get::allowunauthenticated=true", "acquire::https::verify-peer=false",
            "acquire::https::verify-host=false", "acquire::allowinsecurerepositories=1", "apt::get::allowunauthenticated=1"})
        if (text.ends_with(option)) more = 0;
    if ((step.program == "echo" || step.program == "printf") &&
        (text.find("[trusted=yes]") != text.npos || text.find("sslverify=false") != text.npos ||
         text.find("sslverify=0") != text.npos || text.find("gpgcheck=0") != text.npos))
      more = 0;
    if (more != std::string_view::npos)
      report(in, step, words[i], words[i + more], more ? words[i].text + " " + words[i + 1].text : words[i].text.substr(0, 60));
  }
}

void check_off(Inspection& in) {
  each_step(in, [&](const Step& step) {
    for (const shell::Assignment& assignment : step.command->assignments)
      if (switches_off(assignment.name, assignment.value.text) && can_edit(*step.run))
        in.report(rule_of("certificate-check-off"), in.span(*step.run, assignment.begin, assignment.end), line_of(*step.run),
                  format("{} switches off the check of who sent this", quoted(assignment.name + "=" + assignment.value.text)));
    if (step.program == "export" || step.program == "env" || shell::program_index(*step.command) > 0)
      for (const Word& word : step.command->words) {
        const auto pair = split_once(word.text, '=');
        if (pair && switches_off(pair->first, pair->second)) report(in, step, word, word, word.text);
      }
    if (step.program.empty()) return;
    check_flags(in, step);
    check_settings(in, step);
  });
  for (const InstructionView& view : in.instructions) {
    const auto look = [&](const df::KeyValue& pair) {
      if (!pair.value || !switches_off(pair.key, replace_all(replace_all(*pair.value, "\"", ""), "'", ""))) return;
      const std::size_t at = view.instruction->text.find(pair.key);
      in.report(rule_of("certificate-check-off"),
                at == std::string::npos ? in.keyword(*view.instruction) : in.span(*view.instruction, at, at + pair.key.size()),
                view,
                format("{} switches off the check of who sent something, in the build and in every container",
                       quoted(pair.key + "=" + *pair.value)));
    };
    if (const auto* env = std::get_if<df::Env>(&view.instruction->command)) std::ranges::for_each(env->pairs, look);
    if (const auto* arg = std::get_if<df::Arg>(&view.instruction->command)) std::ranges::for_each(arg->args, look);
  }
}

const Rule kRules[] = {
    {.id = "certificate-check-off",
     .aliases = "CKV2_DOCKER_2 CKV2_DOCKER_3 CKV2_DOCKER_4 CKV2_DOCKER_5 CKV2_DOCKER_6 CKV2_DOCKER_7 CKV2_DOCKER_8 CKV2_DOCKER_9 "
                "CKV2_DOCKER_10 CKV2_DOCKER_11 "
                "CKV2_DOCKER_12 CKV2_DOCKER_13 CKV2_DOCKER_14 CKV2_DOCKER_15 CKV2_DOCKER_16",
     .fix = FixKind::ask,
     .summary = "a check of certificates or signatures is switched off",
     .why = "Whoever sits on the way may then put any file in place of the one that was meant, and it becomes part of the image.",
     .practice = "Install the certificate authority or the key that is missing, in place of the switch.",
     .bad = "FROM debian:12\nRUN curl -kfL -o /usr/bin/tool https://example.com/tool\n",
     .good = "FROM debian:12\nRUN curl -fL -o /usr/bin/tool https://example.com/tool\n",
     .check = check_off},
};

}  // namespace

std::span<const Rule> certificate_rules() { return kRules; }

}  // namespace mica::lint
