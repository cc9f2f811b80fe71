#include "build/context_dockerfile.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/format.h"
#include "base/text.h"
#include "build/context_tree.h"
#include "dockerfile/ignore.h"
#include "dockerfile/parser.h"

namespace mica::build {
namespace {

using dockerfile::PatternMatcher;

constexpr std::size_t kMaxIgnoreBytes = 16 << 20;

bool is_absent(const Error& error) { return error.os_number() == ENOENT || error.os_number() == ENOTDIR; }

Error no_dockerfile(const std::string& name) {
  return Error(Errc::not_found, format("failed to read dockerfile: open {}: no such file or directory", name));
}

/// What the user may have meant among the names of a folder; `prefix`: how to write one of them behind -f.
std::string suggestion(const std::vector<std::string>& names, const std::string& wanted, const std::string& prefix) {
  std::vector<std::string> likely;
  for (const std::string& name : names) {
    const std::string lower = to_lower(name);
    const bool fits = lower.find("dockerfile") != lower.npos || lower.find("containerfile") != lower.npos;
    if (fits && !lower.ends_with(".dockerignore") && likely.size() < 5) likely.push_back("-f " + prefix + name);
  }
  if (!likely.empty()) return format("did you mean {}?", join(likely, " or "));
  const std::vector<std::string_view> known(names.begin(), names.end());
  if (const auto near = closest(wanted, known)) return format("did you mean -f {}{}?", prefix, *near);
  return {};
}

/// The name in lower case that stands in for a missing "Dockerfile"; empty: none does.
std::string lower_case_name(const std::string& path) {
  const auto slash = path.rfind('/');
  const std::string folder = slash == path.npos ? std::string() : path.substr(0, slash + 1);
  return path.substr(folder.size()) == "Dockerfile" ? folder + "dockerfile" : std::string();
}

Result<FoundDockerfile> from_stdin() {
  sys::Fd input(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
  if (!input) return fail_errno("reading the Dockerfile from standard input");
  FoundDockerfile found{.name = "-"};
  found.text = TRY_DOING(sys::read_fd(input, dockerfile::kMaxFileBytes), "reading the Dockerfile from standard input");
  return found;
}

Result<FoundDockerfile> from_url(const std::string& url, const ContextTools& tools, const task::Cancel& cancel) {
  if (!tools.download) return failf(Errc::unsupported, "fetching the Dockerfile {}: nothing here can download", url);
  const Download download =
      TRY_DOING(tools.download({.url = url, .into_folder = tools.temporary}, cancel), "fetching the Dockerfile");
  FoundDockerfile found{.name = download.name.empty() ? "Dockerfile" : download.name};
  found.text = TRY(sys::read_file(download.path, dockerfile::kMaxFileBytes));
  return found;
}

/// `path` on disk, shown as `shown`.
Result<FoundDockerfile> from_disk(const std::string& path, const std::string& shown) {
  auto text = sys::read_file(path, dockerfile::kMaxFileBytes);
  if (text) return FoundDockerfile{.name = shown, .text = std::move(*text), .ignore_path = path + ".dockerignore"};
  if (is_absent(text.error())) {
    const std::string lower = lower_case_name(path);
    if (!lower.empty() && sys::exists(lower)) return from_disk(lower, lower_case_name(shown));
    return fail(no_dockerfile(shown));
  }
  if (text.error().os_number() == EISDIR) {
    Error error(Errc::invalid_argument, format("failed to read dockerfile: {} is a folder", shown));
    return fail(std::move(error).with_hint("-f names the file: a folder goes behind the flags, as the context"));
  }
  return fail(std::move(text).error().doing("failed to read dockerfile"));
}

std::vector<std::string> names_in(const std::string& folder) {
  const auto opened = sys::open(folder, O_RDONLY | O_DIRECTORY);
  if (!opened) return {};
  return sys::list_names(*opened).value_or(std::vector<std::string>());
}

/// How a path in the context is written behind -f.
std::string prefix_of(const std::string& context) {
  if (context == "." || context == "./" || context.empty()) return {};
  return context.ends_with('/') ? context : context + "/";
}

std::string hint_for_missing(const ContextRequest& request, const std::string& folder) {
  if (request.dockerfile.empty()) {
    const std::string hint = suggestion(names_in(folder), request.name_of_default, prefix_of(request.context));
    return hint.empty() ? "name the Dockerfile with -f, or give the folder that holds it as the context" : hint;
  }
  if (!request.dockerfile.starts_with('/') && sys::exists(folder + "/" + request.dockerfile))
    return format("-f is relative to the working directory: did you mean -f {}{}?", prefix_of(request.context),
                  request.dockerfile);
  const std::string beside = dir_name(request.dockerfile);
  return suggestion(names_in(beside), base_name(request.dockerfile), beside == "." ? "" : beside + "/");
}

/// nullopt: there is no such file.
Result<std::optional<std::vector<std::string>>> read_ignore_file(const std::string& path, const std::string& shown) {
  const auto text = sys::read_file(path, kMaxIgnoreBytes);
  if (!text && is_absent(text.error())) return std::nullopt;
  if (!text) return fail(Error(text.error()).doing("reading the ignore file"));
  const auto at_line = [&](const Error& error, int line) {
    return Error(error.code(), error.message()).at({.file = shown, .line = line});
  };
  auto patterns = dockerfile::read_ignore_file(*text);
  if (!patterns) return fail(at_line(patterns.error(), patterns.error().position() ? patterns.error().position()->line : 0));
  const auto compiled = PatternMatcher::compile(*patterns);
  if (compiled) return std::optional(std::move(*patterns));
  int line = 0;
  for (const auto& one : split(*text, '\n')) {
    ++line;
    const auto pattern = dockerfile::read_ignore_file(one);
    if (pattern && !PatternMatcher::compile(*pattern)) break;
  }
  return fail(at_line(compiled.error(), line));
}

}  // namespace

bool is_http_url(std::string_view text) { return text.starts_with("http://") || text.starts_with("https://"); }

Result<FoundDockerfile> find_dockerfile(const ContextRequest& request, const std::string& folder, const ContextTools& tools,
                                        task::Cancel cancel) {
  if (request.dockerfile == "-") return from_stdin();
  if (is_http_url(request.dockerfile)) return from_url(request.dockerfile, tools, cancel);
  const bool is_default = request.dockerfile.empty();
  auto found = is_default ? from_disk(folder + "/" + request.name_of_default, request.name_of_default)
                          : from_disk(request.dockerfile, request.dockerfile);
  if (found || found.error().code() != Errc::not_found) return found;
  const std::string hint = hint_for_missing(request, folder);
  if (hint.empty()) return found;
  return fail(std::move(found).error().with_hint(hint));
}

Result<FoundDockerfile> find_dockerfile_inside(const ContextRequest& request, SourceTree& tree, bool confined,
                                               const ContextTools& tools, task::Cancel cancel) {
  if (!confined) {
    if (request.dockerfile == "-") return from_stdin();
    if (is_http_url(request.dockerfile)) return from_url(request.dockerfile, tools, cancel);
    if (request.dockerfile.starts_with('/')) return from_disk(request.dockerfile, request.dockerfile);
  }
  const std::string name =
      clean_path("/" + (request.dockerfile.empty() ? request.name_of_default : request.dockerfile)).substr(1);
  for (const std::string& one : {name, lower_case_name(name)}) {
    if (one.empty()) continue;
    auto text = TRY_DOING(read_tree_file(tree, one, dockerfile::kMaxFileBytes), "failed to read dockerfile");
    if (text) return FoundDockerfile{.name = one, .text = std::move(*text)};
  }
  std::vector<std::string> names;
  const std::string folder = name.find('/') == name.npos ? std::string() : dir_name(name);
  const auto nodes = TRY(tree.children(folder));
  for (const Node& node : nodes) names.push_back(base_name(node.path));
  const std::string hint = suggestion(names, base_name(name), folder.empty() ? "" : folder + "/");
  return fail(no_dockerfile(name).with_hint(hint.empty() ? format("-f names a file in {}", tree.name()) : hint));
}

Result<std::vector<std::string>> read_ignore_rules(const std::string& own_path, const std::string& folder) {
  if (!own_path.empty()) {
    auto own = TRY(read_ignore_file(own_path, base_name(own_path)));
    if (own) return std::move(*own);
  }
  auto general = TRY(read_ignore_file(folder + "/.dockerignore", ".dockerignore"));
  return general ? std::move(*general) : std::vector<std::string>();
}

}  // namespace mica::build
