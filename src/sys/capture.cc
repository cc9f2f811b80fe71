#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "base/format.h"
#include "base/text.h"
#include "sys/process.h"

namespace mica::sys {

namespace {
constexpr std::size_t kShownError = 2000;

struct Pipe {
  Fd out, in;
  static Result<Pipe> create() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("making a pipe");
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    return Pipe{.out = Fd(ends[0]), .in = Fd(ends[1])};
  }
};

/// A file in memory, so that nothing needs to be written while the child runs.
Result<Fd> memory_file(std::string_view bytes) {
  Fd fd(::memfd_create("mica-input", MFD_CLOEXEC));
  if (!fd) return fail_errno("making a file in memory");
  TRY(write_all(fd, bytes));
  if (::lseek(fd.get(), 0, SEEK_SET) != 0) return fail_errno("making a file in memory");
  return fd;
}

/// Appends what is there now, at least all that a pipe can hold; false at the end.
bool read_some(const Fd& fd, std::string& into) {
  char buffer[16 << 10];
  for (int i = 0; i < 8; ++i) {
    const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
    if (n > 0) into.append(buffer, static_cast<std::size_t>(n));
    if (n == 0) return false;
    if (n < 0 && errno != EINTR) return errno == EAGAIN;
  }
  return true;
}

void keep_tail(std::string& text) {
  if (text.size() > 2 * kShownError) text.erase(0, text.size() - kShownError);
}

Error failure(std::string_view program, const Exit& exit, std::string_view said) {
  said = trim(said);
  if (said.size() > kShownError) said.remove_prefix(said.size() - kShownError);
  std::string text = exit.signal ? format("{}: ended by signal {}", program, exit.signal) : format("{}: exit status {}", program, exit.status);
  if (!said.empty()) text += format(": {}", said);
  return Error(Errc::internal, std::move(text));
}
}  // namespace

Result<std::string> run_and_capture(const std::vector<std::string>& argv, std::size_t limit, std::string_view input) {
  Pipe out = TRY(Pipe::create());
  Pipe err = TRY(Pipe::create());
  Fd in;
  if (!input.empty()) in = TRY(memory_file(input));
  Process process = TRY(Process::start({.argv = argv, .stdin_fd = in.get(), .stdout_fd = out.in.get(), .stderr_fd = err.in.get()}));
  out.in.reset();
  err.in.reset();
  std::string result, said;
  pollfd fds[] = {{.fd = out.out.get(), .events = POLLIN}, {.fd = err.out.get(), .events = POLLIN}, {.fd = process.pidfd().get(), .events = POLLIN}};
  // Until the program ends, not until the pipes do: something it left in the background may hold them for ever.
  for (bool ended = false; !ended;) {
    if (::poll(fds, 3, -1) < 0) {
      if (errno == EINTR) continue;
      return fail_errno("waiting for output");
    }
    ended = fds[2].revents != 0;
    if (fds[0].fd >= 0 && !read_some(out.out, result)) fds[0].fd = -1;
    if (fds[1].fd >= 0 && !read_some(err.out, said)) fds[1].fd = -1;
    keep_tail(said);
    if (result.size() > limit) return failf(Errc::resource_exhausted, "{} wrote more than {} bytes", quoted(argv[0]), limit);
  }
  const Exit exit = TRY(process.wait());
  if (exit.status != 0) return fail(failure(argv[0], exit, said));
  return result;
}

}  // namespace mica::sys
