#include "build/context.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/format.h"
#include "base/text.h"
#include "build/unpack_context.h"
#include "dockerfile/ignore.h"
#include "dockerfile/parser.h"
#include "stream/stream.h"

namespace mica::build {
namespace {

constexpr std::size_t kMaxIgnoreBytes = 16 << 20;
constexpr std::size_t kPeekBytes = 512;

/// Nothing to copy from.
class EmptyTree : public SourceTree {
 public:
  explicit EmptyTree(std::string name) : name_(std::move(name)) {}
  Result<std::optional<Node>> find(std::string_view path) override {
    return path.empty() ? std::optional(Node{.path = "", .type = snapshot::Type::directory, .mode = 0755}) : std::nullopt;
  }
  Result<std::vector<Node>> children(std::string_view) override { return std::vector<Node>(); }
  Result<> hash(std::span<Node*>, task::Cancel) override { return {}; }
  bool is_local_context() const override { return true; }
  std::string name() const override { return name_; }

 private:
  std::string name_;
};

bool is_http_url(std::string_view text) { return text.starts_with("http://") || text.starts_with("https://"); }

Result<std::string> absolute(const std::string& path) {
  char* real = ::realpath(path.c_str(), nullptr);
  if (!real) return fail(Error::os(errno, format("unable to prepare context: path {}", quoted(path))));
  std::string text(real);
  std::free(real);
  return text;
}

Result<std::string> read_stdin(std::size_t limit) {
  sys::Fd copy(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
  if (!copy) return fail_errno("reading standard input");
  return sys::read_fd(copy, limit);
}

/// Patterns of an ignore file; nullopt when there is none. Errors name the file.
Result<std::optional<std::vector<std::string>>> ignore_file(const std::string& path) {
  auto text = sys::read_file(path, kMaxIgnoreBytes);
  if (!text && (text.error().code() == Errc::not_found || text.error().os_number() == ENOTDIR)) return std::optional<std::vector<std::string>>();
  if (!text) return fail(std::move(text).error().doing("reading the ignore file"));
  auto patterns = TRY_DOING(dockerfile::read_ignore_file(*text), format("reading {}", base_name(path)));
  TRY_DOING(dockerfile::PatternMatcher::compile(patterns), format("reading {}", base_name(path)));
  return std::optional(std::move(patterns));
}

Error no_dockerfile(const std::string& name, Error error, const std::string& hint) {
  if (error.code() != Errc::not_found) return std::move(error).doing(format("failed to read dockerfile {}", quoted(name)));
  return Error(Errc::not_found, format("failed to read dockerfile: open {}: no such file or directory", name)).with_hint(hint);
}

/// What a folder holds that might be meant.
std::string dockerfile_hint(const sys::Fd& folder) {
  std::vector<std::string> near;
  if (const auto names = sys::list_names(folder))
    for (const auto& name : *names)
      if (to_lower(name).find("dockerfile") != std::string::npos && !name.ends_with(".dockerignore")) near.push_back(name);
  if (near.empty()) return "name the Dockerfile with -f, or the folder that holds it as the context";
  return format("the context has {}: name it with -f", join(near, ", "));
}

/// Reads the Dockerfile inside a folder that was unpacked: `-f` names a file in it.
Result<> read_inside(Context& context, const std::string& wanted) {
  const auto root = TRY(sys::open(context.root, O_RDONLY | O_DIRECTORY));
  for (const std::string& name : {wanted.empty() ? std::string("Dockerfile") : wanted, std::string(wanted.empty() ? "dockerfile" : "")}) {
    if (name.empty()) continue;
    auto file = sys::open_beneath(root, name, O_RDONLY);
    if (!file && file.error().code() == Errc::not_found && name == "Dockerfile") continue;
    if (!file) return fail(no_dockerfile(wanted.empty() ? "Dockerfile" : wanted, std::move(file).error(), dockerfile_hint(root)));
    context.dockerfile_name = name;
    context.dockerfile = TRY_DOING(sys::read_fd(*file, dockerfile::kMaxFileBytes), format("failed to read dockerfile {}", quoted(name)));
    return {};
  }
  return fail(no_dockerfile("Dockerfile", Error(Errc::not_found, ""), dockerfile_hint(root)));
}

Result<Context> from_archive(stream::Source& tar, const ContextRequest& request, const ContextTools& tools, std::string description, task::Cancel cancel) {
  Context context{.root = tools.temporary + "/context", .description = std::move(description)};
  TRY_DOING(unpack_context(tar, context.root, cancel), format("unpacking the context ({})", context.description));
  context.tree = TRY(make_unpacked_tree(context.root, tools, "the build context"));
  if (request.dockerfile == "-") return fail(Errc::invalid_argument, "invalid argument: can't use stdin for both build context and dockerfile");
  TRY(read_inside(context, request.dockerfile));
  context.root.clear();   // a new one each time: it says nothing about what is built
  return context;
}

Context dockerfile_only(std::string text, std::string description) {
  Context context{.tree = std::make_unique<EmptyTree>("the build context"), .description = std::move(description)};
  context.dockerfile_name = "Dockerfile";
  context.dockerfile = std::move(text);
  return context;
}

/// A stream that is an archive or the text of a Dockerfile.
Result<Context> from_stream(stream::Source& source, const ContextRequest& request, const ContextTools& tools, const std::string& where, task::Cancel cancel) {
  stream::PeekSource peeked(source);
  const std::string_view start = TRY(peeked.peek(kPeekBytes));
  if (looks_like_archive(start)) return from_archive(peeked, request, tools, "archive from " + where, cancel);
  if (!request.dockerfile.empty()) return failf(Errc::invalid_argument, "{} is no archive, so that -f {} cannot be a file in it", where, request.dockerfile);
  auto text = TRY_DOING(stream::read_all(peeked, dockerfile::kMaxFileBytes), format("reading a Dockerfile from {}", where));
  if (trim(text).empty()) return fail(Error(Errc::invalid_argument, format("{} is empty: neither a Dockerfile nor an archive", where)).with_hint("name a folder as the context"));
  return dockerfile_only(std::move(text), "Dockerfile from " + where);
}

Result<Context> from_stdin(const ContextRequest& request, const ContextTools& tools, task::Cancel cancel) {
  sys::Fd copy(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
  if (!copy) return fail_errno("reading standard input");
  stream::FdSource source(std::move(copy));
  return from_stream(source, request, tools, "standard input", cancel);
}

Result<Context> from_url(const ContextRequest& request, const ContextTools& tools, task::Cancel cancel) {
  const auto download = TRY(tools.download({.url = request.context, .into_folder = tools.temporary}, cancel));
  auto file = TRY(sys::open(download.path, O_RDONLY));
  stream::FdSource source(std::move(file));
  return from_stream(source, request, tools, request.context, cancel);
}

Result<Context> from_git(const ContextRequest& request, const ContextTools& tools, task::Cancel cancel) {
  auto git = TRY(fetch_git(request.context, false, "", tools, cancel));
  Context context{.tree = std::move(git.tree), .root = git.root, .description = format("git {} at {}", request.context, git.commit.substr(0, 12)),
                  .commit_time = git.commit_time};
  if (request.dockerfile == "-") {
    context.dockerfile = TRY(read_stdin(dockerfile::kMaxFileBytes));
    context.dockerfile_name = "Dockerfile";
  } else {
    TRY(read_inside(context, request.dockerfile));
  }
  context.root.clear();
  return context;
}

Result<> read_beside(Context& context, const ContextRequest& request, std::string& ignore_path) {
  if (request.dockerfile == "-") {
    context.dockerfile_name = "Dockerfile";
    context.dockerfile = TRY(read_stdin(dockerfile::kMaxFileBytes));
    return {};
  }
  std::string path = request.dockerfile.empty() ? context.root + "/Dockerfile" : request.dockerfile;
  std::string shown = request.dockerfile.empty() ? "Dockerfile" : base_name(request.dockerfile);
  auto text = sys::read_file(path, dockerfile::kMaxFileBytes);
  if (!text && request.dockerfile.empty() && text.error().code() == Errc::not_found) {
    path = context.root + "/dockerfile";
    if (auto lower = sys::read_file(path, dockerfile::kMaxFileBytes)) {
      text = std::move(lower);
      shown = "dockerfile";
    }
  }
  if (!text) {
    const auto folder = sys::open(context.root, O_RDONLY | O_DIRECTORY);
    const std::string hint = request.dockerfile.empty() && folder ? dockerfile_hint(*folder) : "-f is relative to the working folder, not to the context";
    return fail(no_dockerfile(shown, std::move(text).error(), hint));
  }
  context.dockerfile_name = request.dockerfile.empty() ? shown : request.dockerfile;
  context.dockerfile = std::move(*text);
  ignore_path = path + ".dockerignore";
  return {};
}

Result<Context> from_folder(const ContextRequest& request, const ContextTools& tools) {
  Context context;
  context.root = TRY(absolute(request.context));
  context.description = "folder " + context.root;
  std::string own_ignore;
  TRY(read_beside(context, request, own_ignore));
  std::optional<std::vector<std::string>> patterns;
  if (!own_ignore.empty()) patterns = TRY(ignore_file(own_ignore));
  if (!patterns) patterns = TRY(ignore_file(context.root + "/.dockerignore"));
  if (patterns) context.ignore_patterns = std::move(*patterns);
  context.tree = TRY(make_local_tree(context.root, context.ignore_patterns, tools, "the build context"));
  return context;
}

}  // namespace

Result<Context> open_context(const ContextRequest& request, const ContextTools& tools, task::Cancel cancel) {
  if (request.context == "-") {
    if (request.dockerfile == "-") return fail(Errc::invalid_argument, "invalid argument: can't use stdin for both build context and dockerfile");
    return from_stdin(request, tools, cancel);
  }
  struct stat status {};
  const bool there = ::stat(request.context.c_str(), &status) == 0;
  if (there && S_ISDIR(status.st_mode)) return from_folder(request, tools);
  if (there) {
    auto file = TRY(sys::open(request.context, O_RDONLY));
    stream::FdSource source(std::move(file));
    stream::PeekSource peeked(source);
    const std::string_view start = TRY(peeked.peek(kPeekBytes));
    if (!looks_like_archive(start))
      return fail(Error(Errc::invalid_argument, format("the context {} is neither a folder nor an archive", quoted(request.context)))
                      .with_hint(format("to build it as a Dockerfile without files: mica build - < {}", request.context)));
    return from_archive(peeked, request, tools, "archive " + request.context, cancel);
  }
  if (is_git_url(request.context, true)) return from_git(request, tools, cancel);
  if (is_http_url(request.context)) return from_url(request, tools, cancel);
  return fail(Error(Errc::not_found, format("unable to prepare context: path {} not found", quoted(request.context))).with_hint("the context is a folder, an archive, a git or http(s) URL, or -"));
}

Result<std::unique_ptr<SourceTree>> open_named_context(const std::string& name, const std::string& value, const ContextTools& tools, task::Cancel cancel) {
  const std::string shown = "the build context " + name;
  struct stat status {};
  if (::stat(value.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
    const std::string root = TRY(absolute(value));
    auto patterns = TRY(ignore_file(root + "/.dockerignore"));
    return make_local_tree(root, patterns.value_or(std::vector<std::string>()), tools, shown);
  }
  if (is_git_url(value, true)) {
    auto git = TRY_DOING(fetch_git(value, false, "", tools, cancel), format("reading {}", shown));
    return std::move(git.tree);
  }
  if (is_http_url(value)) {
    const auto download = TRY_DOING(tools.download({.url = value, .into_folder = tools.temporary}, cancel), format("reading {}", shown));
    auto file = TRY(sys::open(download.path, O_RDONLY));
    stream::FdSource source(std::move(file));
    const std::string folder = download.path + ".d";
    TRY_DOING(unpack_context(source, folder, cancel), format("unpacking {}", shown));
    return make_unpacked_tree(folder, tools, shown);
  }
  return fail(Error(Errc::not_found, format("{}: {} is no folder and no URL", shown, quoted(value))).with_hint("use a folder, a git or http(s) URL, docker-image://REF or oci-layout://PATH"));
}

}  // namespace mica::build
