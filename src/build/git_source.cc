// Git repositories as source trees, by the git program. It works with the user's own configuration: credential helpers, proxies,
// insteadOf. Questions are never asked.
#include "build/git_source.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <set>

#include "base/format.h"
#include "base/text.h"
#include "build/context.h"
#include "build/local_tree.h"
#include "sys/process.h"

namespace mica::build {
namespace {

constexpr std::size_t kMaxOutput = 64 << 20;  // a list of references
constexpr std::size_t kShownError = 2000;

/// Set by git for its hooks: they would lead ours into the repository that mica is called from.
const std::set<std::string_view> kForeign = {"GIT_DIR",
                                             "GIT_WORK_TREE",
                                             "GIT_INDEX_FILE",
                                             "GIT_PREFIX",
                                             "GIT_COMMON_DIR",
                                             "GIT_OBJECT_DIRECTORY",
                                             "GIT_NAMESPACE",
                                             "GIT_ALTERNATE_OBJECT_DIRECTORIES",
                                             "GIT_SHALLOW_FILE",
                                             "GIT_GRAFT_FILE",
                                             "GIT_REPLACE_REF_BASE",
                                             "GIT_IMPLICIT_WORK_TREE",
                                             "GIT_CONFIG",
                                             "GIT_TERMINAL_PROMPT",
                                             "LC_ALL"};

/// What a checkout must not depend on. By the environment, where nobody else sees the authorization.
class Settings {
 public:
  explicit Settings(const GitReference& reference) {
    std::int64_t count = 0;
    bool restricted = false;
    for (char** at = ::environ; *at; ++at) {
      const std::string_view variable = *at;
      const std::string_view name = variable.substr(0, variable.find('='));
      if (name == "GIT_CONFIG_COUNT")
        count = parse_int(variable.substr(name.size() + 1)).value_or(0);
      else if (!kForeign.contains(name))
        environment_.emplace_back(variable);
      restricted = restricted || name == "GIT_ALLOW_PROTOCOL";
    }
    environment_.insert(environment_.end(), {"GIT_TERMINAL_PROMPT=0", "LC_ALL=C"});
    // A repository from elsewhere has no business with this machine's files (its submodules could name them).
    if (!restricted && reference.remote.find("://") != std::string::npos && !reference.remote.starts_with("file://"))
      environment_.emplace_back("GIT_ALLOW_PROTOCOL=http:https:ssh:git");
    const auto set = [&](std::string_view key, std::string_view value) {
      environment_.push_back(format("GIT_CONFIG_KEY_{}={}", count, key));
      environment_.push_back(format("GIT_CONFIG_VALUE_{}={}", count++, value));
    };
    set("core.hooksPath", "/dev/null");
    set("core.autocrlf", "false");
    set("core.fileMode", "true");
    set("core.symlinks", "true");
    set("core.fsmonitor", "false");
    set("advice.detachedHead", "false");
    set("gc.auto", "0");
    set("maintenance.auto", "false");
    if (!reference.authorization.empty()) {
      const auto path = reference.remote.find('/', reference.remote.find("://") + 3);
      set(format("http.{}/.extraHeader", reference.remote.substr(0, path)), "Authorization: " + reference.authorization.reveal());
    }
    environment_.push_back(format("GIT_CONFIG_COUNT={}", count));
  }
  const std::vector<std::string>& environment() const { return environment_; }

