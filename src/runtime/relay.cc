#include "runtime/relay.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "task/task.h"

namespace mica::runtime {

namespace {

constexpr std::size_t kChunk = 64 << 10;
constexpr int kResizeCheckMs = 200;   // window changes are looked for instead of listened for: signal handlers are process-wide

int poll_some(pollfd* fds, nfds_t count, int timeout_ms) {
  int ready = ::poll(fds, count, timeout_ms);
  return ready < 0 && errno == EINTR ? 0 : ready;
}

/// False at the end of the stream.
bool pass_on(int fd, int stream, const Output& output, std::string& buffer) {
  buffer.resize(kChunk);
  ssize_t count = ::read(fd, buffer.data(), buffer.size());
  if (count > 0) output(stream, {buffer.data(), static_cast<std::size_t>(count)});
  return count > 0 || (count < 0 && (errno == EINTR || errno == EAGAIN));
}

/// What is there now, without waiting: others may still hold the writing end.
void drain(int fd, int stream, const Output& output, std::string& buffer) {
  pollfd one{fd, POLLIN, 0};
  while (poll_some(&one, 1, 0) > 0 && (one.revents & POLLIN) && pass_on(fd, stream, output, buffer)) one.revents = 0;
}

Result<sys::Exit> kill_and_reap(sys::Process& process) {
  auto sent = process.signal(SIGKILL);
  (void)sent;   // it may have ended by itself
  auto reaped = process.wait();
  (void)reaped;
  return fail(task::Cancel::error());
}

void write_whole(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

std::size_t write_some(int fd, std::string_view bytes) {
  ssize_t count = ::write(fd, bytes.data(), bytes.size());
  return count > 0 ? static_cast<std::size_t>(count) : 0;
}

class RawMode {
 public:
  explicit RawMode(int fd) : fd_(fd) {
    if (fd < 0 || ::tcgetattr(fd, &saved_) != 0) return;
    struct termios raw = saved_;
    ::cfmakeraw(&raw);
    on_ = ::tcsetattr(fd, TCSANOW, &raw) == 0;
  }
  ~RawMode() {
    if (on_) ::tcsetattr(fd_, TCSADRAIN, &saved_);
  }

 private:
  int fd_;
  struct termios saved_ {};
  bool on_ = false;
};

}  // namespace

Result<sys::Exit> relay_pipes(sys::Process& process, const sys::Fd& out, const sys::Fd& err, const Output& output, int stop_fd) {
  std::string buffer;
  pollfd fds[] = {{out.get(), POLLIN, 0}, {err.get(), POLLIN, 0}, {process.pidfd().get(), POLLIN, 0}, {stop_fd, POLLIN, 0}};
  while (true) {
    if (poll_some(fds, 4, -1) < 0) return fail_errno("waiting for output");
    if (fds[3].revents) return kill_and_reap(process);
    for (int i = 0; i < 2; ++i)
      if (fds[i].fd >= 0 && fds[i].revents && !pass_on(fds[i].fd, i + 1, output, buffer)) fds[i].fd = -1;
    if (fds[2].revents) break;
  }
  for (int i = 0; i < 2; ++i)
    if (fds[i].fd >= 0) drain(fds[i].fd, i + 1, output, buffer);
  return process.wait();
}

Result<Pty> Pty::open() {
  Pty pty;
  pty.master = sys::Fd(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  char name[64];
  if (!pty.master || ::grantpt(pty.master.get()) != 0 || ::unlockpt(pty.master.get()) != 0 || ::ptsname_r(pty.master.get(), name, sizeof name) != 0)
    return fail_errno("making a pseudo terminal");
  pty.slave = TRY(sys::open(name, O_RDWR | O_NOCTTY));
  return pty;
}

Result<sys::Exit> relay_terminal(sys::Process& process, Pty& pty, int terminal_fd, int input_fd, const Output& output, int stop_fd) {
  Output show = output;
  if (!show) show = [](int, std::string_view bytes) { write_whole(1, bytes); };
  RawMode raw(input_fd);
  std::string buffer, typed;
  pty.slave.reset();
  int master = pty.master.get();
  ::fcntl(master, F_SETFL, ::fcntl(master, F_GETFL) | O_NONBLOCK);   // a program that does not read must not hold up its own output
  struct winsize last {};
  auto follow_size = [&] {
    struct winsize now {};
    if (terminal_fd < 0 || ::ioctl(terminal_fd, TIOCGWINSZ, &now) != 0) return;
    if (now.ws_row == last.ws_row && now.ws_col == last.ws_col) return;
    last = now;
    ::ioctl(master, TIOCSWINSZ, &now);
    auto sent = process.signal(SIGWINCH);
    (void)sent;
  };
  if (terminal_fd >= 0) ::ioctl(master, TIOCGWINSZ, &last);
  pollfd fds[] = {{master, POLLIN, 0}, {input_fd, POLLIN, 0}, {process.pidfd().get(), POLLIN, 0}, {stop_fd, POLLIN, 0}};
  while (true) {
    // Input is read when the program has taken what came before.
    if (fds[0].fd >= 0) fds[0].events = static_cast<short>(typed.empty() ? POLLIN : POLLIN | POLLOUT);
    pollfd now[] = {fds[0], fds[1], fds[2], fds[3]};
    if (!typed.empty()) now[1].fd = -1;
    if (poll_some(now, 4, terminal_fd >= 0 ? kResizeCheckMs : -1) < 0) return fail_errno("waiting for the terminal");
    if (now[3].revents) return kill_and_reap(process);
    follow_size();
    if (now[0].fd >= 0 && (now[0].revents & POLLOUT)) typed.erase(0, write_some(master, typed));
    if (now[0].fd >= 0 && (now[0].revents & ~POLLOUT) && !pass_on(master, 1, show, buffer)) {
      fds[0].fd = fds[1].fd = -1;
      typed.clear();
    }
    if (now[1].fd >= 0 && now[1].revents && !pass_on(input_fd, 0, [&](int, std::string_view bytes) { typed.assign(bytes); }, buffer)) fds[1].fd = -1;
    if (now[2].revents) break;
  }
  drain(master, 1, show, buffer);
  return process.wait();
}

}  // namespace mica::runtime
