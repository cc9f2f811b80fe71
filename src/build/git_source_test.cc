#include "build/git_source.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <chrono>
#include <mutex>
#include <thread>

#include "base/text.h"
#include "base/time.h"
#include "build/context.h"
#include "build/context_tree.h"
#include "support/http_server.h"
#include "support/layer_fixture.h"
#include "support/local_git.h"
#include "sys/process.h"

using namespace mica;
using namespace mica::build;
using namespace mica::testing;
using snapshot::Type;

namespace {

bool has_git() {
  if (sys::find_program("git")) return true;
  MESSAGE("skipped: the program git is missing");
  return false;
}

/// Repositories in a folder. Commits are made at times that differ, by a second from 1,500,000,000 on.
struct Repositories {
  sys::TempDir dir = must(sys::TempDir::create("/tmp", "mica-git-test"));
  sys::TempDir temporary = must(sys::TempDir::create("/tmp", "mica-git-temporary"));
  int time = 1'500'000'000;

  std::string shell(const std::string& script) {
    const std::string prelude =
        "umask 077; export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=n GIT_AUTHOR_EMAIL=e "
        "GIT_COMMITTER_NAME=n GIT_COMMITTER_EMAIL=e; "
        "cd \"$0\"; ";
    return std::string(trim(must(sys::run_and_capture({"sh", "-euc", prelude + script, dir.path()}))));
  }
  /// Runs `script` in the repository (made when it is not there), commits everything and returns the commit.
  std::string commit(const std::string& repository, const std::string& script, const std::string& init = "") {
    if (!sys::exists(dir.path() + "/" + repository)) shell("git init -q -b main " + init + " " + repository);
    const std::string date = format("export GIT_COMMITTER_DATE='{} +0000' GIT_AUTHOR_DATE='{} +0000'; ", time, time);
    ++time;
    return shell(
        format("{}cd {}; {}; git add -A; git commit -q --allow-empty -m m; git rev-parse HEAD", date, repository, script));
  }
  std::string url(const std::string& rest) const { return "file://" + dir.path() + "/" + rest; }
  Result<GitTree> fetch(const std::string& url, bool keep = false, const std::string& checksum = "") {
    return fetch_git(url, keep, checksum, {.temporary = temporary.path()}, {});
  }
  Error error(const std::string& url, const std::string& checksum = "") {
    const auto fetched = fetch(url, false, checksum);
    REQUIRE(!fetched);
    return fetched.error();
  }
};

/// One line an entry: type, path, mode, content or target.
Lines all(SourceTree& tree, const std::string& folder = "") {
  Lines lines;
  for (const Node& node : must(tree.children(folder))) {
    std::string line = format("{} {} {:o}", "fdlcbp"[static_cast<int>(node.type)], node.path, node.mode);
    if (node.type == Type::file) line += format(" {}", trim(must(read_tree_file(tree, node.path, 1 << 20)).value()));
    if (!node.link.empty()) line += " -> " + node.link;
    lines.push_back(std::move(line));
    if (node.path == ".git") continue;
    for (std::string& inner : all(tree, node.path)) lines.push_back(std::move(inner));
  }
  return lines;
}

}  // namespace

TEST_CASE("what counts as the URL of a git repository") {
  struct Row {
    const char* text;
    bool in_add, as_context;
  };
  for (const Row& row : {Row{"git://host/x", true, true},
                         Row{"ssh://git@host/x", true, true},
                         Row{"git@github.com:x/y.git", true, true},
                         Row{"me@host:path", true, true},
                         Row{"https://host/x.git", true, true},
                         Row{"http://host/x.git#main:sub", true, true},
                         Row{"https://host/x.git?branch=a", true, true},
                         Row{"https://host/x", false, false},
                         Row{"https://host/x.git/", false, false},
                         Row{"https://host/x#a.git", false, false},
                         Row{"https://host/x?a.git", false, false},
                         Row{"github.com/x/y", false, true},
                         Row{"github.com/", false, false},
                         Row{"gitlab.com/x/y", false, false},
                         Row{"file:///x/y.git", false, true},
                         Row{"x.git", false, false},
                         Row{"/x/y.git", false, false},
                         Row{"./a@b:c", false, false},
                         Row{"a@b", false, false},
                         Row{"a@b:", false, false},
                         Row{"@host:x", false, false},
                         Row{"a b@host:x", false, false},
                         Row{"", false, false},
                         Row{"-", false, false},
                         Row{"ext::sh -c x@y:z", false, false}}) {
    CAPTURE(row.text);
    CHECK(is_git_url(row.text, false) == row.in_add);
    CHECK(is_git_url(row.text, true) == row.as_context);
  }
}

