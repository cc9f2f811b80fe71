#include "build/context.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>

#include "build/context_dockerfile.h"
#include "support/layer_fixture.h"
#include "support/local_git.h"
#include "sys/process.h"

using namespace mica;
using namespace mica::build;
using namespace mica::testing;
using snapshot::Type;

namespace {

/// A working directory; the previous one comes back at the end.
class WorkingFolder {
 public:
  explicit WorkingFolder(const std::string& path) : before_(must(sys::open(".", O_PATH | O_DIRECTORY))) {
    REQUIRE(::chdir(path.c_str()) == 0);
  }
  ~WorkingFolder() { (void)!::fchdir(before_.get()); }

 private:
  sys::Fd before_;
};

/// Standard input from a string; the previous one comes back at the end.
class StandardInput {
 public:
  StandardInput(const std::string& folder, std::string_view text) : before_(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)) {
    must(sys::write_file(folder + "/stdin", text));
    const auto file = must(sys::open(folder + "/stdin", O_RDONLY));
    REQUIRE(::dup2(file.get(), STDIN_FILENO) == STDIN_FILENO);
  }
  ~StandardInput() {
    if (before_ >= 0)
      ::dup2(before_, STDIN_FILENO);
    else
      ::close(STDIN_FILENO);
    ::close(before_);
  }

 private:
  int before_;
};

struct Place {
  sys::TempDir dir = must(sys::TempDir::create("/tmp", "mica-contexts"));
  sys::TempDir temporary = must(sys::TempDir::create("/tmp", "mica-contexts-temporary"));
  WorkingFolder here{dir.path()};
  std::map<std::string, std::string> web;
  std::vector<std::string> fetched;

  ContextTools tools() {
    ContextTools tools{.temporary = temporary.path()};
    tools.download = [this](const DownloadRequest& request, task::Cancel) -> Result<Download> {
      const auto page = web.find(request.url);
      if (page == web.end()) return fail(Errc::not_found, "the server answered 404");
      const std::string path = format("{}/download-{}", request.into_folder, fetched.size());
      fetched.push_back(request.url);
      must(sys::write_file(path, page->second));
      return Download{.path = path, .name = base_name(request.url), .last_modified = Timestamp::from_seconds(5), .etag = ""};
    };
    return tools;
  }
  void file(const std::string& path, const std::string& content = "x") {
    must(sys::make_directories(dir_name(path)));
    must(sys::write_file(path, content));
  }
  Result<Context> open(std::string context, std::string dockerfile = "") {
    return open_context({.context = std::move(context), .dockerfile = std::move(dockerfile)}, tools(), {});
  }
  Lines names(SourceTree& tree) {
    Lines names;
    for (const Node& node : must(tree.children(""))) names.push_back(node.path);
    return names;
  }
  /// "NAME: TEXT", or the error and its hint.
  std::string dockerfile(const std::string& context, const std::string& name = "") {
    const auto opened = open(context, name);
    if (opened) return opened->dockerfile_name + ": " + opened->dockerfile;
    return opened.error().text() + (opened.error().hint().empty() ? "" : " (" + opened.error().hint() + ")");
  }
};

constexpr std::string_view kMissing = "failed to read dockerfile: open Dockerfile: no such file or directory";

}  // namespace

TEST_CASE("a folder's Dockerfile is found by Docker's rules") {
  Place place;
  must(sys::make_directories("c/sub"));
  CHECK(place.dockerfile("c") ==
        format("{} (name the Dockerfile with -f, or give the folder that holds it as the context)", kMissing));
  place.file("c/dockerfile", "lower");
  CHECK(place.dockerfile("c") == "dockerfile: lower");
  CHECK(place.dockerfile(".", "c/Dockerfile") == "c/dockerfile: lower");
  place.file("c/Dockerfile", "upper");
  CHECK(place.dockerfile("c") == "Dockerfile: upper");
  CHECK(place.dockerfile("c/../c/") == "Dockerfile: upper");
  place.file("c/sub/App.Dockerfile", "app");
  CHECK(place.dockerfile("c", "c/sub/App.Dockerfile") == "c/sub/App.Dockerfile: app");
  CHECK(place.dockerfile("c/sub", place.dir.path() + "/c/Dockerfile") == place.dir.path() + "/c/Dockerfile: upper");
  REQUIRE(::symlink("../c/Dockerfile", "c/sub/Dockerfile") == 0);
  REQUIRE(::symlink("c/Dockerfile", "link") == 0);
  CHECK(place.dockerfile("c", "link") == "link: upper");
  CHECK(open_context({.context = "c", .name_of_default = "sub/App.Dockerfile"}, place.tools(), {})->dockerfile == "app");
}

