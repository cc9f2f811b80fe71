// Packages without a version.
#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "lint/run_rules.h"

namespace mica::lint {
namespace {

using shell::Word;
using Action = PackageCommand::Action;

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }
bool begins_with_any(std::string_view text, std::initializer_list<std::string_view> beginnings) {
  return std::ranges::any_of(beginnings, [&](std::string_view one) { return text.starts_with(one); });
}

bool apt_pinned(std::string_view package) {
  // "name-" takes a package away.
  return has(package, "=") || has(package, "/") || package.ends_with(".deb") || package.ends_with('-');
}
bool apk_pinned(std::string_view package) {
  return has(package, "=") || has(package, "~") || has(package, "<") || has(package, ">") || package.ends_with(".apk") ||
         package.starts_with('.') || package.starts_with('!');
}
bool yum_pinned(std::string_view package) { return has(package, "-") || package.ends_with(".rpm") || has(package, "://"); }
bool zypper_pinned(std::string_view package) {
  return has(package, "=") || has(package, "<") || has(package, ">") || package.ends_with(".rpm");
}

/// After the name come parts that look like a version, one of them with a digit first.
bool dnf_pinned(std::string_view package) {
  if (package.ends_with(".rpm")) return true;
  const auto parts = split(package, '-');
  bool digit = false;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const bool legal = std::ranges::all_of(parts[i], [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
             std::string_view(".~^_:+*").find(c) != std::string_view::npos;
    });
    // A variable as version is one that somebody pins elsewhere.
    if (has(parts[i], "${"))
      digit = true;
    else if (!legal)
      return false;
    else if (!parts[i].empty() && parts[i][0] >= '0' && parts[i][0] <= '9')
      digit = true;
  }
  return digit;
}

bool pip_pinned(std::string_view package) {
  const bool vcs = begins_with_any(package, {"git+", "git://", "hg+", "svn+", "svn:", "bzr+"});
  if (vcs) return has(package.substr(package.find("://") == package.npos ? 0 : package.find("://")), "@");
  for (const std::string_view symbol : {"==", ">=", "<=", ">", "<", "!=", "~="})
    if (has(package, symbol)) return true;
  return package.ends_with(".whl") || package.ends_with(".tar.gz") || has(package, "/") || package == ".";
}

bool npm_pinned(std::string_view package) {
  if (begins_with_any(package, {"git://", "git+ssh://", "git+http://", "git+https://"})) return has(package, "#");
  if (package.ends_with(".tar") || package.ends_with(".tar.gz") || package.ends_with(".tgz")) return true;
  if (begins_with_any(package, {"/", "./", "../", "~/"}) || package == "." || package == "..") return true;
  return has(package.starts_with('@') ? package.substr(1) : package, "@");
}

bool gem_pinned(std::string_view package) { return has(package, ":") || package.ends_with(".gem"); }

bool go_pinned(std::string_view package) {
  if (has(package, "@")) return !package.ends_with("@latest");
  // Packages of the module itself, files, and the standard library, whose first part has no dot.
  return package.starts_with('.') || package.starts_with('/') || package.ends_with(".go") || package == "all" ||
         package == "std" || !has(package.substr(0, package.find('/')), ".");
}

constexpr std::size_t kMaxPackages = 500;  // looked at in one command: each variable among them costs a walk

struct Family {
  std::string_view id;
  std::string_view managers;  ///< apart by blanks
  bool (*pinned)(std::string_view package);
  std::string_view form;  ///< what a pinned package looks like
};
constexpr Family kFamilies[] = {{"DL3008", "apt-get apt aptitude", apt_pinned, "NAME=VERSION"},
                                {"DL3013", "pip", pip_pinned, "NAME==VERSION"},
                                {"DL3016", "npm", npm_pinned, "NAME@VERSION"},
                                {"DL3018", "apk", apk_pinned, "NAME=VERSION"},
                                {"DL3028", "gem", gem_pinned, "NAME:VERSION"},
                                {"DL3033", "yum", yum_pinned, "NAME-VERSION"},
                                {"DL3037", "zypper", zypper_pinned, "NAME=VERSION"},
                                {"DL3041", "dnf", dnf_pinned, "NAME-VERSION"},
                                {"DL3062", "go", go_pinned, "PATH@VERSION"}};

bool is_of(const Family& family, std::string_view manager) {
  const auto names = split_blanks(family.managers);
  return std::ranges::find(names, manager) != names.end();
}

/// Forms that take versions from elsewhere: a file of requirements, constraints, the gem's own flag.
bool pinned_elsewhere(const shell::Command& command, const PackageCommand& package) {
  using shell::has_flag;
  if (package.manager == "pip")
    return has_flag(command, "--requirement") || has_flag(command, "--constraint") || flag_value(command, "-r") ||
           flag_value(command, "-c") || package.verb != "install";
  if (package.manager == "gem")
    return has_flag(command, "--version") || flag_value(command, "-v") || flag_value(command, "--version");
  if (package.manager == "npm") return package.verb != "install" && package.verb != "i" && package.verb != "add";
  return package.verb == "build-dep" || package.verb == "groupinstall";
}

