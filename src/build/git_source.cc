#include <fcntl.h>
#include <sys/stat.h>

#include <atomic>

#include "base/format.h"
#include "base/text.h"
#include "build/context.h"
#include "sys/process.h"

namespace mica::build {
namespace {

/// A git URL taken apart: `URL#REF:SUBDIR`, or `URL?branch=…&subdir=…`.
struct GitReference {
  std::string remote, ref, subdir, commit;
  bool keep_git_dir = false, submodules = true;
};

bool is_github_shorthand(std::string_view text) { return text.starts_with("github.com/") && std::count(text.begin(), text.end(), '/') >= 2; }

Result<bool> boolean(std::string_view key, std::string_view value) {
  if (value.empty() || value == "true" || value == "1") return true;
  if (value == "false" || value == "0") return false;
  return failf(Errc::invalid_argument, "{} in a git URL is true or false, not {}", key, quoted(value));
}

Result<> set_query(GitReference& git, std::string_view key, std::string_view value) {
  if (key == "ref") git.ref = value;
  else if (key == "branch") git.ref = "refs/heads/" + std::string(value);
  else if (key == "tag") git.ref = "refs/tags/" + std::string(value);
  else if (key == "subdir") git.subdir = value;
  else if (key == "commit" || key == "checksum") git.commit = value;
  else if (key == "keep-git-dir") git.keep_git_dir = TRY(boolean(key, value));
  else if (key == "submodules") git.submodules = TRY(boolean(key, value));
  else return failf(Errc::invalid_argument, "unexpected query {} in a git URL: use ref, branch, tag, subdir, commit, keep-git-dir or submodules", quoted(key));
  return {};
}

Result<GitReference> parse_git_url(const std::string& url) {
  GitReference git;
  std::string rest = is_github_shorthand(url) ? "https://" + url : url;
  if (const auto hash = rest.find('#'); hash != rest.npos) {
    const std::string fragment = rest.substr(hash + 1);
    rest.resize(hash);
    const auto colon = fragment.find(':');
    git.ref = fragment.substr(0, colon);
    if (colon != fragment.npos) git.subdir = fragment.substr(colon + 1);
  }
  if (const auto query = rest.find('?'); query != rest.npos) {
    for (const auto pair : split(std::string_view(rest).substr(query + 1), '&')) {
      const auto halves = split_once(pair, '=');
      TRY(set_query(git, halves ? halves->first : pair, halves ? halves->second : ""));
    }
    rest.resize(query);
  }
  git.remote = std::move(rest);
  if (git.remote.starts_with('-') || git.ref.starts_with('-')) return failf(Errc::invalid_argument, "{} is no git URL", quoted(url));
  return git;
}

/// Commands on one repository. Nothing asks questions, and only what the user's own git configuration says is used.
class Git {
 public:
  Git(std::string folder, task::Cancel cancel) : folder_(std::move(folder)), cancel_(cancel) {}
  Result<std::string> run(std::vector<std::string> words) {
    TRY(cancel_.check());
    std::vector<std::string> argv = {"env", "GIT_TERMINAL_PROMPT=0", "GIT_ADVICE=0", "git", "-C", folder_, "-c", "protocol.file.allow=always", "-c", "core.hooksPath=/dev/null",
                                     "-c", "advice.detachedHead=false"};
    argv.insert(argv.end(), words.begin(), words.end());
    auto output = TRY(sys::run_and_capture(argv));
    return std::string(trim(output));
  }