TEST_CASE("a missing Dockerfile is told in Docker's words, with what may have been meant") {
  Place place;
  place.file("c/Dockerfile.dev");
  place.file("c/Dockerfile.dev.dockerignore");
  CHECK(place.dockerfile("c") == format("{} (did you mean -f c/Dockerfile.dev?)", kMissing));
  {
    const WorkingFolder inside("c");
    CHECK(place.dockerfile(".") == format("{} (did you mean -f Dockerfile.dev?)", kMissing));
  }
  CHECK(place.dockerfile("c", "Dockerfile.dev") ==
        "failed to read dockerfile: open Dockerfile.dev: no such file or directory (-f is relative to the working directory: did "
        "you mean -f c/Dockerfile.dev?)");
  CHECK(place.dockerfile(".", "c/Dockerfile.dv") ==
        "failed to read dockerfile: open c/Dockerfile.dv: no such file or directory (did you mean -f c/Dockerfile.dev?)");
  place.file("e/Containerfile");
  CHECK(place.dockerfile("e") == format("{} (did you mean -f e/Containerfile?)", kMissing));
  place.file("f/build.docker");
  CHECK(place.dockerfile("f", "f/biuld.docker") ==
        "failed to read dockerfile: open f/biuld.docker: no such file or directory (did you mean -f f/build.docker?)");
  CHECK(place.dockerfile("c", "c") ==
        "failed to read dockerfile: c is a folder (-f names the file: a folder goes behind the flags, as the context)");
  CHECK(place.dockerfile("c", "c/Dockerfile.dev/x")
            .starts_with("failed to read dockerfile: open c/Dockerfile.dev/x: no such file or directory"));
  CHECK(place.open("c").error().code() == Errc::not_found);
}

TEST_CASE("a context that is not there, and one that is nothing") {
  Place place;
  place.file("Dockerfile", "FROM scratch\n");
  const auto missing = place.open("none");
  CHECK(missing.error().code() == Errc::not_found);
  CHECK(missing.error().text() == "unable to prepare context: path \"none\" not found");
  CHECK(!missing.error().hint().empty());
  const auto text = place.open("Dockerfile");
  CHECK(text.error().code() == Errc::invalid_argument);
  CHECK(text.error().text() == "unable to prepare context: \"Dockerfile\" is neither a folder nor an archive");
}

TEST_CASE("the ignore file beside the Dockerfile comes before that of the folder") {
  Place place;
  for (const char* path : {"c/Dockerfile", "c/a", "c/b", "c/x.Dockerfile", "y.Dockerfile"}) place.file(path);
  const auto shown = [&](const std::string& dockerfile) { return place.names(*must(place.open("c", dockerfile)).tree); };
  CHECK(shown("") == Lines{"Dockerfile", "a", "b", "x.Dockerfile"});
  place.file("c/.dockerignore", "\xef\xbb\xbf# comment\n a \n\n.dockerignore\n*Dockerfile\n");
  CHECK(shown("") == Lines{"b"});
  CHECK(must(place.open("c")).ignore_patterns == Lines{"a", ".dockerignore", "*Dockerfile"});
  CHECK(must(place.open("c")).dockerfile == "x");  // excluded from COPY, and read all the same
  place.file("c/x.Dockerfile.dockerignore", "b\n");
  CHECK(shown("c/x.Dockerfile") == Lines{".dockerignore", "Dockerfile", "a", "x.Dockerfile", "x.Dockerfile.dockerignore"});
  place.file("y.Dockerfile.dockerignore", "**\n!a\n");
  CHECK(shown("y.Dockerfile") == Lines{"a"});
  const StandardInput input(place.temporary.path(), "FROM scratch\n");
  CHECK(shown("-") == Lines{"b", "x.Dockerfile.dockerignore"});
}

TEST_CASE("a mistake in an ignore file is shown with file and line") {
  Place place;
  place.file("c/Dockerfile");
  for (const auto& [text, line] : std::vector<std::pair<const char*, int>>{{"a\n\n!\n", 3}, {"# [\nok\nb[\n", 3}, {"[\n", 1}}) {
    CAPTURE(text);
    place.file("c/.dockerignore", text);
    const auto opened = place.open("c");
    REQUIRE(!opened);
    CHECK(opened.error().code() == Errc::invalid_argument);
    REQUIRE(opened.error().position());
    CHECK(opened.error().position()->file == ".dockerignore");
    CHECK(opened.error().position()->line == line);
  }
  place.file("c/Dockerfile.dockerignore", "!\n");
  CHECK(place.open("c").error().position()->file == "Dockerfile.dockerignore");
}