 private:
  std::vector<std::string> environment_;
};

Result<sys::Fd> memory_file() {
  sys::Fd fd(::memfd_create("git-output", MFD_CLOEXEC));
  if (!fd) return fail_errno("making a file in memory");
  return fd;
}

Result<std::string> written(const sys::Fd& file) {
  if (::lseek(file.get(), 0, SEEK_SET) != 0) return fail_errno("reading what git wrote");
  return sys::read_fd(file, kMaxOutput);
}

/// The error that a failed command's words mean. Git has one exit status for all of them.
Error failure(std::string_view command, std::string_view said) {
  said = trim(said);
  if (said.size() > kShownError) said.remove_prefix(said.size() - kShownError);
  Error error(Errc::unavailable, format("git {}: {}", command, said.empty() ? "failed" : said));
  const auto says = [&](std::string_view words) { return said.find(words) != said.npos; };
  if (says("could not read Username") || says("could not read Password") || says("Authentication failed") ||
      says("Permission denied (publickey") || says("returned error: 403"))
    return std::move(error)
        .with_code(Errc::unauthorized)
        .with_hint("git asks no questions here: set up a credential helper, a token in the URL, or an ssh agent");
  if (says("does not appear to be a git repository") || says("not found") || says("does not exist"))
    return std::move(error).with_code(Errc::not_found);
  if (says("transport 'file' not allowed"))
    return std::move(error)
        .with_code(Errc::permission_denied)
        .with_hint("submodules from local paths: git config --global protocol.file.allow always");
  if (says("No space left on device")) return std::move(error).with_code(Errc::resource_exhausted);
  return error;
}

/// Runs git commands in one folder.
class Git {
 public:
  static Result<Git> find(const GitReference& reference, std::string folder, task::Cancel cancel) {
    auto program = sys::find_program("git");
    if (!program && program.error().code() == Errc::not_found)
      return fail(Error(Errc::not_found, "it takes the program git, which is not installed")
                      .with_hint("install git, for example: apt-get install git"));
    if (!program) return fail(std::move(program).error());
    return Git(std::move(*program), Settings(reference), std::move(folder), std::move(cancel));
  }

  /// Standard output, trimmed. Errors: by what git says; cancelled.
  Result<std::string> run(std::vector<std::string> words) {
    TRY(cancel_.check());
    const auto out = TRY(memory_file());
    const auto err = TRY(memory_file());
    // Modes of a checkout are 644 and 755 whatever the user's own umask.
    std::vector<std::string> argv = {"/bin/sh", "-c", "umask 022; exec \"$0\" \"$@\"", program_};
    const std::string command = words.at(0);
    argv.insert(argv.end(), std::make_move_iterator(words.begin()), std::make_move_iterator(words.end()));
    // Without a terminal ssh cannot ask either.
    auto process = TRY(sys::Process::start({.argv = std::move(argv),
                                            .env = settings_.environment(),
                                            .cwd = folder_,
                                            .stdout_fd = out.get(),
                                            .stderr_fd = err.get(),
                                            .new_session = true}));
    const auto exit = TRY(process.wait(cancel_.fd()));
    if (exit.status != 0) return fail(failure(command, TRY(written(err))));
    const std::string output = TRY(written(out));
    return std::string(trim(output));
  }