TEST_CASE("a git URL is taken apart") {
  const auto shown = [](const std::string& url) -> std::string {
    const auto git = parse_git_url(url);
    if (!git) return git.error().text();
    std::string text = git->remote + "|" + git->ref + "|" + git->subdir + "|" + git->commit;
    if (!git->authorization.empty()) text += "|" + git->authorization.reveal();
    if (git->keep_git_dir) text += *git->keep_git_dir ? "|keep" : "|drop";
    if (!git->submodules) text += "|no submodules";
    if (!git->commit_times) text += "|checkout times";
    if (git->fetch_by_commit) text += "|by commit";
    return text;
  };
  for (const auto& [url, expected] : std::vector<std::pair<const char*, const char*>>{
           {"https://h/x.git", "https://h/x.git|||"},
           {"https://h/x.git#v1", "https://h/x.git|v1||"},
           {"https://h/x.git#:sub/dir", "https://h/x.git||sub/dir|"},
           {"https://h/x.git#refs/heads/a:/../b/./c/", "https://h/x.git|refs/heads/a|b/c|"},
           {"https://h/x.git#a%2Fb", "https://h/x.git|a/b||"},
           {"git@h:x/y.git#v1:d", "git@h:x/y.git|v1|d|"},
           {"github.com/x/y#v1", "https://github.com/x/y|v1||"},
           {"https://h/x.git?branch=a&subdir=d+e&commit=ABC", "https://h/x.git|refs/heads/a|d e|abc"},
           {"https://h/x.git?tag=v1&keep-git-dir=true&submodules=false", "https://h/x.git|refs/tags/v1|||keep|no submodules"},
           {"https://h/x.git?ref=v%31&keep-git-dir=0&mtime=checkout&fetch-by-commit",
            "https://h/x.git|v1|||drop|checkout times|by commit"},
           {"https://h/x.git?keep-git-dir&mtime=commit#main:d", "https://h/x.git|main|d||keep"},
           {"https://h/x.git?branch=refs/heads/a#refs/heads/a", "https://h/x.git|refs/heads/a||"},
           {"https://me:p%40ss@h:8443/x.git", "https://h:8443/x.git||||Basic bWU6cEBzcw=="},
           {"https://token@h/x.git", "https://h/x.git||||Basic dG9rZW46"},
           {"ssh://git@h/x.git", "ssh://git@h/x.git|||"},
           {"https://h/x.git?branch=a#b",
            "the git URL \"https://h/x.git?branch=a#b\": ref conflicts: \"b\" and \"refs/heads/a\""},
           {"https://h/x.git?branch=a&tag=b",
            "the git URL \"https://h/x.git?branch=a&tag=b\": ref conflicts: \"refs/heads/a\" and \"refs/tags/b\""},
           {"https://h/x.git?subdir=a#:b", "the git URL \"https://h/x.git?subdir=a#:b\": subdir conflicts: \"b\" and \"a\""},
           {"https://h/x.git?ref=", "the git URL \"https://h/x.git?ref=\": query \"ref\" has no value"},
           {"https://h/x.git?ref=a&ref=a", "the git URL \"https://h/x.git?ref=a&ref=a\": query \"ref\" has multiple values"},
           {"https://h/x.git?submodules=maybe",
            "the git URL \"https://h/x.git?submodules=maybe\": invalid submodules value: \"maybe\" is neither true nor false"},
           {"https://h/x.git?mtime=now",
            "the git URL \"https://h/x.git?mtime=now\": invalid mtime value: \"now\" is neither checkout nor commit"},
           {"https://h/x.git?commit=main", "the git URL \"https://h/x.git?commit=main\": \"main\" is no commit id"},
           {"https://h/x.git#--upload-pack=x",
            "the git URL \"https://h/x.git#--upload-pack=x\": \"--upload-pack=x\" is no name of a branch, tag or commit"},
           {"https://h/x.git#a%00b", "the git URL \"https://h/x.git#a%00b\": \"a\\x00b\" is no name of a branch, tag or commit"},
           {"https://h/x.git#a%zz", "the git URL \"https://h/x.git#a%zz\": \"a%zz\" has a bad escape"},
           {"-x", "the git URL \"-x\": it names no repository"},
           {"https://u:secret@h/x.git?commit=z", "the git URL \"https://h/x.git?commit=z\": \"z\" is no commit id"}}) {
    CAPTURE(url);
    CHECK(shown(url) == expected);
  }
  CHECK(shown("https://h/x.git?depth=1")
            .starts_with("the git URL \"https://h/x.git?depth=1\": unexpected query \"depth\": known are ref, "));
}