void check_family(Inspection& in, const Family& family) {
  each_step(in, [&](const Step& step) {
    const auto package = package_command(*step.command);
    if (!package || package->action != Action::install || !is_of(family, package->manager) ||
        pinned_elsewhere(*step.command, *package))
      return;
    const bool module = shell::operands(*step.command).size() > 1 && shell::operands(*step.command)[0]->text == "module";
    const Word* first = nullptr;
    const Word* last = nullptr;
    std::vector<std::string> names;
    for (const Word* word : std::span(package->packages).first(std::min(package->packages.size(), kMaxPackages))) {
      std::vector<std::string> texts = texts_of(in, *step.run, *word);
      // Of a word that is partly a variable only what it says itself can be told.
      if (texts.empty() && !word->text.starts_with("${") && !word->text.starts_with("$(")) texts = {word->text};
      for (std::string& text : texts) {
        if (text.empty() || text[0] == '-' || (module ? has(text, ":") : family.pinned(text))) continue;
        names.push_back(std::move(text));
        if (!first) first = word;
        last = word;
      }
    }
    if (!first) return;
    std::string listed = quoted(names[0]);
    for (std::size_t i = 1; i < names.size() && i < 3; ++i) listed += (i + 1 == names.size() ? " and " : ", ") + quoted(names[i]);
    if (names.size() > 3) listed += format(" and {} more", names.size() - 3);
    in.report(
        rule_of(family.id),
        step.run->exec_form ? span_of(in, step) : in.span(*step.run, first->begin, names.size() > 1 ? last->end : first->end),
        line_of(*step.run), format("{} {} no version: write {}", listed, names.size() > 1 ? "have" : "has", family.form));
  });
}

template <std::size_t kIndex>
void check(Inspection& in) {
  check_family(in, kFamilies[kIndex]);
}

constexpr std::string_view kWhy =
    "The version that is installed is then the newest on the day of the build: two builds of the same file give different "
    "programs, and a cached layer keeps an old one.";

const Rule kRules[] = {
    {.id = "DL3008",
     .fix = FixKind::data,
     .summary = "a package of apt-get has no version",
     .why = kWhy,
     .practice = "Name the version, or build from a snapshot archive and lock it.",
     .bad =
         "FROM debian:12\nRUN apt-get update && apt-get install -y --no-install-recommends curl && rm -rf /var/lib/apt/lists/*\n",
     .good = "FROM debian:12\nRUN apt-get update && apt-get install -y --no-install-recommends curl=7.88.1-10+deb12u8 && rm -rf "
             "/var/lib/apt/lists/*\n",
     .check = check<0>},
    {.id = "DL3013",
     .fix = FixKind::data,
     .summary = "a package of pip has no version",
     .why = kWhy,
     .practice = "Write NAME==VERSION, or install from a requirements file with versions.",
     .bad = "FROM python:3.12\nRUN pip install --no-cache-dir flask\n",
     .good = "FROM python:3.12\nRUN pip install --no-cache-dir flask==3.0.3\n",
     .check = check<1>},
    {.id = "DL3016",
     .fix = FixKind::data,
     .summary = "a package of npm has no version",
     .why = kWhy,
     .practice = "Write NAME@VERSION, or list it in package.json and run npm ci.",
     .bad = "FROM node:20\nRUN npm install -g typescript\n",
     .good = "FROM node:20\nRUN npm install -g typescript@5.4.5\n",
     .check = check<2>},
    {.id = "DL3018",
     .fix = FixKind::data,
     .summary = "a package of apk has no version",
     .why = kWhy,
     .practice = "Write NAME=VERSION; NAME~VERSION allows later builds of the same release.",
     .bad = "FROM alpine:3.20\nRUN apk add --no-cache curl\n",
     .good = "FROM alpine:3.20\nRUN apk add --no-cache curl~8.9\n",
     .check = check<3>},
    {.id = "DL3028",
     .fix = FixKind::data,
     .summary = "a gem has no version",
     .why = kWhy,
     .practice = "Write NAME:VERSION, or list it in a Gemfile with its lock.",
     .bad = "FROM ruby:3.3\nRUN gem install rake\n",
     .good = "FROM ruby:3.3\nRUN gem install rake:13.2.1\n",
     .check = check<4>},
    {.id = "DL3033",
     .fix = FixKind::data,
     .summary = "a package of yum has no version",
     .why = kWhy,
     .practice = "Write NAME-VERSION; of a module NAME:STREAM.",
     .bad = "FROM centos:7\nRUN yum install -y httpd && yum clean all\n",
     .good = "FROM centos:7\nRUN yum install -y httpd-2.4.6 && yum clean all\n",
     .check = check<5>},
    {.id = "DL3037",
     .fix = FixKind::data,
     .summary = "a package of zypper has no version",
     .why = kWhy,
     .practice = "Write NAME=VERSION.",
     .bad = "FROM opensuse/leap:15.6\nRUN zypper install -y httpd && zypper clean\n",
     .good = "FROM opensuse/leap:15.6\nRUN zypper install -y httpd=2.4.46 && zypper clean\n",
     .check = check<6>},
    {.id = "DL3041",
     .fix = FixKind::data,
     .summary = "a package of dnf has no version",
     .why = kWhy,
     .practice = "Write NAME-VERSION; of a module NAME:STREAM.",
     .bad = "FROM fedora:40\nRUN dnf install -y httpd && dnf clean all\n",
     .good = "FROM fedora:40\nRUN dnf install -y httpd-2.4.62 && dnf clean all\n",
     .check = check<7>},
    {.id = "DL3062",
     .fix = FixKind::data,
     .summary = "a Go program is installed without a version",
     .why = kWhy,
     .practice = "Write PATH@VERSION; latest is no version.",
     .bad = "FROM golang:1.22\nRUN go install golang.org/x/tools/cmd/stringer@latest\n",
     .good = "FROM golang:1.22\nRUN go install golang.org/x/tools/cmd/stringer@v0.24.0\n",
     .check = check<8>},
};

}  // namespace

std::span<const Rule> version_rules() { return kRules; }

}  // namespace mica::lint
