#include "lint/commands.h"

#include <doctest/doctest.h>

#include "base/format.h"
#include "base/text.h"

namespace mica::lint {
namespace {

const shell::Command& only(const shell::Script& script) { return script.list.items.at(0).links.at(0).pipeline.commands.at(0); }

/// "manager action verb: packages".
std::string shown(std::string text) {
  static constexpr std::string_view kActions[] = {"other", "install", "refresh", "upgrade", "remove", "clean"};
  const shell::Script script = shell::parse(std::move(text));
  const auto found = package_command(only(script));
  if (!found) return "none";
  std::vector<std::string> packages;
  for (const shell::Word* word : found->packages) packages.push_back(word->text);
  return format("{} {} {}: {}", found->manager, kActions[static_cast<int>(found->action)], found->verb, join(packages, " "));
}

}  // namespace

TEST_CASE("commands of package managers are understood in every form") {
  struct Row {
    std::string_view text, shown;
  };
  const Row rows[] = {
      {"DEBIAN_FRONTEND=x apt-get -qq -y install a b=1", "apt-get install install: a b=1"},
      {"sudo -u root env A=1 apt-get install -t stable a", "apt-get install install: a"},
      {"/usr/bin/apt-get -o A::B=c update", "apt-get refresh update: "},
      {"apt-get purge -y a", "apt-get remove purge: a"},
      {"apt-get clean", "apt-get clean clean: "},
      {"apt-get check", "apt-get other check: "},
      {"apk --no-cache add -t .b a", "apk install add: a"},
      {"apk cache clean", "apk clean cache: clean"},
      {"yum -y --enablerepo=x localinstall a.rpm", "yum install localinstall: a.rpm"},
      {"microdnf module install a:1", "dnf install install: a:1"},
      {"dnf module install a:1", "dnf install install: a:1"},
      {"tdnf install -y a", "dnf install install: a"},
      {"zypper -n in -t pattern a", "zypper install in: a"},
      {"pacman -Syu --noconfirm", "pacman upgrade -Syu: "},
      {"pacman -S --noconfirm a b", "pacman install -S: a b"},
      {"pacman -Sy", "pacman refresh -Sy: "},
      {"pacman -Scc", "pacman clean -Scc: "},
      {"pip3.11 install -r r.txt a", "pip install install: a"},
      {"python3 -u -m pip install a", "pip install install: a"},
      {"python3 -m venv a", "none"},
      {"npm i -g a@1", "npm install i: a@1"},
      {"npm cache clean --force", "npm clean cache: clean"},
      {"npm cache ls", "npm other cache: ls"},
      {"npm run build", "npm other run: build"},
      {"yarn", "yarn install : "},
      {"yarn --version", "yarn other : "},
      {"yarn global add a", "yarn install add: a"},
      {"pnpm add a", "pnpm install add: a"},
      {"gem install a -v 1", "gem install install: a"},
      {"bundle install --jobs 4", "bundle install install: "},
      {"go install -tags x a@latest", "go install install: a@latest"},
      {"cargo install --locked --version 1 a", "cargo install install: a"},
      {"composer install --no-dev", "composer install install: "},
      {"composer global require a", "composer install require: a"},
      {"uv pip install a", "uv other install: a"},
      {"echo apt-get install", "none"},
      {"$X install a", "none"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(shown(std::string(row.text)) == row.shown);
  }
}

TEST_CASE("values of flags are found in every form") {
  struct Row {
    std::string_view text, flag, value;
  };
  const Row rows[] = {{"a -o f", "-o", "f"},          {"a -of", "-o", "f"},   {"a -xo f", "-o", "f"},  {"a --out f", "--out", "f"},
                      {"a --out=f", "--out", "f"},    {"a -o", "-o", "none"}, {"a b", "-o", "none"},   {"a -- -o f", "-o", "none"},
                      {"a --outer=f", "--out", "none"}};
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const shell::Script script = shell::parse(std::string(row.text));
    const auto found = flag_value(only(script), row.flag);
    CHECK((found ? found->text : "none") == row.value);
  }
}

TEST_CASE("downloads and archives are known") {
  struct Row {
    std::string_view text, file;
    std::size_t urls;
    bool extracts;
  };
  const Row rows[] = {{"curl -fsSLo a https://example.com/a", "a", 1, false},
                      {"curl -fL https://example.com/a > b", "b", 1, false},
                      {"curl -fL https://example.com/a -o -", "", 1, false},
                      {"wget -qO- https://example.com/a https://example.com/b", "", 2, false},
                      {"wget --output-document=a http://example.com/a 2> log", "a", 1, false},
                      {"tar -xzf a", "", 0, true},
                      {"tar xzf a", "", 0, true},
                      {"tar --extract -f a", "", 0, true},
                      {"tar -czf a x", "", 0, false},
                      {"tar czf a x", "", 0, false},
                      {"unzip a", "", 0, true}};
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const shell::Script script = shell::parse(std::string(row.text));
    CHECK(output_file(only(script)) == row.file);
    CHECK(urls(only(script)).size() == row.urls);
    CHECK(extracts_archive(only(script)) == row.extracts);
  }
  CHECK(is_archive_name("a/b.tar.gz"));
  CHECK_FALSE(is_archive_name("a.gz/b"));
}

}  // namespace mica::lint