TEST_CASE("passwords do not show") {
  for (const auto& [url, shown] :
       std::vector<std::pair<const char*, const char*>>{{"https://u:p@h/x.git#a@b", "https://h/x.git#a@b"},
                                                        {"https://h/x@y", "https://h/x@y"},
                                                        {"ssh://git:p@h/x", "ssh://git@h/x"},
                                                        {"ssh://git@h:22/x", "ssh://git@h:22/x"},
                                                        {"git@h:x", "git@h:x"},
                                                        {"http://token@h", "http://h"},
                                                        {"./folder", "./folder"}})
    CHECK(without_password(url) == shown);
}

TEST_CASE("a repository's files have git's modes, whatever the umask, and the time of the commit") {
  if (!has_git()) return;
  Repositories on_disk;
  const std::string commit =
      on_disk.commit("r", "mkdir d; echo 1 > d/a; echo 2 > b; chmod 755 b; ln -s b l; echo .git > .gitattributes");
  const mode_t before = ::umask(0077);
  auto fetched = on_disk.fetch(on_disk.url("r"));
  ::umask(before);
  const GitTree git = must(std::move(fetched));
  CHECK(git.commit == commit);
  CHECK(git.commit_time == "1500000000");
  CHECK(all(*git.tree) == Lines{"f .gitattributes 644 .git", "f b 755 2", "d d 755", "f d/a 644 1", "l l 777 -> b"});
  CHECK(must(git.tree->find("d/a"))->mtime_ns == 1'500'000'000'000'000'000);
  CHECK(must(git.tree->find("d"))->mtime_ns == 1'500'000'000'000'000'000);
  CHECK(git.tree->is_local_context());
  const GitTree now = must(on_disk.fetch(on_disk.url("r?mtime=checkout")));
  CHECK(must(now.tree->find("d/a"))->mtime_ns > 1'600'000'000'000'000'000);
  // A plain path is a repository too, when somebody says so.
  CHECK(must(on_disk.fetch(on_disk.dir.path() + "/r")).commit == commit);
}

TEST_CASE("what was fetched goes with the tree") {
  if (!has_git()) return;
  Repositories on_disk;
  on_disk.commit("r", "echo 1 > a");
  GitTree git = must(on_disk.fetch(on_disk.url("r")));
  CHECK(sys::exists(git.root + "/a"));
  git.tree.reset();
  CHECK(!sys::exists(git.root));
  CHECK(on_disk.error(on_disk.url("r#none")).code() == Errc::not_found);
  CHECK(must(sys::list_names(must(sys::open(on_disk.temporary.path(), O_RDONLY | O_DIRECTORY)))).empty());
}

TEST_CASE("branches, tags and commits are found") {
  if (!has_git()) return;
  Repositories on_disk;
  const std::string first = on_disk.commit("r", "echo 1 > a");
  on_disk.shell("cd r; git tag light; git tag -a -m m annotated; git branch both; git branch feature/x");
  const std::string second = on_disk.commit("r", "echo 2 > a");
  on_disk.shell("cd r; git tag both; git update-ref refs/pull/7/head " + first);
  const std::string tag_object = on_disk.shell("cd r; git rev-parse annotated");
  const std::string third = on_disk.commit("r", "echo 3 > a");
  for (const auto& [rest, commit] :
       std::vector<std::pair<std::string, std::string>>{{"r", third},
                                                        {"r#main", third},
                                                        {"r#HEAD", third},
                                                        {"r#light", first},
                                                        {"r#annotated", first},
                                                        {"r#refs/tags/light", first},
                                                        {"r#tags/light", first},
                                                        {"r#heads/main", third},
                                                        {"r#feature/x", first},
                                                        {"r?branch=feature/x", first},
                                                        {"r?tag=both", second},
                                                        {"r?branch=both", first},
                                                        {"r#both", first},
                                                        {"r#refs/pull/7/head", first},
                                                        {"r#pull/7/head", first},
                                                        {"r#" + second, second},
                                                        {"r#" + second.substr(0, 12), second},
                                                        {"r?commit=" + first, first},
                                                        {"r?commit=" + second.substr(0, 10), second},
                                                        {"r?branch=main&commit=" + third.substr(0, 8), third},
                                                        {"r?tag=annotated&commit=" + tag_object, first},
                                                        {"r?branch=main&commit=" + first + "&fetch-by-commit=true", first}}) {
    CAPTURE(rest);
    const GitTree git = must(on_disk.fetch(on_disk.url(rest)));
    CHECK(git.commit == commit);
    CHECK(all(*git.tree) == Lines{format("f a 644 {}", commit == first ? 1 : commit == second ? 2 : 3)});
  }
}

