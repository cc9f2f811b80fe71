// Instructions that only change the image's configuration: ENV LABEL ARG EXPOSE VOLUME USER WORKDIR STOPSIGNAL MAINTAINER.
#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "dockerfile/parser.h"
#include "dockerfile/statement.h"
#include "dockerfile/unicode.h"

namespace mica::dockerfile {
namespace {

bool check_word_count(const Statement& s, std::size_t count, Diagnostics& diagnostics) {
  if (count <= kMaxWords) return true;
  diagnostics.error(s.where, format("{} has more than {} arguments", s.keyword, kMaxWords));
  return false;
}

bool at_least_one(const Statement& s, bool any, Diagnostics& diagnostics) {
  if (any) return true;
  diagnostics.error(s.where, s.keyword + " requires at least one argument");
  return false;
}

/// The rest of the line as the one argument of USER, WORKDIR, STOPSIGNAL and MAINTAINER.
std::optional<std::string> only_argument(const Statement& s, Diagnostics& diagnostics) {
  if (!s.rest.empty()) return std::string(s.rest);
  diagnostics.error(s.where, s.keyword + " requires exactly one argument");
  return std::nullopt;
}

/// Pairs of ENV and LABEL. read_statement() has checked their form.
std::optional<std::vector<KeyValue>> pairs_of(const Statement& s, bool& legacy, Diagnostics& diagnostics) {
  const auto words = split_quoted(s.rest, s.escape);
  if (!at_least_one(s, !words.empty(), diagnostics) || !check_word_count(s, words.size(), diagnostics)) return std::nullopt;
  std::vector<KeyValue> pairs;
  legacy = words[0].find('=') == std::string::npos;
  if (legacy) {
    const std::size_t end = s.rest.find_first_of(kWordBlanks);
    pairs.push_back({std::string(s.rest.substr(0, end)), std::string(trim_left(s.rest.substr(end), kWordBlanks))});
    return pairs;
  }
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    if (equals == 0) {
      diagnostics.error(s.where, s.keyword + " names can not be blank");
      return std::nullopt;
    }
    pairs.push_back({word.substr(0, equals), word.substr(equals + 1)});
  }
  return pairs;
}

}  // namespace

std::optional<Command> parse_env(const Statement& s, Diagnostics& diagnostics) {
  if (!check_flags(s, {}, diagnostics)) return std::nullopt;
  Env env;
  auto pairs = pairs_of(s, env.legacy, diagnostics);
  if (!pairs) return std::nullopt;
  env.pairs = std::move(*pairs);
  return env;
}

std::optional<Command> parse_label(const Statement& s, Diagnostics& diagnostics) {
  if (!check_flags(s, {}, diagnostics)) return std::nullopt;
  Label label;
  auto pairs = pairs_of(s, label.legacy, diagnostics);
  if (!pairs) return std::nullopt;
  label.pairs = std::move(*pairs);
  return label;
}

/// Flags are not looked at: BuildKit does not either, here and for STOPSIGNAL.
std::optional<Command> parse_arg(const Statement& s, Diagnostics& diagnostics) {
  const auto words = split_quoted(s.rest, s.escape);
  if (!at_least_one(s, !words.empty(), diagnostics) || !check_word_count(s, words.size(), diagnostics)) return std::nullopt;
  Arg arg;
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    if (equals == 0) {
      diagnostics.error(s.where, "ARG names can not be blank");
      return std::nullopt;
    }
    if (equals == std::string::npos)
      arg.args.push_back({word, std::nullopt});
    else
      arg.args.push_back({word.substr(0, equals), word.substr(equals + 1)});
  }
  return arg;
}

std::optional<Command> parse_expose(const Statement& s, Diagnostics& diagnostics) {
  const auto words = split_words(s.rest);
  if (!at_least_one(s, !words.empty(), diagnostics) || !check_flags(s, {}, diagnostics)) return std::nullopt;
  if (!check_word_count(s, words.size(), diagnostics)) return std::nullopt;
  Expose expose{.ports = {words.begin(), words.end()}};
  std::ranges::sort(expose.ports);
  return expose;
}

std::optional<Command> parse_volume(const Statement& s, Diagnostics& diagnostics) {
  Volume volume;
  if (s.json.kind == JsonWords::Kind::strings) {
    volume.paths = s.json.words;
  } else {
    const auto words = split_words(s.rest);
    volume.paths.assign(words.begin(), words.end());
  }
  if (!at_least_one(s, !volume.paths.empty(), diagnostics) || !check_flags(s, {}, diagnostics)) return std::nullopt;
  if (!check_word_count(s, volume.paths.size(), diagnostics)) return std::nullopt;
  for (std::string& path : volume.paths) {
    path = std::string(trim_space(path));
    if (!path.empty()) continue;
    diagnostics.error(s.where, "VOLUME specified can not be an empty string");
    return std::nullopt;
  }
  return volume;
}

std::optional<Command> parse_user(const Statement& s, Diagnostics& diagnostics) {
  auto user = only_argument(s, diagnostics);
  if (!user || !check_flags(s, {}, diagnostics)) return std::nullopt;
  return User{.user = std::move(*user)};
}

std::optional<Command> parse_workdir(const Statement& s, Diagnostics& diagnostics) {
  auto path = only_argument(s, diagnostics);
  if (!path || !check_flags(s, {}, diagnostics)) return std::nullopt;
  return Workdir{.path = std::move(*path)};
}

std::optional<Command> parse_stopsignal(const Statement& s, Diagnostics& diagnostics) {
  auto signal = only_argument(s, diagnostics);
  if (!signal) return std::nullopt;
  return StopSignal{.signal = std::move(*signal)};
}

std::optional<Command> parse_maintainer(const Statement& s, Diagnostics& diagnostics) {
  auto name = only_argument(s, diagnostics);
  if (!name || !check_flags(s, {}, diagnostics)) return std::nullopt;
  diagnostics.warning("MaintainerDeprecated", s.where, "Maintainer instruction is deprecated in favor of using label");
  return Maintainer{.name = std::move(*name)};
}

}  // namespace mica::dockerfile
