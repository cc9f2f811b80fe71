#include "build/add_remote.h"

#include <doctest/doctest.h>

#include "support/local_git.h"
#include "support/step_fixture.h"
#include "sys/process.h"

using namespace mica;
using namespace mica::build;
using namespace mica::testing;

namespace {

constexpr const char* kUrl = "https://example.com/dir/file.txt?x=1";

/// A session whose downloads give `content`.
struct Web : StepFixture {
  Web() {
    session.download = [this](const DownloadRequest& request, task::Cancel) -> Result<Download> {
      requests.push_back(request);
      if (request.url.find("missing") != std::string::npos) return fail(Errc::not_found, "the server answered 404");
      const std::string path = request.into_folder + "/download-" + std::to_string(requests.size());
      must(sys::write_file(path, content));
      return Download{.path = path, .name = "ignored", .last_modified = last_modified, .etag = ""};
    };
  }
  Lines add(CopyOp op) {
    op.add = true;
    const auto ran = run(std::move(op));
    if (!ran) return {"error: " + ran.error().text()};
    last = *ran;
    return layer(*ran);
  }
  std::string content = "hello";
  std::optional<Timestamp> last_modified = Timestamp::from_seconds(1'400'000'000);
  std::vector<DownloadRequest> requests;
  Ran last;
};

}  // namespace

TEST_CASE("a URL's file is named by its path") {
  for (const auto& [url, name] : std::vector<std::pair<const char*, const char*>>{{kUrl, "file.txt"},
                                                                                  {"http://h/a%20b", "a b"},
                                                                                  {"http://h/a/", "a"},
                                                                                  {"http://h/a#frag/x", "a"},
                                                                                  {"http://h", "__unnamed__"},
                                                                                  {"http://h/", "__unnamed__"},
                                                                                  {"http://h/?q=/x", "__unnamed__"},
                                                                                  {"http://h/a/..", "__unnamed__"},
                                                                                  {"http://h/a%2Fb", "b"},
                                                                                  {"http://h/%zz", "%zz"},
                                                                                  {"http://h/a%00", "__unnamed__"}}) {
    CAPTURE(url);
    CHECK(name_of_url(url) == name);
  }
}

TEST_CASE("a download is mode 0600 with the time of Last-Modified, or else the epoch") {
  Web web;
  CHECK(web.add({.sources = {kUrl}, .destination = "/d/"}) == Lines{"d d 755", "f d/file.txt 600 5"});
  CHECK(web.entry(web.last.state, "d/file.txt").mtime_ns == 1'400'000'000'000'000'000);
  CHECK(web.content == web.StepFixture::content(web.last.state, "d/file.txt"));
  web.last_modified.reset();
  CHECK(web.add({.sources = {kUrl}, .destination = "/name", .chown = "1:2", .chmod = "755"}) == Lines{"f name 755 1:2 5"});
  CHECK(web.entry(web.last.state, "name").mtime_ns == 0);
  CHECK(web.add({.sources = {"https://example.com/missing"}, .destination = "/x"}) ==
        Lines{"error: fetching https://example.com/missing: the server answered 404"});
}

TEST_CASE("a download is unpacked only when asked for") {
  Web web;
  web.content = tar({tar_file("f", "1")});
  CHECK(web.add({.sources = {kUrl}, .destination = "/d/"})[1].starts_with("f d/file.txt 600"));
  CHECK(web.add({.sources = {kUrl}, .destination = "/d", .unpack = true}) == Lines{"d d 755", "f d/f 644 1"});
}

TEST_CASE("the key of a URL is its content") {
  Web web;
  const CopyOp op{.sources = {kUrl}, .destination = "/d/"};
  web.add(op);
  const Parts first = web.last.parts;
  web.last_modified.reset();
  web.add(op);
  CHECK(web.last.parts == first);
  web.content = "other";
  web.add(op);
  CHECK(weak_key(web.last.parts) == weak_key(first));
  CHECK(strong_key(web.last.parts) != strong_key(first));
}

TEST_CASE("--checksum must match") {
  Web web;
  CHECK(web.add({.sources = {kUrl}, .destination = "/f", .checksum = "sha256:" + sha256_hex("hello")}) == Lines{"f f 600 5"});
  const Lines wrong = web.add({.sources = {kUrl}, .destination = "/f", .checksum = "sha256:" + sha256_hex("other")});
  CHECK(wrong[0] == format("error: {} is not what --checksum asks for\n  expected sha256:{}\n  actual   sha256:{}", kUrl,
                           sha256_hex("other"), sha256_hex("hello")));
  CHECK(web.add({.sources = {kUrl}, .destination = "/f", .checksum = "md5:1"})[0].starts_with("error: --checksum: "));
  CHECK(web.add({.sources = {kUrl, kUrl}, .destination = "/f/", .checksum = "sha256:" + sha256_hex("hello")}) ==
        Lines{"error: checksum can't be specified for multiple sources"});
}

TEST_CASE("a secret for the host becomes the Authorization header") {
  const std::vector<SecretSource> secrets = {{"HTTP_AUTH_TOKEN_a.example", Secret("t\n")},
                                             {"HTTP_AUTH_TOKEN_b.example:8080", Secret("u")},
                                             {"HTTP_AUTH_HEADER_b.example:8080", Secret("Basic eA==")}};
  CHECK(authorization_for("https://a.example/x", secrets).reveal() == "Bearer t");
  CHECK(authorization_for("https://user@a.example/x", secrets).reveal() == "Bearer t");
  CHECK(authorization_for("https://b.example:8080?x", secrets).reveal() == "Basic eA==");
  CHECK(authorization_for("https://b.example/x", secrets).empty());
  Web web;
  web.session.secrets = {{"HTTP_AUTH_TOKEN_example.com", Secret("s")}};
  web.add({.sources = {kUrl}, .destination = "/f"});
  CHECK(web.requests.at(0).authorization.reveal() == "Bearer s");
}

TEST_CASE("a git repository is copied like a folder, and its commit is the key") {
  if (!sys::find_program("git")) {
    MESSAGE("skipped: the program git is missing");
    return;
  }
  Web web;
  const auto folder = must(sys::TempDir::create("/tmp", "mica-git"));
  const auto shell = [&](const std::string& script) {
    return must(sys::run_and_capture({"sh", "-euc", "umask 077; cd \"$0\"; " + script, folder.path()}));
  };
  const std::string commit =
      "git -C r.git add -A; git -C r.git -c user.name=n -c user.email=e commit -qm m; git -C r.git rev-parse HEAD";
  const std::string first = std::string(trim(shell(
      "git init -q r.git; mkdir r.git/d; echo 1 > r.git/d/a; echo 2 > r.git/b; chmod 755 r.git/b; ln -s b r.git/l; " + commit)));
  const std::string url = "https://git.invalid/r.git";
  const LocalGit git("https://git.invalid/", folder.path());
  const auto fetch = [&](const std::string& from, CopyOp op = {}) {
    std::unique_ptr<SourceTree> tree;
    return add_git(from, op, web.session, tree, {});
  };
  const auto names = [](const SelectedSource& source) {
    std::string line;
    for (const SelectedEntry& entry : source.entries) line += format("{}:{:o} ", source.below(entry), entry.node.mode);
    return line;
  };
  const SelectedSource source = must(fetch(url));
  CHECK(source.is_folder());
  CHECK(names(source) == ":755 b:755 d:755 d/a:644 l:777 ");
  CHECK(source.parts == Parts{{"git " + url, first, false}});
  CHECK(names(must(fetch(url + "#:d"))) == ":755 a:644 ");
  CHECK(names(must(fetch(url, {.checksum = first.substr(0, 12), .excludes = {"d", "l"}}))) == ":755 b:755 ");
  CHECK(fetch(url, {.checksum = "0123456"}).error().code() == Errc::corrupt);
  CHECK(names(must(fetch(url, {.keep_git_dir = true}))).find(" .git/HEAD:") != std::string::npos);
  shell("echo 3 > r.git/b; " + commit);
  CHECK(must(fetch(url)).parts[0].value != first);
}

TEST_CASE("what fetches from a git repository is decided by form, and COPY refuses it") {
  CHECK(kind_of_source("git://h/r") == SourceKind::git);
  CHECK(kind_of_source("https://h/r.git#main:sub") == SourceKind::git);
  CHECK(kind_of_source("https://h/r") == SourceKind::url);
  CHECK(kind_of_source("r.git") == SourceKind::local);
  CHECK(kind_of_source("file:///etc/r.git") == SourceKind::local);
  Web web;
  const auto refused = web.run(CopyOp{.sources = {"https://u:secret@h/r.git"}, .destination = "/x"});
  CHECK(error_of(refused) == "source can't be a git ref for COPY: https://h/r.git");
}

TEST_CASE("passwords of URLs are in no key and no message") {
  Web web;
  web.add({.sources = {"https://u:secret@example.com/f"}, .destination = "/x"});
  CHECK(encode_parts(web.last.parts).find("secret") == std::string::npos);
  CHECK(web.requests.at(0).url == "https://u:secret@example.com/f");
  const Lines failed = web.add({.sources = {"https://u:secret@example.com/missing"}, .destination = "/x"});
  CHECK(failed == Lines{"error: fetching https://example.com/missing: the server answered 404"});
}