TEST_CASE("another commit than asked for is refused") {
  if (!has_git()) return;
  Repositories on_disk;
  const std::string first = on_disk.commit("r", "echo 1 > a");
  const std::string second = on_disk.commit("r", "echo 2 > a");
  CHECK(must(on_disk.fetch(on_disk.url("r"), false, second.substr(0, 9))).commit == second);
  CHECK(must(on_disk.fetch(on_disk.url("r"), false, to_upper(second))).commit == second);
  const Error error = on_disk.error(on_disk.url("r"), first);
  CHECK(error.code() == Errc::corrupt);
  CHECK(error.text() == format("HEAD is at another commit than asked for\n  expected {}\n  actual   {}", first, second));
  CHECK(on_disk.error(on_disk.url("r?branch=main&commit=" + first)).code() == Errc::corrupt);
  CHECK(on_disk.error(on_disk.url("r?commit=" + second), first).code() == Errc::corrupt);
  CHECK(on_disk.error(on_disk.url("r"), "main").code() == Errc::invalid_argument);
}

TEST_CASE("what is not in a repository is told with what is") {
  if (!has_git()) return;
  Repositories on_disk;
  on_disk.commit("r", "echo 1 > a; mkdir d; echo 2 > d/f");
  on_disk.shell("cd r; git branch release-1.0; git init -q ../empty");
  CHECK(on_disk.error(on_disk.url("r#relaese-1.0")).full_text() ==
        "repository does not contain ref \"relaese-1.0\"\n  hint: did you mean \"release-1.0\"?");
  CHECK(on_disk.error(on_disk.url("r#" + std::string(40, '1'))).text() ==
        "repository does not contain commit " + std::string(40, '1'));
  CHECK(on_disk.error(on_disk.url("r#1234567")).text() == "repository does not contain ref \"1234567\"");
  CHECK(on_disk.error(on_disk.url("empty")).text() == "the repository has no default branch, or nothing in it");
  CHECK(on_disk.error(on_disk.url("missing")).code() == Errc::not_found);
  for (const char* subdir : {"#:none", "#:a", "#:d/f", "#:.git"}) {
    CAPTURE(subdir);
    CHECK(on_disk.error(on_disk.url(std::string("r") + subdir)).text() ==
          format("the repository has no folder {}", quoted(subdir + 2)));
  }
}

TEST_CASE("a folder of a repository stays inside of it") {
  if (!has_git()) return;
  Repositories on_disk;
  on_disk.commit("r", "mkdir -p a/b; echo 1 > a/b/f; ln -s a/b inner; ln -s ../../../../../etc outer; ln -s / top");
  CHECK(all(*must(on_disk.fetch(on_disk.url("r#:a"))).tree) == Lines{"d b 755", "f b/f 644 1"});
  CHECK(all(*must(on_disk.fetch(on_disk.url("r#:../a/./b/"))).tree) == Lines{"f f 644 1"});
  CHECK(all(*must(on_disk.fetch(on_disk.url("r#:inner"))).tree) == Lines{"f f 644 1"});
  CHECK(all(*must(on_disk.fetch(on_disk.url("r#:top/a/b"))).tree) == Lines{"f f 644 1"});
  CHECK(on_disk.error(on_disk.url("r#:outer")).code() == Errc::not_found);
}