 private:
  Git(std::string program, Settings settings, std::string folder, task::Cancel cancel)
      : program_(std::move(program)), settings_(std::move(settings)), folder_(std::move(folder)), cancel_(std::move(cancel)) {}
  std::string program_;
  Settings settings_;
  std::string folder_;
  task::Cancel cancel_;
};

/// What a reference means on the other side.
struct Target {
  std::string name;  ///< full name, "HEAD", or a commit id; empty: an abbreviated id, which only the whole repository can tell
  std::string id;    ///< of the object that has the name
  std::string tag;   ///< id of the tag object, when `name` is an annotated tag
};

std::vector<std::pair<std::string, std::string>> parse_references(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> references;
  for (const auto line : split(text, '\n'))
    if (const auto pair = split_once(line, '\t')) references.emplace_back(pair->second, pair->first);
  return references;
}

Error no_such_reference(Git& git, const GitReference& wanted) {
  Error error(Errc::not_found, format("repository does not contain ref {}", quoted(wanted.ref)));
  const auto all = git.run({"ls-remote", "-q", "--heads", "--tags", "--refs", "--", wanted.remote});
  if (!all) return error;
  std::vector<std::string> names;
  for (auto& [name, id] : parse_references(*all)) names.push_back(name.substr(name.find('/', 5) + 1));
  const std::vector<std::string_view> known(names.begin(), names.end());
  const auto near = closest(wanted.ref.substr(wanted.ref.rfind('/') + 1), known);
  return near ? std::move(error).with_hint(format("did you mean {}?", quoted(*near))) : std::move(error);
}

/// A branch comes before a tag of the same name, as with git checkout.
Result<Target> resolve(Git& git, const GitReference& wanted) {
  if (is_commit_id(wanted.ref)) return Target{.name = wanted.ref, .id = wanted.ref};
  const std::string ref = wanted.ref.empty() ? "HEAD" : wanted.ref;
  const std::string listed = TRY(git.run({"ls-remote", "-q", "--", wanted.remote, ref, ref + "^{}"}));
  const auto references = parse_references(listed);
  const auto id_of = [&](const std::string& name) {
    for (const auto& [known, id] : references)
      if (known == name) return id;
    return std::string();
  };
  const std::string tail = ref.starts_with("refs/") ? ref.substr(5) : ref;
  for (const std::string& name : {ref == "HEAD" ? ref : "refs/" + tail, "refs/heads/" + ref, "refs/tags/" + ref}) {
    Target target{.name = name, .id = id_of(name)};
    if (target.id.empty()) continue;
    const std::string peeled = id_of(name + "^{}");
    if (peeled.empty()) return target;
    target.tag = std::exchange(target.id, peeled);
    return target;
  }
  if (wanted.ref.empty()) return fail(Errc::not_found, "the repository has no default branch, or nothing in it");
  if (ref.size() >= 4 && ref.size() < 64 && ref.find_first_not_of("0123456789abcdef") == ref.npos) return Target{};
  return fail(no_such_reference(git, wanted));
}

std::string refspec_of(const std::string& name) {
  constexpr std::string_view kHeads = "refs/heads/";
  if (name.starts_with(kHeads)) return format("+{}:refs/remotes/origin/{}", name, name.substr(kHeads.size()));
  return name.starts_with("refs/") ? format("+{}:{}", name, name) : name;
}

/// Fetches as little as the server lets us; returns the commit.
Result<std::string> fetch_commit(Git& git, const Target& target, const GitReference& wanted) {
  std::optional<Error> refused;
  if (!target.name.empty()) {
    const std::string refspec = refspec_of(target.name);
    auto fetched = git.run({"fetch", "-q", "--depth=1", "--no-tags", "--no-recurse-submodules", "origin", refspec});
    // A plain file server cannot give a part.
    if (!fetched && fetched.error().code() != Errc::cancelled && !is_commit_id(target.name))
      fetched = git.run({"fetch", "-q", "--no-tags", "--no-recurse-submodules", "origin", refspec});
    if (fetched) return git.run({"rev-parse", "-q", "--verify", "FETCH_HEAD^{commit}"});
    if (fetched.error().code() == Errc::cancelled || !is_commit_id(target.name)) return fail(std::move(fetched).error());
    refused = std::move(fetched).error();  // not every server gives commits by their ids
  }
  TRY(git.run({"fetch", "-q", "--tags", "--no-recurse-submodules", "origin", "+refs/heads/*:refs/remotes/origin/*"}));
  auto commit = git.run({"rev-parse", "-q", "--verify", wanted.ref + "^{commit}"});
  if (commit || commit.error().code() == Errc::cancelled) return commit;
  if (refused) return fail(Error(Errc::not_found, format("repository does not contain commit {}", wanted.ref)));
  return fail(no_such_reference(git, wanted));
}

Result<> check_commit(const std::string& expected, const std::string& commit, const Target& target) {
  if (commit.starts_with(expected) || (!expected.empty() && target.tag.starts_with(expected))) return {};
  return failf(Errc::corrupt, "{} is at another commit than asked for\n  expected {}\n  actual   {}",
               target.name.empty() ? "the repository" : target.name, expected, commit);
}

/// A commit of a submodule may not be the tip of anything; then all of it is fetched.
Result<> fetch_submodules(Git& git) {
  const std::vector<std::string> words = {"submodule", "update", "-q", "--init", "--recursive", "--force"};
  std::vector<std::string> shallow = words;
  shallow.emplace_back("--depth=1");
  const auto fetched = git.run(shallow);
  if (fetched) return {};
  if (fetched.error().code() == Errc::cancelled || fetched.error().code() == Errc::permission_denied)
    return fail(fetched.error());
  TRY(git.run(words));
  return {};
}

/// Where a folder of the repository is, links in it followed inside of it.
Result<std::string> find_subdir(const std::string& root, const std::string& subdir) {
  const auto top = TRY(sys::open(root, O_PATH | O_DIRECTORY));
  const auto opened = sys::open_beneath(top, subdir, O_PATH | O_DIRECTORY);
  if (!opened) return failf(Errc::not_found, "the repository has no folder {}", quoted(subdir));
  const auto links = TRY(sys::open("/proc/self/fd", O_PATH | O_DIRECTORY));
  return sys::read_link_at(links, std::to_string(opened->get()));
}

}  // namespace

Result<GitTree> fetch_git(const std::string& url, bool keep_git_dir, const std::string& checksum, const ContextTools& tools,
                          task::Cancel cancel) {
  GitReference wanted = TRY(parse_git_url(url));
  const std::string wanted_commit = to_lower(checksum);
  if (wanted_commit.find_first_not_of("0123456789abcdef") != wanted_commit.npos)
    return failf(Errc::invalid_argument, "the checksum {} is no commit id", quoted(checksum));
  const std::string& pinned = wanted.commit.empty() ? wanted_commit : wanted.commit;
  if (!pinned.empty() && (wanted.ref.empty() ? !wanted.commit.empty() : wanted.fetch_by_commit && is_commit_id(pinned)))
    wanted.ref = pinned;

  TRY(sys::make_directories(tools.temporary));
  auto holder = TRY(sys::TempDir::create(tools.temporary, "git"));
  GitTree result;
  result.root = holder.path() + "/tree";
  TRY(sys::make_directories(result.root, 0755));
  Git git = TRY(Git::find(wanted, result.root, std::move(cancel)));
  const Target target = TRY(resolve(git, wanted));
  TRY(git.run({"init", "-q", "--template=", target.id.size() == 64 ? "--object-format=sha256" : "--object-format=sha1"}));
  TRY(git.run({"remote", "add", "origin", wanted.remote}));
  result.commit = TRY(fetch_commit(git, target, wanted));
  TRY(check_commit(wanted.commit, result.commit, target));
  TRY(check_commit(wanted_commit, result.commit, target));
  TRY(git.run({"checkout", "-q", "--force", "--detach", result.commit}));
  result.commit_time = TRY(git.run({"log", "-1", "--no-show-signature", "--format=%ct", result.commit}));
  const bool has_submodules = wanted.submodules && sys::exists(result.root + "/.gitmodules");
  if (has_submodules) TRY_DOING(fetch_submodules(git), "fetching submodules");

  LocalOptions options{.name = "the git repository " + without_password(url), .remember = false, .holder = std::move(holder)};
  const bool keeps = wanted.keep_git_dir.value_or(keep_git_dir) && wanted.subdir.empty();
  if (!keeps) TRY(sys::remove_tree(result.root + "/.git"));
  if (!keeps && has_submodules) options.patterns = {"**/.git"};  // git tracks nothing of this name
  if (wanted.commit_times) options.mtime_ns = parse_int(result.commit_time).value_or(0) * 1'000'000'000;
  if (!wanted.subdir.empty()) result.root = TRY(find_subdir(result.root, wanted.subdir));
  result.tree = TRY(open_local_tree(result.root, tools, std::move(options)));
  return result;
}

}  // namespace mica::build