 private:
  std::string folder_;
  task::Cancel cancel_;
};

bool is_commit(std::string_view text) { return text.size() == 40 && text.find_first_not_of("0123456789abcdef") == text.npos; }

/// Fetches what is wanted as shallow as the server lets us; returns the commit.
Result<std::string> fetch(Git& git, const GitReference& wanted) {
  const std::string what = !wanted.ref.empty() ? wanted.ref : !wanted.commit.empty() && is_commit(wanted.commit) ? wanted.commit : "HEAD";
  const auto shallow = git.run({"fetch", "-q", "--depth=1", "--no-tags", "--", "origin", what});
  if (!shallow) {
    if (shallow.error().code() == Errc::cancelled) return fail(shallow.error());
    // A server may refuse commits by name, or a short commit was given: everything then.
    auto all = git.run({"fetch", "-q", "--tags", "--", "origin", "+refs/heads/*:refs/remotes/origin/*"});
    if (!all) return fail(std::move(all).error());
    for (const std::string& name : {what, "origin/" + what})
      if (auto commit = git.run({"rev-parse", "-q", "--verify", name + "^{commit}"})) return commit;
    return fail(Error(Errc::not_found, format("{} has no branch, tag or commit {}", wanted.remote, quoted(what))));
  }
  return git.run({"rev-parse", "FETCH_HEAD^{commit}"});
}

/// Git knows two modes of files; the umask must not change them.
Result<> settle_modes(const sys::Fd& folder, int depth) {
  if (depth > 500) return fail(Errc::resource_exhausted, "the repository's folders are nested too deep");
  const auto names = TRY(sys::list_names(folder));
  for (const auto& name : names) {
    const auto status = TRY(sys::lstat_at(folder, name));
    if (S_ISDIR(status.st_mode)) {
      if (::fchmodat(folder.get(), name.c_str(), 0755, 0) != 0) return fail_errno("setting a mode");
      const auto inner = TRY(sys::open_at(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
      TRY(settle_modes(inner, depth + 1));
    } else if (S_ISREG(status.st_mode) && ::fchmodat(folder.get(), name.c_str(), status.st_mode & 0100 ? 0755 : 0644, 0) != 0) {
      return fail_errno("setting a mode");
    }
  }
  return {};
}

}  // namespace

bool is_git_url(std::string_view text, bool context) {
  if (context && is_github_shorthand(text)) return true;
  if (text.starts_with("git://") || text.starts_with("git@") || text.starts_with("ssh://")) return true;
  if (!text.starts_with("http://") && !text.starts_with("https://") && !text.starts_with("file://")) return false;
  const std::string_view path = text.substr(0, text.find_first_of("#?"));
  return path.ends_with(".git") || (text.starts_with("file://") && context);
}

Result<GitTree> fetch_git(const std::string& url, bool keep_git_dir, const std::string& checksum, const ContextTools& tools, task::Cancel cancel) {
  static std::atomic<int> count{0};
  GitReference wanted = TRY(parse_git_url(url));
  if (!checksum.empty()) wanted.commit = checksum;
  const auto program = sys::find_program("git");
  if (!program) return fail(Error(Errc::not_found, format("fetching {} needs the program git", url)).with_hint("apt-get install git"));
  const std::string folder = format("{}/git-{}", tools.temporary, ++count);
  TRY(sys::make_directories(folder));
  Git git(folder, cancel);
  TRY(git.run({"init", "-q", "."}));
  TRY(git.run({"remote", "add", "origin", wanted.remote}));
  GitTree result;
  result.commit = TRY_DOING(fetch(git, wanted), format("fetching {}", url));
  if (!wanted.commit.empty() && !result.commit.starts_with(wanted.commit))
    return failf(Errc::corrupt, "the commit of {} is not the one that was asked for\n  expected: {}\n  actual:   {}", url, wanted.commit, result.commit);
  TRY_DOING(git.run({"checkout", "-q", "--force", result.commit}), format("checking out {}", url));
  if (wanted.submodules && sys::exists(folder + "/.gitmodules"))
    TRY_DOING(git.run({"submodule", "update", "-q", "--init", "--recursive", "--depth=1"}), format("fetching the submodules of {}", url));
  result.commit_time = TRY(git.run({"show", "-s", "--format=%ct", result.commit}));
  if (!keep_git_dir && !wanted.keep_git_dir) TRY(sys::remove_tree(folder + "/.git"));
  result.root = folder;
  if (const std::string subdir = clean_path("/" + wanted.subdir); subdir != "/") {
    const auto root = TRY(sys::open(folder, O_RDONLY | O_DIRECTORY));
    TRY_DOING(sys::open_strict(root, subdir.substr(1), O_RDONLY | O_DIRECTORY), format("looking for {} in {}", quoted(subdir.substr(1)), url));
    result.root += subdir;
  }
  const auto root = TRY(sys::open(result.root, O_RDONLY | O_DIRECTORY));
  TRY(settle_modes(root, 0));
  ContextTools own = tools;
  own.database = nullptr;   // a new folder each time
  result.tree = TRY(make_local_tree(result.root, {}, own, "the git repository"));
  return result;
}

}  // namespace mica::build