TEST_CASE("the git folder is kept on request, without passwords in it") {
  if (!has_git()) return;
  Repositories on_disk;
  const std::string commit = on_disk.commit("r.git", "echo 1 > a; mkdir d; echo 2 > d/f");
  on_disk.shell("cd r.git; git tag v1");
  const LocalGit local("https://git.invalid/", on_disk.dir.path());
  const GitTree git = must(on_disk.fetch("https://user:secret@git.invalid/r.git?keep-git-dir#v1"));
  CHECK(all(*git.tree) == Lines{"d .git 755", "f a 644 1", "d d 755", "f d/f 644 2"});
  const auto run = [&](const std::string& words) {
    return std::string(trim(must(sys::run_and_capture({"sh", "-c", "cd \"$0\"; git " + words, git.root}))));
  };
  CHECK(run("rev-parse HEAD") == commit);
  CHECK(run("status --porcelain").empty());
  CHECK(run("describe --tags") == "v1");
  CHECK(run("config remote.origin.url") == "https://git.invalid/r.git");
  CHECK(must(sys::run_and_capture({"sh", "-c", "grep -rc secret \"$0/.git\" | grep -v ':0$' || true", git.root})).empty());
  CHECK(must(must(on_disk.fetch("https://git.invalid/r.git", true)).tree->find(".git")));
  CHECK(!must(must(on_disk.fetch("https://git.invalid/r.git?keep-git-dir=false", true)).tree->find(".git")));
  CHECK(!must(must(on_disk.fetch("https://git.invalid/r.git#:d", true)).tree->find(".git")));
}

TEST_CASE("submodules come along, without their git files") {
  if (!has_git()) return;
  Repositories on_disk;
  on_disk.commit("inner", "echo i > i");
  const std::string pinned =
      on_disk.commit("sub", "echo s > s; git -c protocol.file.allow=always submodule -q add ../inner deep");
  on_disk.commit("r", "echo 1 > a; git -c protocol.file.allow=always submodule -q add ../sub s");
  on_disk.commit("sub", "echo later > s");  // what is pinned is not the tip any more
  const LocalGit allowed("https://git.invalid/", on_disk.dir.path());
  const GitTree git = must(on_disk.fetch("https://git.invalid/r"));
  const Lines lines = all(*git.tree);
  CHECK(Lines(lines.begin() + 1, lines.end()) ==
        Lines{"f a 644 1", "d s 755", lines.at(3), "d s/deep 755", "f s/deep/i 644 i", "f s/s 644 s"});
  CHECK(lines.at(0).starts_with("f .gitmodules 644"));
  CHECK(!must(git.tree->find("s/.git")));
  CHECK(!must(git.tree->find("s/deep/.git")));
  const GitTree bare = must(on_disk.fetch("https://git.invalid/r?submodules=false"));
  CHECK(must(bare.tree->children("s")).empty());
}

TEST_CASE("a repository does not get at this machine's files through its submodules") {
  if (!has_git()) return;
  Repositories on_disk;
  on_disk.commit("private", "echo secret > s");
  on_disk.commit("r", "git -c protocol.file.allow=always submodule -q add " + on_disk.dir.path() + "/private s");
  const Error error = on_disk.error(on_disk.url("r"));
  CHECK(error.code() == Errc::permission_denied);
  CHECK(error.text().find("transport 'file' not allowed") != std::string::npos);
}

