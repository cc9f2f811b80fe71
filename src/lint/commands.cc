#include "lint/commands.h"

#include <algorithm>

#include "base/text.h"

namespace mica::lint {
namespace {

using shell::Command;
using shell::Word;
using Action = PackageCommand::Action;

/// Verbs are apart by blanks. `values`: flags that are followed by their value.
struct Manager {
  std::string_view program, name, install, refresh, upgrade, remove, clean, values;
};
constexpr std::string_view kAptValues =
    "-t --target-release --default-release -o --option -c --config-file -a --host-architecture";
constexpr std::string_view kRpmValues =
    "--enablerepo --disablerepo --repo --repoid --installroot --releasever --setopt -c --config -x --exclude -d --debuglevel";
constexpr std::string_view kPipValues =
    "-r --requirement -c --constraint -e --editable -t --target -i --index-url --extra-index-url -f --find-links --no-binary "
    "--only-binary --platform --prefix --progress-bar --proxy --python-version --root --src --trusted-host --upgrade-strategy "
    "--abi "
    "--implementation -b --build --global-option --install-option --config-settings --timeout --retries --cache-dir --cert "
    "--client-cert --log --report";
constexpr std::string_view kNodeValues =
    "--prefix --registry --cache --loglevel -C --dir -w --workspace --omit --include --userconfig --network-timeout --cwd "
    "--filter "
    "--cache-folder --modules-folder --fetch-timeout --fetch-retries";
constexpr Manager kManagers[] = {
    {"apt-get", "apt-get", "install build-dep", "update", "upgrade dist-upgrade full-upgrade",
     "remove purge autoremove autopurge", "clean autoclean distclean", kAptValues},
    {"apt", "apt", "install build-dep", "update", "upgrade dist-upgrade full-upgrade", "remove purge autoremove autopurge",
     "clean autoclean distclean", kAptValues},
    {"aptitude", "aptitude", "install", "update", "upgrade safe-upgrade full-upgrade dist-upgrade", "remove purge",
     "clean autoclean", kAptValues},
    {"apk", "apk", "add", "update", "upgrade", "del", "cache", "-t --virtual --repository -X -p --root --arch --keys-dir"},
    {"yum", "yum", "install localinstall reinstall groupinstall", "makecache", "update upgrade distro-sync",
     "remove erase autoremove", "clean", kRpmValues},
    {"dnf", "dnf", "install localinstall reinstall groupinstall in", "makecache", "update upgrade distro-sync up",
     "remove erase autoremove", "clean", kRpmValues},
    {"dnf5", "dnf", "install reinstall", "makecache", "update upgrade distro-sync", "remove autoremove", "clean", kRpmValues},
    {"microdnf", "dnf", "install reinstall", "makecache", "update upgrade", "remove", "clean", kRpmValues},
    {"tdnf", "dnf", "install reinstall", "makecache", "update upgrade distro-sync", "remove erase autoremove", "clean",
     kRpmValues},
    {"zypper", "zypper", "install in", "refresh ref", "update up patch dist-upgrade dup", "remove rm", "clean cc",
     "-r --repo --from -t --type -R --root -D --reposd-dir"},
    {"npm", "npm", "install i add ci clean-install install-clean isntall", "", "update up upgrade", "uninstall remove rm un",
     "cache", kNodeValues},
    {"yarn", "yarn", "install add", "", "upgrade up", "remove", "cache", kNodeValues},
    {"pnpm", "pnpm", "install i add", "", "update up upgrade", "remove rm", "store", kNodeValues},
    {"gem", "gem", "install i", "", "update", "uninstall", "cleanup",
     "-v --version -i --install-dir -n --bindir -P --trust-policy -s --source -p --http-proxy --platform --document"},
    {"bundle", "bundle", "install", "", "update", "remove", "clean", "--path --without --with -j --jobs --gemfile --retry"},
    {"bundler", "bundle", "install", "", "update", "remove", "clean", "--path --without --with -j --jobs --gemfile --retry"},
    {"go", "go", "install get", "", "", "", "clean", "-C -tags -ldflags -gcflags -mod -modfile -o -p -asmflags -buildmode"},
    {"cargo", "cargo", "install", "fetch", "update", "uninstall", "clean",
     "--version --vers --git --branch --tag --rev --path --root --registry --index --features -F --target --profile -j --jobs "
     "--bin "
     "--config --manifest-path --target-dir"},
    {"composer", "composer", "install require global create-project", "", "update", "remove", "clear-cache clearcache",
     "-d --working-dir"},
    {"poetry", "poetry", "install add", "", "update", "remove", "cache",
     "-C --directory -P --project -E --extras --with --without --only -G --group"},
    {"pipenv", "pipenv", "install sync", "", "update", "uninstall", "", "-r --requirements -i --pypi-mirror --python"},
    {"uv", "uv", "sync add", "lock", "", "remove", "cache", "--python -p --directory --project --group --extra"},
};
constexpr Manager kPip = {"pip", "pip", "install download wheel", "", "", "uninstall", "cache", kPipValues};

bool is_one_of(std::string_view word, std::string_view list) {
  for (std::size_t at = list.find(word); at != std::string_view::npos && !word.empty(); at = list.find(word, at + 1))
    if ((at == 0 || list[at - 1] == ' ') && (at + word.size() == list.size() || list[at + word.size()] == ' ')) return true;
  return false;
}

/// "python3.11" for "python": the name with a version after it.
bool is_versioned(std::string_view program, std::string_view name) {
  if (!program.starts_with(name)) return false;
  program.remove_prefix(name.size());
  return std::ranges::all_of(program, [](char c) { return (c >= '0' && c <= '9') || c == '.' || c == '-'; });
}

struct Operand {
  const Word* word = nullptr;
  std::size_t index = 0;
};
std::vector<Operand> operands_from(const Command& command, std::size_t from, std::string_view values) {
  std::vector<Operand> found;
  bool flags = true;
  for (std::size_t i = from; i < command.words.size(); ++i) {
    const std::string_view text = command.words[i].text;
    if (!flags || text.size() < 2 || text[0] != '-')
      found.push_back({&command.words[i], i});
    else if (text == "--")
      flags = false;
    else if (is_one_of(text, values))
      ++i;
  }
  return found;
}

Action action_of(const Manager& manager, std::string_view verb) {
  if (is_one_of(verb, manager.install)) return Action::install;
  if (is_one_of(verb, manager.refresh)) return Action::refresh;
  if (is_one_of(verb, manager.upgrade)) return Action::upgrade;
  if (is_one_of(verb, manager.remove)) return Action::remove;
  if (is_one_of(verb, manager.clean)) return Action::clean;
  return Action::other;
}

/// pacman's verbs are flags: -S, -Sy, -Syu, -R, -Sc.
PackageCommand pacman(const Command& command, std::size_t at) {
  PackageCommand found{.manager = "pacman", .program = &command.words[at]};
  for (std::size_t i = at + 1; i < command.words.size(); ++i) {
    const std::string_view text = command.words[i].text;
    if (text.starts_with("-S") || text.starts_with("-R") || text.starts_with("-U")) {
      found.verb_word = &command.words[i];
      found.verb = text;
    } else if (!text.starts_with('-')) {
      found.packages.push_back(&command.words[i]);
    }
  }
  if (found.verb.starts_with("-R"))
    found.action = Action::remove;
  else if (found.verb.starts_with("-S") && found.verb.find('c') != std::string_view::npos)
    found.action = Action::clean;
  else if (found.verb.starts_with("-S") && found.packages.empty())
    found.action = found.verb.find('u') != std::string_view::npos ? Action::upgrade : Action::refresh;
  else if (!found.verb.empty())
    found.action = Action::install;
  return found;
}

PackageCommand read(const Manager& manager, const Command& command, std::size_t program) {
  PackageCommand found{.manager = manager.name, .program = &command.words[program]};
  std::vector<Operand> words = operands_from(command, program + 1, manager.values);
  std::size_t first = 0;
  // "yarn global add", "dnf module install", "composer global require": the second word is the verb.
  const auto is_prefix = [&](std::string_view text) {
    return (manager.name == "yarn" && text == "global") ||
           ((manager.name == "dnf" || manager.name == "yum") && text == "module") ||
           (manager.name == "composer" && text == "global") || (manager.name == "uv" && text == "pip");
  };
  if (words.size() > 1 && is_prefix(words[0].word->text)) first = 1;
  if (words.empty()) {
    if (manager.name == "yarn" && !shell::has_flag(command, "--version") && !shell::has_flag(command, "-v") &&
        !shell::has_flag(command, "--help"))
      found.action = Action::install;
    return found;
  }
  found.verb_word = words[first].word;
  found.verb = words[first].word->text;
  found.action = action_of(manager, found.verb);
  for (std::size_t i = first + 1; i < words.size(); ++i) found.packages.push_back(words[i].word);
  if (found.manager == "apk" && found.verb == "cache" && (found.packages.empty() || found.packages[0]->text != "clean"))
    found.action = Action::other;
  if (found.verb == "cache" || found.verb == "store") {
    const std::string_view what = found.packages.empty() ? "" : std::string_view(found.packages[0]->text);
    if (!is_one_of(what, "clean clear rm verify prune purge remove")) found.action = Action::other;
  }
  return found;
}

}  // namespace

std::optional<PackageCommand> package_command(const Command& command) {
  const std::string_view program = shell::program(command);
  if (program.empty()) return std::nullopt;
  const std::size_t at = shell::program_index(command);
  if (is_versioned(program, "pip")) return read(kPip, command, at);
  if (is_versioned(program, "python") || program == "pypy3" || program == "pypy") {
    for (std::size_t i = at + 1; i + 1 < command.words.size() && command.words[i].text.starts_with('-'); ++i)
      if (command.words[i].text == "-m" && command.words[i + 1].text == "pip") return read(kPip, command, i + 1);
    return std::nullopt;
  }
  if (program == "pacman") return pacman(command, at);
  const auto manager = std::ranges::find(kManagers, program, &Manager::program);
  if (manager == std::end(kManagers)) return std::nullopt;
  return read(*manager, command, at);
}

std::optional<FlagValue> flag_value(const Command& command, std::string_view flag) {
  const bool is_short = flag.size() == 2;
  for (std::size_t i = shell::program_index(command) + 1; i < command.words.size(); ++i) {
    const Word& word = command.words[i];
    const std::string_view text = word.text;
    if (text == "--") break;
    if (text.size() < 2 || text[0] != '-') continue;
    const bool has_next = i + 1 < command.words.size();
    if (text == flag) {
      if (has_next) return FlagValue{command.words[i + 1].text, &command.words[i + 1]};
    } else if (!is_short && text.starts_with(flag) && text[flag.size()] == '=') {
      return FlagValue{text.substr(flag.size() + 1), &word};
    } else if (is_short && text[1] != '-') {
      if (text[1] == flag[1]) return FlagValue{text.substr(2), &word};
      if (text.back() == flag[1] && has_next) return FlagValue{command.words[i + 1].text, &command.words[i + 1]};
    }
  }
  return std::nullopt;
}

std::vector<const Word*> urls(const Command& command) {
  std::vector<const Word*> found;
  for (std::size_t i = shell::program_index(command) + 1; i < command.words.size(); ++i) {
    std::string_view text = command.words[i].text;
    if (text.starts_with("--url=")) text.remove_prefix(6);
    if (text.starts_with("http://") || text.starts_with("https://") || text.starts_with("ftp://"))
      found.push_back(&command.words[i]);
  }
  return found;
}

std::string_view output_file(const Command& command) {
  const std::string_view program = shell::program(command);
  const auto value = [&](std::string_view flag) {
    const auto found = flag_value(command, flag);
    return found ? found->text : std::string_view();
  };
  std::string_view file;
  if (program == "curl") {
    file = value("-o");
    if (file.empty()) file = value("--output");
  } else if (program == "wget") {
    file = value("-O");
    if (file.empty()) file = value("--output-document");
  } else {
    return {};
  }
  if (file.empty())
    for (const shell::Redirect& redirect : command.redirects)
      if ((redirect.operation == ">" || redirect.operation == ">>") && redirect.fd != 2) file = redirect.target.text;
  return file == "-" || file == "/dev/stdout" || file == "/dev/null" ? std::string_view() : file;
}

bool is_archive_name(std::string_view path) {
  for (const std::string_view ending :
       {".tar", ".tgz", ".tar.gz", ".tbz2", ".tar.bz2", ".txz", ".tar.xz", ".tar.zst", ".zip", ".gz",  ".bz2",
        ".xz",  ".7z",  ".lzma",   ".tlz",  ".Z",       ".tb2", ".tbz",    ".tpz",     ".tZ",  ".taz", ".tz2"})
    if (path.ends_with(ending)) return true;
  return false;
}

bool extracts_archive(const Command& command) {
  const std::string_view program = shell::program(command);
  if (program == "tar" || program == "bsdtar") {
    if (shell::has_flag(command, "-x") || shell::has_flag(command, "--extract") || shell::has_flag(command, "--get")) return true;
    const std::size_t first = shell::program_index(command) + 1;
    // The old form without a dash: "tar xzf".
    if (first >= command.words.size()) return false;
    const std::string_view text = command.words[first].text;
    return !text.starts_with('-') && text.size() < 8 && text.find('x') != std::string_view::npos &&
           text.find_first_not_of("xvzjJpfaZko") == std::string_view::npos;
  }
  return is_one_of(program, "unzip gunzip bunzip2 unlzma unxz zgz uncompress zcat gzcat");
}

}  // namespace mica::lint
