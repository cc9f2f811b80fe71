#include "cli/tui_terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/format.h"

namespace mica::cli {
namespace {

// Alternate screen, no cursor, no wrapping at the right edge; and back.
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[H\x1b[2J", kLeave = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";
constexpr int kFatal[] = {SIGQUIT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

// For the handlers, which may do little: what to go back to, and the pipe that wakes the loop.
termios cooked, raw;
int wake[2] = {-1, -1};
struct sigaction before_winch, before_stop;

void write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(STDOUT_FILENO, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

void give_back() {
  write_all(kLeave);
  ::tcsetattr(STDIN_FILENO, TCSANOW, &cooked);
}
void take() {
  ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  write_all(kEnter);
}
void wake_up() {
  const int error = errno;
  (void)!::write(wake[1], "w", 1);
  errno = error;
}

void on_resize(int) { wake_up(); }

void on_stop(int) {
  const int error = errno;
  give_back();
  ::kill(::getpid(), SIGSTOP);
  // From here on the process was continued.
  take();
  errno = error;
  wake_up();
}

void on_fatal(int signal) {
  give_back();
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

Result<> set_handlers() {
  if (::pipe2(wake, O_CLOEXEC | O_NONBLOCK) != 0) return fail_errno("creating a pipe");
  struct sigaction action {};
  sigemptyset(&action.sa_mask);
  action.sa_handler = on_resize;
  ::sigaction(SIGWINCH, &action, &before_winch);
  action.sa_handler = on_stop;
  ::sigaction(SIGTSTP, &action, &before_stop);
  action.sa_handler = on_fatal;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (const int signal : kFatal) ::sigaction(signal, &action, nullptr);
  return {};
}

void reset_handlers() {
  ::sigaction(SIGWINCH, &before_winch, nullptr);
  ::sigaction(SIGTSTP, &before_stop, nullptr);
  for (const int signal : kFatal) ::signal(signal, SIG_DFL);
  ::close(wake[0]);
  ::close(wake[1]);
}

}  // namespace

Result<> RawTerminal::check() {
  const bool input = ::isatty(STDIN_FILENO), output = ::isatty(STDOUT_FILENO);
  const char* type = std::getenv("TERM");
  const bool can_draw = type && *type && std::string_view(type) != "dumb";
  if (input && output && can_draw) return {};
  const std::string why = !input || !output ? format("standard {} is none", input ? "output" : "input") : std::string("TERM says that nothing can be drawn on this one");
  return fail(Error(Errc::invalid_argument, format("--tui needs a terminal, and {}", why)).with_hint("without --tui the analysis is printed; --format json is for programs"));
}

Result<RawTerminal> RawTerminal::open() {
  TRY(check());
  if (::tcgetattr(STDIN_FILENO, &cooked) != 0) return fail_errno("reading the terminal's mode");
  raw = cooked;
  raw.c_iflag &= ~static_cast<tcflag_t>(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
  raw.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  TRY(set_handlers());
  if (::tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw) != 0) {
    reset_handlers();
    return fail_errno("setting the terminal's mode");
  }
  write_all(kEnter);
  return RawTerminal();
}

RawTerminal::~RawTerminal() {
  if (!owns_) return;
  give_back();
  reset_handlers();
}

ScreenSize RawTerminal::size() {
  struct winsize size {};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {};
  return {size.ws_col, size.ws_row};
}

void RawTerminal::suspend() { ::raise(SIGTSTP); }

Result<RawTerminal::Woken> RawTerminal::wait(std::string& bytes, int timeout_ms, int stop) {
  for (;;) {
    pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0}, {.fd = wake[0], .events = POLLIN, .revents = 0}, {.fd = stop, .events = POLLIN, .revents = 0}};
    const int count = ::poll(fds, 3, timeout_ms);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno("waiting for keys");
    if (count == 0) return Woken::timeout;
    if (fds[2].revents) return Woken::cancelled;
    char buffer[256];
    if (fds[1].revents) {
      while (::read(wake[0], buffer, sizeof buffer) > 0) {
      }
      shown_.clear();
      return Woken::resized;
    }
    const ssize_t got = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got <= 0) return Woken::closed;   // the terminal is gone
    bytes.append(buffer, static_cast<std::size_t>(got));
    return Woken::input;
  }
}

void RawTerminal::draw(const std::vector<std::string>& lines) {
  std::string text;
  if (shown_.size() != lines.size()) {
    text = "\x1b[0m\x1b[2J";
    shown_.assign(lines.size(), "");
  }
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (shown_[i] == lines[i]) continue;
    text += format("\x1b[{};1H{}", i + 1, lines[i]);
    shown_[i] = lines[i];
  }
  write_all(text);
}

}  // namespace mica::cli