TEST_CASE("settings and variables of the caller's own repository are not taken over") {
  if (!has_git()) return;
  Repositories on_disk;
  const std::string commit = on_disk.commit("r", "printf 'a\\r\\nb\\n' > text");
  on_disk.commit("other", "echo other > o");
  const std::string other = on_disk.dir.path() + "/other";
  ::setenv("GIT_DIR", (other + "/.git").c_str(), 1);
  ::setenv("GIT_WORK_TREE", other.c_str(), 1);
  ::setenv("GIT_INDEX_FILE", (other + "/.git/index").c_str(), 1);
  auto fetched = on_disk.fetch(on_disk.url("r"));
  for (const char* name : {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"}) ::unsetenv(name);
  const GitTree git = must(std::move(fetched));
  CHECK(git.commit == commit);
  CHECK(must(read_tree_file(*git.tree, "text", 100)) == "a\r\nb\n");
  CHECK(on_disk.shell("cd other; git status --porcelain").empty());
}

TEST_CASE("a repository of SHA-256 ids is one like any other") {
  if (!has_git()) return;
  Repositories on_disk;
  const std::string commit = on_disk.commit("r", "echo 1 > a", "--object-format=sha256");
  REQUIRE(commit.size() == 64);
  CHECK(must(on_disk.fetch(on_disk.url("r"))).commit == commit);
  CHECK(must(on_disk.fetch(on_disk.url("r#" + commit))).commit == commit);
}

TEST_CASE("a server that gives no part of a repository gives all of it") {
  if (!has_git()) return;
  Repositories on_disk;
  const std::string first = on_disk.commit("r", "echo 1 > a");
  on_disk.commit("r", "echo 2 > a");
  // The first commit is nobody's tip: with the old protocol it is not given by its id.
  for (const auto& [name, value] :
       {std::pair{"GIT_CONFIG_COUNT", "1"}, {"GIT_CONFIG_KEY_0", "protocol.version"}, {"GIT_CONFIG_VALUE_0", "0"}})
    ::setenv(name, value, 1);
  auto fetched = on_disk.fetch(on_disk.url("r#" + first));
  auto missing = on_disk.fetch(on_disk.url("r#" + std::string(40, '1')));
  for (const char* name : {"GIT_CONFIG_COUNT", "GIT_CONFIG_KEY_0", "GIT_CONFIG_VALUE_0"}) ::unsetenv(name);
  CHECK(missing.error().text() == "repository does not contain commit " + std::string(40, '1'));
  CHECK(must(std::move(fetched)).commit == first);
}

TEST_CASE("a password goes to its server, and is on nobody's command line") {
  if (!has_git()) return;
  Repositories on_disk;
  std::mutex mutex;
  std::vector<std::string> headers;
  std::string command_lines;
  int status = 404;
  support::HttpServer server([&](const support::Received& request, const support::Peer& peer) {
    const std::lock_guard lock(mutex);
    headers.push_back(request.header("authorization"));
    const auto proc = sys::open("/proc", O_RDONLY | O_DIRECTORY);
    for (const std::string& name : sys::list_names(*proc).value_or(std::vector<std::string>()))
      if (parse_int(name)) command_lines += sys::read_file("/proc/" + name + "/cmdline").value_or("");
    return peer.reply(status, "no", status == 401 ? "WWW-Authenticate: Basic realm=\"x\"\r\n" : "");
  });
  const std::string host = format("127.0.0.1:{}/r.git", server.port());
  const Error missing = on_disk.error("http://user:hidden%2Bword@" + host);
  CHECK(missing.code() == Errc::not_found);
  status = 401;
  const Error refused = on_disk.error("http://user:hidden%2Bword@" + host);
  CHECK(refused.code() == Errc::unauthorized);
  CHECK(refused.hint().starts_with("git asks no questions here"));
  const std::lock_guard lock(mutex);
  REQUIRE(!headers.empty());
  CHECK(headers.at(0) == "Basic " + base64("user:hidden+word"));
  CHECK(command_lines.find("ls-remote") != std::string::npos);
  for (const std::string& shown : {command_lines, missing.full_text(), refused.full_text()}) {
    CHECK(shown.find("hidden") == std::string::npos);
    CHECK(shown.find(base64("user:hidden+word")) == std::string::npos);
  }
}

TEST_CASE("fetching stops when it is told to") {
  if (!has_git()) return;
  Repositories on_disk;
  const auto cancel = task::Cancel::create();
  std::thread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    cancel.stop();
  });
  // A transport that never answers.
  ::setenv("GIT_SSH_COMMAND", "sleep 60 #", 1);
  const std::int64_t begun = monotonic_ns();
  const auto fetched = fetch_git("ssh://git@host.invalid/x.git", false, "", {.temporary = on_disk.temporary.path()}, cancel);
  ::unsetenv("GIT_SSH_COMMAND");
  stopper.join();
  REQUIRE(!fetched);
  CHECK(fetched.error().code() == Errc::cancelled);
  CHECK(monotonic_ns() - begun < 20'000'000'000);
}

TEST_CASE("without the program git the message says what to install") {
  Repositories on_disk;
  const std::string path = std::getenv("PATH");
  ::setenv("PATH", "/nonexistent", 1);
  const Error error = on_disk.error("https://git.invalid/r.git");
  ::setenv("PATH", path.c_str(), 1);
  CHECK(error.code() == Errc::not_found);
  CHECK(error.text() == "it takes the program git, which is not installed");
  CHECK(error.hint().starts_with("install git"));
}
