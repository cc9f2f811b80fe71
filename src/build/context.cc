#include "build/context.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "base/format.h"
#include "base/text.h"
#include "build/context_dockerfile.h"
#include "build/context_tree.h"
#include "build/git_source.h"
#include "build/local_tree.h"
#include "build/tar_context.h"
#include "dockerfile/parser.h"

namespace mica::build {
namespace {

constexpr std::string_view kContextName = "the build context";
constexpr std::size_t kPeekBytes = 512;  // a tar header

void take(Context& context, FoundDockerfile found) {
  context.dockerfile_name = std::move(found.name);
  context.dockerfile = std::move(found.text);
}

std::optional<struct stat> status_of(const std::string& path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0 ? std::optional(status) : std::nullopt;
}

Result<std::string> real_path(const std::string& path) {
  char* real = ::realpath(path.c_str(), nullptr);
  if (!real) return fail(Error::os(errno, format("opening {}", quoted(path))));
  std::string text(real);
  std::free(real);
  return text;
}

Result<Context> from_folder(const ContextRequest& request, const ContextTools& tools, const task::Cancel& cancel) {
  Context context;
  context.root = TRY(real_path(request.context));
  context.description = "folder " + context.root;
  auto dockerfile = TRY(find_dockerfile(request, context.root, tools, cancel));
  context.ignore_patterns = TRY(read_ignore_rules(dockerfile.ignore_path, context.root));
  context.tree = TRY(make_local_tree(context.root, context.ignore_patterns, tools, std::string(kContextName)));
  take(context, std::move(dockerfile));
  return context;
}

/// Where bytes come from, for messages: "standard input", "file.tgz", a URL.
struct Origin {
  std::string where;
  bool is_stdin = false;
};

Result<Context> from_archive(stream::Source& tar, const Origin& origin, const ContextRequest& request, const ContextTools& tools,
                             const task::Cancel& cancel) {
  Context context{.description = "tar from " + origin.where};
  context.tree = TRY_DOING(read_tar_context(tar, tools.temporary, std::string(kContextName), cancel),
                           format("reading the context from {}", origin.where));
  auto dockerfile = TRY(find_dockerfile_inside(request, *context.tree, origin.is_stdin, tools, cancel));
  take(context, std::move(dockerfile));
  return context;
}

/// An archive, or else the text of a Dockerfile without a context.
Result<Context> from_bytes(stream::Source& bytes, const Origin& origin, const ContextRequest& request, const ContextTools& tools,
                           const task::Cancel& cancel) {
  stream::PeekSource peeked(bytes);
  const auto start = TRY_DOING(peeked.peek(kPeekBytes), format("reading {}", origin.where));
  if (looks_like_archive(start)) return from_archive(peeked, origin, request, tools, cancel);
  if (!request.dockerfile.empty()) {
    Error error(Errc::invalid_argument, format("ambiguous Dockerfile source: both {} and -f are Dockerfiles", origin.where));
    return fail(std::move(error).with_hint("for a Dockerfile from standard input and a folder: -f - FOLDER"));
  }
  Context context{.description = "Dockerfile from " + origin.where};
  context.tree = std::make_unique<FilledTree>(tools.temporary, std::string(kContextName), true);
  context.dockerfile_name = origin.is_stdin ? "-" : "Dockerfile";
  context.dockerfile =
      TRY_DOING(stream::read_all(peeked, dockerfile::kMaxFileBytes), format("reading the Dockerfile from {}", origin.where));
  return context;
}

Result<Context> from_stdin(const ContextRequest& request, const ContextTools& tools, const task::Cancel& cancel) {
  if (request.dockerfile == "-")
    return fail(Errc::invalid_argument, "invalid argument: can't use stdin for both build context and dockerfile");
  sys::Fd input(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
  if (!input) return fail_errno("reading standard input");
  stream::FdSource bytes(std::move(input));
  return from_bytes(bytes, {"standard input", true}, request, tools, cancel);
}

Result<Context> from_file(const ContextRequest& request, const ContextTools& tools, const task::Cancel& cancel) {
  auto file = TRY(sys::open(request.context, O_RDONLY));
  stream::FdSource bytes(std::move(file));
  stream::PeekSource peeked(bytes);
  const auto start = TRY(peeked.peek(kPeekBytes));
  if (looks_like_archive(start)) return from_archive(peeked, {request.context}, request, tools, cancel);
  Error error(Errc::invalid_argument,
              format("unable to prepare context: {} is neither a folder nor an archive", quoted(request.context)));
  return fail(std::move(error).with_hint("name the Dockerfile with -f, and the folder of its files as the context"));
}

Result<Context> from_git(const ContextRequest& request, const ContextTools& tools, const task::Cancel& cancel) {
  GitTree git =
      TRY_DOING(fetch_git(request.context, false, "", tools, cancel), format("fetching {}", without_password(request.context)));
  Context context{.tree = std::move(git.tree),
                  .description = format("git {} at {}", without_password(request.context), git.commit)};
  context.commit_time = std::move(git.commit_time);
  auto dockerfile = TRY(find_dockerfile_inside(request, *context.tree, false, tools, cancel));
  take(context, std::move(dockerfile));
  return context;
}

Result<Download> download(const std::string& url, const ContextTools& tools, const task::Cancel& cancel) {
  if (!tools.download) return failf(Errc::unsupported, "fetching {}: nothing here can download", without_password(url));
  return TRY(tools.download({.url = url, .into_folder = tools.temporary}, cancel));
}

Result<Context> from_url(const ContextRequest& request, const ContextTools& tools, const task::Cancel& cancel) {
  const auto fetched = TRY(download(request.context, tools, cancel));
  auto file = TRY(sys::open(fetched.path, O_RDONLY));
  stream::FdSource bytes(std::move(file));
  auto context = from_bytes(bytes, {without_password(request.context)}, request, tools, cancel);
  (void)sys::remove_file(fetched.path);  // read to the end, or of no use
  return context;
}

std::unexpected<Error> no_context(const std::string& path) {
  Error error(Errc::not_found, format("unable to prepare context: path {} not found", quoted(path)));
  return fail(std::move(error).with_hint("a context is a folder, a tar file, a git or http(s) URL, or - for standard input"));
}

/// A named context is what a URL gives: what is in an archive, or one file under its own name.
Result<std::unique_ptr<SourceTree>> named_url(const std::string& url, const std::string& shown, const ContextTools& tools,
                                              const task::Cancel& cancel) {
  const auto fetched = TRY(download(url, tools, cancel));
  auto file = TRY(sys::open(fetched.path, O_RDONLY));
  const auto status = TRY(sys::stat_fd(file));
  stream::FdSource bytes(std::move(file));
  stream::PeekSource peeked(bytes);
  const auto start = TRY(peeked.peek(kPeekBytes));
  if (looks_like_archive(start)) return read_tar_context(peeked, tools.temporary, shown, cancel);
  auto tree = std::make_unique<FilledTree>(tools.temporary, shown, true);
  Node node{.path = fetched.name.empty() ? "__unnamed__" : fetched.name, .mode = 0600};  // as ADD gives it
  node.mtime_ns = fetched.last_modified.value_or(Timestamp{}).ns;
  TRY(tree->store(node, peeked, static_cast<std::uint64_t>(status.st_size), cancel));
  tree->put(std::move(node));
  return std::unique_ptr<SourceTree>(std::move(tree));
}

Result<std::unique_ptr<SourceTree>> open_named(const std::string& value, const std::string& shown, const ContextTools& tools,
                                               const task::Cancel& cancel) {
  if (const auto status = status_of(value)) {
    if (S_ISDIR(status->st_mode)) {
      const auto patterns = TRY(read_ignore_rules("", value));
      return make_local_tree(value, patterns, tools, shown);
    }
    auto file = TRY(sys::open(value, O_RDONLY));
    stream::FdSource bytes(std::move(file));
    stream::PeekSource peeked(bytes);
    const auto start = TRY(peeked.peek(kPeekBytes));
    if (looks_like_archive(start)) return read_tar_context(peeked, tools.temporary, shown, cancel);
    return failf(Errc::invalid_argument, "{} is neither a folder nor an archive", quoted(value));
  }
  if (is_git_url(value, true)) {
    GitTree git = TRY(fetch_git(value, false, "", tools, cancel));
    return std::move(git.tree);
  }
  if (is_http_url(value)) return named_url(value, shown, tools, cancel);
  return no_context(value);
}

}  // namespace

Result<Context> open_context(const ContextRequest& request, const ContextTools& tools, task::Cancel cancel) {
  if (request.context == "-") return from_stdin(request, tools, cancel);
  // What is there under that name comes before what it looks like.
  if (const auto status = status_of(request.context))
    return S_ISDIR(status->st_mode) ? from_folder(request, tools, cancel) : from_file(request, tools, cancel);
  if (is_git_url(request.context, true)) return from_git(request, tools, cancel);
  if (is_http_url(request.context)) return from_url(request, tools, cancel);
  return no_context(request.context);
}

Result<std::unique_ptr<SourceTree>> open_named_context(const std::string& name, const std::string& value,
                                                       const ContextTools& tools, task::Cancel cancel) {
  return TRY_DOING(open_named(value, "the context " + name, tools, cancel), format("opening the context {}", quoted(name)));
}

}  // namespace mica::build