TEST_CASE("a folder context says where it is") {
  Place place;
  place.file("c/Dockerfile");
  REQUIRE(::symlink("c", "link") == 0);
  const auto context = must(place.open("link"));
  CHECK(context.root == place.dir.path() + "/c");
  CHECK(context.description == "folder " + place.dir.path() + "/c");
  CHECK(context.commit_time.empty());
  CHECK(context.tree->is_local_context());
}

TEST_CASE("standard input is a Dockerfile or an archive") {
  Place place;
  const std::string& temporary = place.temporary.path();
  {
    const StandardInput input(temporary, "FROM scratch\n");
    const auto context = must(place.open("-"));
    CHECK(context.dockerfile_name == "-");
    CHECK(context.dockerfile == "FROM scratch\n");
    CHECK(context.description == "Dockerfile from standard input");
    CHECK(context.root.empty());
    CHECK(must(context.tree->children("")).empty());
    CHECK(must(context.tree->find(""))->type == Type::directory);
  }
  const std::string archive =
      tar({tar_file("Dockerfile", "in tar"), tar_file("sub/Other", "other"), tar_file("a"), tar_file(".dockerignore", "a\n")});
  {
    const StandardInput input(temporary, archive);
    const auto context = must(place.open("-"));
    CHECK(context.dockerfile_name == "Dockerfile");
    CHECK(context.dockerfile == "in tar");
    CHECK(context.description == "tar from standard input");
    CHECK(place.names(*context.tree) ==
          Lines{".dockerignore", "Dockerfile", "a", "sub"});  // an archive's ignore file does nothing
    CHECK(!context.tree->is_local_context());
  }
  for (const auto& [name, expected] : std::vector<std::pair<const char*, const char*>>{
           {"sub/Other", "sub/Other: other"},
           {"/sub/Other", "sub/Other: other"},
           {"../sub/Other", "sub/Other: other"},
           {"Othr", "failed to read dockerfile: open Othr: no such file or directory (did you mean -f Dockerfile?)"},
           {"sub/Othr", "failed to read dockerfile: open sub/Othr: no such file or directory (did you mean -f sub/Other?)"},
           {"-", "invalid argument: can't use stdin for both build context and dockerfile"}}) {
    CAPTURE(name);
    const StandardInput input(temporary, archive);
    CHECK(place.dockerfile("-", name) == expected);
  }
  const StandardInput input(temporary, "FROM scratch\n");
  CHECK(place.dockerfile("-", "x").starts_with("ambiguous Dockerfile source: both standard input and -f are Dockerfiles"));
}

TEST_CASE("an archive without a Dockerfile") {
  Place place;
  must(sys::write_file("a.tar", tar({tar_file("dockerfile", "lower")})));
  CHECK(place.dockerfile("a.tar") == "dockerfile: lower");
  must(sys::write_file("a.tar", tar({tar_file("src")})));
  CHECK(place.dockerfile("a.tar") == format("{} (-f names a file in the build context)", kMissing));
  must(sys::write_file("a.tar", tar({tar_file("../src")})));
  CHECK(place.open("a.tar").error().code() == Errc::corrupt);
  CHECK(place.open("a.tar").error().text().starts_with("reading the context from a.tar: "));
}

TEST_CASE("a tar file may be the context, and the Dockerfile lie elsewhere") {
  Place place;
  must(sys::write_file("a.tar", tar({tar_file("Dockerfile", "in tar"), tar_file("f")})));
  place.file("own", "own");
  CHECK(place.dockerfile("a.tar") == "Dockerfile: in tar");
  CHECK(place.dockerfile("a.tar", place.dir.path() + "/own") == place.dir.path() + "/own: own");
  CHECK(place.dockerfile("a.tar", "own").starts_with("failed to read dockerfile: open own: no such file"));
  const StandardInput input(place.temporary.path(), "FROM stdin\n");
  CHECK(place.dockerfile("a.tar", "-") == "-: FROM stdin\n");
}

TEST_CASE("the Dockerfile of a folder may come from standard input or a URL") {
  Place place;
  place.file("c/a");
  place.web["https://example.com/x/Dockerfile.web"] = "FROM web\n";
  CHECK(place.dockerfile("c", "https://example.com/x/Dockerfile.web") == "Dockerfile.web: FROM web\n");
  CHECK(place.dockerfile("c", "https://example.com/none") == "fetching the Dockerfile: the server answered 404");
  const StandardInput input(place.temporary.path(), "FROM stdin\n");
  const auto context = must(place.open("c", "-"));
  CHECK(context.dockerfile == "FROM stdin\n");
  CHECK(place.names(*context.tree) == Lines{"a"});
}

