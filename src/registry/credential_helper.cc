#include "registry/credential_helper.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/format.h"
#include "base/text.h"
#include "base/time.h"
#include "json/json.h"
#include "sys/process.h"

namespace mica::registry {
namespace {

constexpr std::string_view kNotFound = "credentials not found in native keychain";
constexpr std::size_t kMaxAnswer = 1 << 20;
constexpr std::size_t kMaxShown = 500;

struct Pipe {
  sys::Fd out, in;
  static Result<Pipe> create() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("making a pipe");
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    return Pipe{.out = sys::Fd(ends[0]), .in = sys::Fd(ends[1])};
  }
};

/// The request in memory, not a pipe: the helper sees its end for certain, and one that reads nothing costs no SIGPIPE.
Result<sys::Fd> memory_file(std::string_view bytes) {
  sys::Fd fd(::memfd_create("mica-credential", MFD_CLOEXEC));
  if (!fd) return fail_errno("making a file in memory");
  TRY(sys::write_all(fd, bytes));
  if (::lseek(fd.get(), 0, SEEK_SET) != 0) return fail_errno("making a file in memory");
  return fd;
}

/// Appends what is there now; false at the end.
bool drain(const sys::Fd& fd, std::string& into) {
  char buffer[4096];
  while (into.size() <= kMaxAnswer) {
    const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
    if (n > 0) into.append(buffer, static_cast<std::size_t>(n));
    if (n == 0) return false;
    if (n < 0 && errno != EINTR) return errno == EAGAIN;
  }
  return true;
}

struct Answer {
  sys::Exit exit;
  bool in_time = true;
  std::string out, err;
};

/// Until the program ends, not until its pipes do: an agent that it left in the background may hold them for ever.
Result<Answer> converse(const std::vector<std::string>& argv, std::string_view input, std::int64_t patience_ms, const task::Cancel& cancel) {
  Pipe out = TRY(Pipe::create());
  Pipe err = TRY(Pipe::create());
  const sys::Fd in = TRY(memory_file(input));
  sys::Process process = TRY(sys::Process::start({.argv = argv, .stdin_fd = in.get(), .stdout_fd = out.in.get(), .stderr_fd = err.in.get()}));
  out.in.reset();
  err.in.reset();
  Answer answer;
  const std::int64_t deadline = monotonic_ns() + patience_ms * 1'000'000;
  pollfd fds[] = {{.fd = out.out.get(), .events = POLLIN},
                  {.fd = err.out.get(), .events = POLLIN},
                  {.fd = process.pidfd().get(), .events = POLLIN},
                  {.fd = cancel.fd(), .events = POLLIN}};
  for (bool ended = false; !ended;) {
    const std::int64_t left = (deadline - monotonic_ns() + 999'999) / 1'000'000;
    if (left <= 0 || answer.out.size() > kMaxAnswer || answer.err.size() > kMaxAnswer) {
      answer.in_time = left > 0;
      answer.exit.status = -1;
      return answer;   // the process dies with its object
    }
    if (::poll(fds, 4, static_cast<int>(left)) < 0) {
      if (errno == EINTR) continue;
      return fail_errno("waiting for a credential helper");
    }
    TRY(cancel.check());
    ended = fds[2].revents != 0;
    if (fds[0].fd >= 0 && !drain(out.out, answer.out)) fds[0].fd = -1;
    if (fds[1].fd >= 0 && !drain(err.out, answer.err)) fds[1].fd = -1;
  }
  answer.exit = TRY(process.wait());
  return answer;
}

/// A helper's words for people: one line, without control characters.
std::string shown(std::string_view words) {
  words = trim(words);
  std::string line(words.substr(0, kMaxShown));
  std::ranges::replace_if(line, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return is_utf8(line) ? line : quoted(line);
}

std::string member(const json::Value& object, std::string_view name) {
  const json::Value* value = object.find_ignoring_case(name);
  return value && value->is_string() ? value->as_string() : "";
}

}  // namespace

CredentialHelper::CredentialHelper(std::string name, std::string named_in, std::int64_t patience_ms)
    : program_("docker-credential-" + std::move(name)), named_in_(std::move(named_in)), patience_ms_(patience_ms) {}

Error CredentialHelper::broken(std::string_view why) const {
  return Error(Errc::unavailable, format("{} (named by {}): {}", program_, named_in_, why));
}

Result<std::optional<std::string>> CredentialHelper::run(const char* action, std::string_view input, const task::Cancel& cancel) const {
  if (program_.find('/') != program_.npos)
    return failf(Errc::invalid_argument, "{} names the credential helper {}, which is no name of a program", named_in_, quoted(program_));
  auto answer = converse({program_, action}, input, patience_ms_, cancel);
  if (!answer) {
    const Errc code = answer.error().code();
    if (code == Errc::cancelled) return fail(std::move(answer.error()));
    if (code != Errc::not_found) return fail(broken(answer.error().text()));
    return fail(broken("there is no such program in PATH").with_hint(format("install it, or remove {}", named_in_)));
  }
  if (!answer->in_time) return fail(broken(format("no answer to \"{}\" within {} s", action, (patience_ms_ + 999) / 1000)));
  if (answer->exit.status == 0) return std::move(answer->out);
  if (answer->exit.status < 0) return fail(broken(format("more than {} bytes in answer to \"{}\"", kMaxAnswer, action)));
  if (trim(answer->out) == kNotFound) return std::nullopt;
  const std::string words = shown(trim(answer->out).empty() ? answer->err : answer->out);
  const std::string end = answer->exit.signal ? format("ended by signal {}", answer->exit.signal) : format("exit status {}", answer->exit.status);
  return fail(broken(format("{}: {}{}{}", action, end, words.empty() ? "" : ": ", words)));
}

Result<std::optional<CredentialHelper::Entry>> CredentialHelper::get(const std::string& server, task::Cancel cancel) const {
  const auto answer = TRY(run("get", server, cancel));
  if (!answer) return std::nullopt;
  const auto parsed = json::parse(*answer, {.bytes = kMaxAnswer, .depth = 10});
  // The answer itself may hold the secret: it is not shown.
  if (!parsed || !parsed->is_object()) return fail(broken("its answer to \"get\" is no JSON object"));
  Entry entry{.user = member(*parsed, "Username"), .secret = Secret(member(*parsed, "Secret"))};
  if (entry.user.empty() && entry.secret.empty()) return std::nullopt;
  return entry;
}

Result<> CredentialHelper::store(const std::string& server, const Entry& entry, task::Cancel cancel) const {
  json::Value request = json::Value::object();
  request.set("ServerURL", server);
  request.set("Username", entry.user);
  request.set("Secret", entry.secret.reveal());
  const auto answer = TRY(run("store", json::write(request), cancel));
  if (!answer) return fail(broken(format("store: {}", kNotFound)));
  return {};
}

Result<bool> CredentialHelper::erase(const std::string& server, task::Cancel cancel) const {
  const auto answer = TRY(run("erase", server, cancel));
  return answer.has_value();
}

Result<std::vector<std::string>> CredentialHelper::list(task::Cancel cancel) const {
  const auto answer = TRY(run("list", "", cancel));
  std::vector<std::string> servers;
  if (!answer) return servers;
  const auto parsed = json::parse(*answer, {.bytes = kMaxAnswer, .depth = 10});
  if (!parsed || !parsed->is_object()) return fail(broken("its answer to \"list\" is no JSON object"));
  for (const auto& [server, user] : parsed->as_object()) servers.push_back(server);
  return servers;
}

}  // namespace mica::registry
