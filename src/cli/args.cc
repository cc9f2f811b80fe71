#include "cli/args.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"

namespace mica::cli {
namespace {

constexpr Flag kHelp{"help", 0, "", ""};

const Flag* find(std::span<const Flag> flags, std::string_view name) {
  for (const Flag& flag : flags)
    if (flag.name == name) return &flag;
  return name == "help" ? &kHelp : nullptr;
}
const Flag* find(std::span<const Flag> flags, char letter) {
  for (const Flag& flag : flags)
    if (flag.letter == letter) return &flag;
  return nullptr;
}

std::string shown(const Flag& flag) {
  return flag.letter ? format("-{}, --{}", flag.letter, flag.name) : format("--{}", flag.name);
}

std::optional<bool> boolean(std::string_view text) {
  for (std::string_view yes : {"1", "t", "T", "true", "TRUE", "True"})
    if (text == yes) return true;
  for (std::string_view no : {"0", "f", "F", "false", "FALSE", "False"})
    if (text == no) return false;
  return std::nullopt;
}

Result<std::string> checked(const Flag& flag, std::string_view value) {
  if (!flag.refused.empty()) return failf(Errc::unsupported, "--{}: {}", flag.name, flag.refused);
  if (!flag.type.empty()) return std::string(value);
  const auto on = boolean(value);
  if (!on)
    return failf(Errc::invalid_argument, "invalid argument {} for {} flag: strconv.ParseBool: parsing {}: invalid syntax", quoted(value),
                 quoted(shown(flag)), quoted(value));
  return std::string(*on ? "true" : "false");
}

std::unexpected<Error> unknown(std::span<const Flag> flags, std::string_view name) {
  Error error(Errc::invalid_argument, format("unknown flag: --{}", name));
  std::vector<std::string_view> known;
  for (const Flag& flag : flags)
    if (!flag.help.empty() && flag.refused.empty()) known.push_back(flag.name);
  if (auto near = closest(name, known)) std::move(error).with_hint(format("did you mean --{}?", *near));
  return fail(std::move(error));
}

}  // namespace

bool Args::has(std::string_view flag) const {
  return std::any_of(given_.begin(), given_.end(), [&](const auto& g) { return g.first == flag; });
}
bool Args::flag(std::string_view flag, bool fallback) const { return text(flag, fallback ? "true" : "false") == "true"; }
std::string Args::text(std::string_view flag, std::string_view fallback) const {
  for (auto i = given_.rbegin(); i != given_.rend(); ++i)
    if (i->first == flag) return i->second;
  return std::string(fallback);
}
std::vector<std::string> Args::list(std::string_view flag) const {
  std::vector<std::string> values;
  for (const auto& [name, value] : given_)
    if (name == flag) values.push_back(value);
  return values;
}

Result<Args> parse_args(std::span<const Flag> flags, std::span<const std::string> words, bool flags_first) {
  Args args;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word.size() < 2 || word[0] != '-') {
      args.positionals_.push_back(word);
      if (!flags_first) continue;
      args.positionals_.insert(args.positionals_.end(), words.begin() + static_cast<std::ptrdiff_t>(i) + 1, words.end());
      break;
    }
    if (word == "--") {
      args.positionals_.insert(args.positionals_.end(), words.begin() + static_cast<std::ptrdiff_t>(i) + 1, words.end());
      break;
    }
    if (word[1] == '-') {
      const std::size_t equals = word.find('=');
      const std::string_view name = std::string_view(word).substr(2, equals == word.npos ? word.npos : equals - 2);
      if (name.empty() || name[0] == '-') return failf(Errc::invalid_argument, "bad flag syntax: {}", word);
      const Flag* flag = find(flags, name);
      if (!flag) return unknown(flags, name);
      if (!flag->refused.empty()) return failf(Errc::unsupported, "--{}: {}", flag->name, flag->refused);
      std::string value = "true";
      if (equals != word.npos) value = word.substr(equals + 1);
      else if (!flag->type.empty()) {
        if (i + 1 >= words.size()) return failf(Errc::invalid_argument, "flag needs an argument: --{}", name);
        value = words[++i];
      }
      std::string text = TRY(checked(*flag, value));
      args.given_.emplace_back(flag->name, std::move(text));
      continue;
    }
    for (std::size_t k = 1; k < word.size(); ++k) {
      const Flag* flag = find(flags, word[k]);
      if (!flag && word[k] == 'h') flag = &kHelp;
      if (!flag) return failf(Errc::invalid_argument, "unknown shorthand flag: '{}' in {}", word[k], word);
      if (!flag->refused.empty()) return failf(Errc::unsupported, "-{}, --{}: {}", flag->letter, flag->name, flag->refused);
      std::string value = "true";
      bool rest = false;
      if (k + 1 < word.size() && word[k + 1] == '=') value = word.substr(k + 2), rest = true;
      else if (!flag->type.empty() && k + 1 < word.size()) value = word.substr(k + 1), rest = true;
      else if (!flag->type.empty()) {
        if (i + 1 >= words.size()) return failf(Errc::invalid_argument, "flag needs an argument: '{}' in {}", word[k], word);
        value = words[++i], rest = true;
      }
      std::string text = TRY(checked(*flag, value));
      args.given_.emplace_back(flag->name, std::move(text));
      if (rest) break;
    }
  }
  return args;
}

std::string flag_help(std::span<const Flag> flags) {
  std::size_t widest = 0;
  std::vector<std::pair<std::string, std::string_view>> lines;
  for (const Flag& flag : flags) {
    if (flag.help.empty() || !flag.refused.empty()) continue;
    std::string left = flag.letter ? format("  -{}, --{}", flag.letter, flag.name) : format("      --{}", flag.name);
    if (!flag.type.empty()) left += format(" {}", flag.type);
    widest = std::max(widest, left.size());
    lines.emplace_back(std::move(left), flag.help);
  }
  std::string out;
  for (const auto& [left, help] : lines) {
    bool first = true;
    for (std::string_view line : split(help, '\n')) {
      out += first ? format("{:<{}}   {}\n", left, widest, line) : format("{:<{}}   {}\n", "", widest, line);
      first = false;
    }
  }
  return out;
}

}  // namespace mica::cli