TEST_CASE("a URL gives an archive or a Dockerfile") {
  Place place;
  place.web["https://user:secret@example.com/c.tgz"] = tar({tar_file("Dockerfile", "in tar"), tar_file("other", "o")});
  place.web["http://example.com/Dockerfile"] = "FROM web\n";
  const auto context = must(place.open("https://user:secret@example.com/c.tgz"));
  CHECK(context.dockerfile == "in tar");
  CHECK(context.description == "tar from https://example.com/c.tgz");
  CHECK(place.names(*context.tree) == Lines{"Dockerfile", "other"});
  CHECK(place.dockerfile("https://user:secret@example.com/c.tgz", "other") == "other: o");
  const auto text = must(place.open("http://example.com/Dockerfile"));
  CHECK(text.dockerfile == "FROM web\n");
  CHECK(must(text.tree->children("")).empty());
  CHECK(place.open("http://example.com/none").error().code() == Errc::not_found);
  // What was fetched does not stay.
  const auto folder = must(sys::open(place.temporary.path(), O_RDONLY | O_DIRECTORY));
  for (const std::string& name : must(sys::list_names(folder))) CHECK(!name.starts_with("download-"));
  ContextTools none{.temporary = place.temporary.path()};
  CHECK(open_context({.context = "http://example.com/x"}, none, {}).error().code() == Errc::unsupported);
}

TEST_CASE("a git repository is a context, with the time of its commit") {
  if (!sys::find_program("git")) {
    MESSAGE("skipped: the program git is missing");
    return;
  }
  Place place;
  must(sys::run_and_capture(
      {"sh", "-euc",
       "git init -q r.git; echo FROM scratch > r.git/Dockerfile; echo a > r.git/a; echo a > r.git/.dockerignore; mkdir "
       "r.git/sub; echo sub > r.git/sub/dockerfile;"
       "cd r.git; git add -A; GIT_COMMITTER_DATE=1500000000+0000 git -c user.name=n -c user.email=e commit -qm m"}));
  const LocalGit git("https://git.invalid/", place.dir.path());
  const auto context = must(place.open("https://u:secret@git.invalid/r.git"));
  CHECK(context.dockerfile == "FROM scratch\n");
  CHECK(context.commit_time == "1500000000");
  CHECK(context.description.starts_with("git https://git.invalid/r.git at "));
  CHECK(place.names(*context.tree) == Lines{".dockerignore", "Dockerfile", "a", "sub"});
  CHECK(place.dockerfile("https://git.invalid/r.git#:sub") == "dockerfile: sub\n");
  CHECK(place.dockerfile("https://git.invalid/r.git", "a") == "a: a\n");
  const auto missing = place.open("https://u:secret@git.invalid/none.git");
  CHECK(missing.error().code() == Errc::not_found);
  CHECK(missing.error().text().starts_with("fetching https://git.invalid/none.git: "));
  CHECK(missing.error().full_text().find("secret") == std::string::npos);
  const auto named = must(open_named_context("repo", "https://git.invalid/r.git#:sub", place.tools(), {}));
  CHECK(place.names(*named) == Lines{"dockerfile"});
}

TEST_CASE("named contexts are folders, archives and URLs") {
  Place place;
  place.file("n/a");
  place.file("n/b");
  place.file("n/.dockerignore", "a\n");
  place.file("text");
  must(sys::write_file("n.tar", tar({tar_file("in-tar")})));
  place.web["http://example.com/n.tar"] = tar({tar_file("from-web")});
  place.web["http://example.com/tool"] = "binary";
  const auto open = [&](const char* value) { return open_named_context("dep", value, place.tools(), {}); };
  const auto folder = must(open("n"));
  CHECK(place.names(*folder) == Lines{".dockerignore", "b"});
  CHECK(folder->hidden_by("a") == "a");
  CHECK(folder->name() == "the context dep");
  CHECK(place.names(*must(open("n.tar"))) == Lines{"in-tar"});
  CHECK(place.names(*must(open("http://example.com/n.tar"))) == Lines{"from-web"});
  const auto single = must(open("http://example.com/tool"));
  const Node tool = must(single->find("tool")).value();
  CHECK(tool.mode == 0600);
  CHECK(tool.size == 6);
  CHECK(tool.digest == sha256("binary"));
  CHECK(tool.mtime_ns == 5'000'000'000);
  const auto missing = open("none");
  CHECK(missing.error().code() == Errc::not_found);
  CHECK(missing.error().text() == "opening the context \"dep\": unable to prepare context: path \"none\" not found");
  CHECK(open("text").error().code() == Errc::invalid_argument);
  place.file("n/.dockerignore", "!\n");
  CHECK(open("n").error().position()->line == 1);
}
