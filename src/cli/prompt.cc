#include "cli/prompt.h"

#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

#include "cli/command.h"
#include "sys/fd.h"
#include "sys/signals.h"

namespace mica::cli {
namespace {

constexpr std::size_t kMaxLine = 64 << 10;

/// Echo off while this lives. Whoever is stopped by a signal comes by the destructor too: signals end the reading, not the process.
class NoEcho {
 public:
  NoEcho() {
    if (::tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    quiet.c_lflag |= ECHONL;
    changed_ = ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == 0;
  }
  ~NoEcho() {
    if (changed_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }
  NoEcho(const NoEcho&) = delete;

 private:
  termios before_{};
  bool changed_ = false;
};

/// One byte at a time: what follows the line is for whoever reads next.
Result<std::string> read_line() {
  const int signals = TRY(sys::stop_signal_fd());
  std::string line;
  for (;;) {
    pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
    if (::poll(fds, 2, -1) < 0 && errno != EINTR) return fail_errno("waiting for an answer");
    if (fds[1].revents || sys::stop_signal() != 0) return fail(Errc::cancelled, "interrupted");
    char byte = 0;
    const ssize_t count = ::read(STDIN_FILENO, &byte, 1);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count < 0) return fail_errno("reading an answer");
    if (count == 0 && line.empty()) return fail(Errc::cancelled, "no answer: standard input is at its end");
    if (count == 0 || byte == '\n') break;
    if (line.size() == kMaxLine) return fail(Errc::resource_exhausted, "the answer is too long");
    line += byte;
  }
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

}  // namespace

bool stdin_is_terminal() { return ::isatty(STDIN_FILENO) == 1; }

Result<std::string> ask_line(std::string_view question) {
  note(question);
  return read_line();
}

Result<Secret> ask_secret(std::string_view question) {
  // Handlers first: a signal between the two would leave the terminal silent.
  TRY(sys::stop_signal_fd());
  const NoEcho no_echo;
  note(question);
  auto line = TRY(read_line());
  return Secret(std::move(line));
}

Result<Secret> secret_from_stdin() {
  const sys::Fd input(::dup(STDIN_FILENO));
  if (!input) return fail_errno("reading the password from standard input");
  auto text = TRY_DOING(sys::read_fd(input, kMaxLine), "reading the password from standard input");
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  return Secret(std::move(text));
}

}  // namespace mica::cli
