/// What may stand next on a command line, for shells. `mica __complete -- WORDS...` gets the words behind "mica" up to the cursor, the last one
/// unfinished (perhaps empty), and prints the words that it may become, one a line. `mica completion SHELL` prints the part in the shell's language.
#include <algorithm>
#include <set>

#include "base/format.h"
#include "base/text.h"
#include "cli/commands.h"
#include "engine/containers.h"
#include "engine/images.h"
#include "engine/networks.h"
#include "engine/volumes.h"

namespace mica::cli {
namespace {

using Words = std::set<std::string>;

constexpr std::string_view kBash = R"sh(# mica and docker in bash: source <(mica completion bash)
_mica() {
  # bash splits words at colons, which names of images hold; so the line is split here.
  local line=${COMP_LINE:0:COMP_POINT} words word
  read -ra words <<< "$line"
  [[ $line != *[[:space:]] ]] || words+=("")
  word=${words[${#words[@]}-1]}
  mapfile -t COMPREPLY < <("${words[0]}" __complete -- "${words[@]:1}" 2> /dev/null)
  if [[ $word == *:* ]]; then COMPREPLY=("${COMPREPLY[@]#"${word%:*}:"}"); fi
}
complete -o default -F _mica mica docker
)sh";

constexpr std::string_view kZsh = R"sh(#compdef mica docker
# mica and docker in zsh: source <(mica completion zsh)
_mica() {
  local -a found
  found=(${(f)"$("${words[1]}" __complete -- "${(@)words[2,CURRENT]}" 2> /dev/null)"})
  if (( ${#found} )); then compadd -a found; else _files; fi
}
compdef _mica mica docker
)sh";

constexpr std::string_view kFish = R"sh(# mica and docker in fish: mica completion fish | source
function __mica_words
    set -l words (commandline -opc)
    $words[1] __complete -- $words[2..-1] (commandline -ct) 2>/dev/null
end
complete -c mica -a '(__mica_words)'
complete -c docker -a '(__mica_words)'
)sh";

/// The commands and groups that stand directly below `path` ("": the first words).
void add_commands(const std::string& path, Words& out) {
  const std::string prefix = path.empty() ? "" : path + " ";
  auto add = [&](std::string_view name, std::string_view summary) {
    if (!summary.empty() && name.starts_with(prefix) && name.find(' ', prefix.size()) == name.npos) out.emplace(name.substr(prefix.size()));
  };
  for (const Entry& entry : command_table()) add(entry.name, entry.command->summary);
  for (const GroupEntry& group : command_groups()) add(group.name, group.summary);
}

const Command* command_at(const std::string& path) {
  for (const Entry& entry : command_table())
    if (entry.name == path) return entry.command;
  return nullptr;
}
bool is_group(const std::string& path) {
  const auto groups = command_groups();
  return std::any_of(groups.begin(), groups.end(), [&](const auto& group) { return group.name == path; });
}

void add_flags(const Command& command, Words& out) {
  out.insert("--help");
  for (const Flag& flag : command.flags)
    if (flag.refused.empty() && !flag.help.empty()) out.insert("--" + std::string(flag.name));
}

/// The names that the command's usage speaks of.
Result<> add_names(Context& context, const Command& command, const std::string& path, Words& out) {
  auto speaks_of = [&](std::string_view word) { return command.usage.find(word) != command.usage.npos; };
  const bool any = path == "inspect";
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  if (any || speaks_of("CONTAINER")) {
    const auto rows = TRY(engine::list_containers(*engine));
    for (const auto& row : rows) out.insert(row.name);
  }
  if (any || speaks_of("IMAGE") || speaks_of("REPOSITORY")) {
    const auto images = TRY(engine::list_images(*engine, {}));
    for (const auto& image : images)
      for (const auto& name : image.names) out.insert(format("{}:{}", name.familiar_name(), name.tag));
  }
  if (any || speaks_of("NETWORK")) {
    const auto networks = TRY(engine::list_networks(*engine, {}));
    for (const auto& network : networks) out.insert(network.name);
  }
  if (any || speaks_of("VOLUME")) {
    const auto volumes = TRY(engine::list_volumes(*engine, {}));
    for (const auto& volume : volumes) out.insert(volume.name);
  }
  return {};
}

Result<int> run_complete(Context& context) {
  const auto& words = context.args.positionals();
  const std::string last = words.empty() ? "" : words.back();
  std::string path;
  std::size_t next = 0;
  while (next + 1 < words.size() && (path.empty() || is_group(path))) {
    const std::string longer = path.empty() ? words[next] : path + " " + words[next];
    if (!command_at(longer) && !is_group(longer)) break;
    path = longer;
    ++next;
  }
  Words found;
  const Command* command = command_at(path);
  if (path.empty() || is_group(path)) add_commands(path, found);
  if (command && last.starts_with("-")) add_flags(*command, found);
  else if (command && !is_group(path)) TRY(add_names(context, *command, path, found));
  for (const auto& word : found)
    if (word.starts_with(last)) TRY(print(word + "\n"));
  return 0;
}

Result<int> run_completion(Context& context) {
  const std::string& shell = context.args.positional(0);
  if (shell != "bash" && shell != "zsh" && shell != "fish") return failf(Errc::invalid_argument, "no completion for {}: bash, zsh and fish are known", quoted(shell));
  TRY(print(shell == "bash" ? kBash : shell == "zsh" ? kZsh : kFish));
  return 0;
}

}  // namespace

constinit const Command kComplete{.usage = "-- [WORD...]", .summary = {}, .aliases = {}, .flags = {}, .least = 0, .most = -1, .run = run_complete};

constinit const Command kCompletion{.usage = "bash|zsh|fish",
                                    .summary = "Print the completion of command lines for a shell",
                                    .aliases = {},
                                    .flags = {},
                                    .least = 1,
                                    .most = 1,
                                    .needs = Needs::nothing,
                                    .run = run_completion};

}  // namespace mica::cli
