#include "engine/attach_loop.h"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "base/format.h"
#include "base/text.h"

namespace mica::engine {
namespace {

constexpr std::size_t kChunk = 64 << 10;
constexpr int kProxied[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGCONT};

class RawTerminal {
 public:
  explicit RawTerminal(int fd) : fd_(fd) {
    if (fd < 0 || ::tcgetattr(fd, &saved_) != 0) return;
    termios raw = saved_;
    ::cfmakeraw(&raw);
    on_ = ::tcsetattr(fd, TCSANOW, &raw) == 0;
  }
  ~RawTerminal() {
    if (on_) ::tcsetattr(fd_, TCSADRAIN, &saved_);
  }
  RawTerminal(const RawTerminal&) = delete;

 private:
  int fd_;
  termios saved_{};
  bool on_ = false;
};

/// Signals as a readable descriptor while this lives; other threads of ours have them blocked anyway.
class Signals {
 public:
  explicit Signals(bool proxied) {
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, SIGWINCH);
    if (proxied)
      for (const int number : kProxied) ::sigaddset(&set, number);
    ::pthread_sigmask(SIG_BLOCK, &set, &before_);
    fd_ = sys::Fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  }
  ~Signals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  Signals(const Signals&) = delete;
  int fd() const { return fd_.get(); }
  int next() {
    signalfd_siginfo info;
    return ::read(fd_.get(), &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo) : 0;
  }

 private:
  sys::Fd fd_;
  sigset_t before_;
};

Result<> write_out(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) {
      pollfd ready{fd, POLLOUT, 0};
      ::poll(&ready, 1, -1);
      continue;
    }
    if (count < 0) return fail_errno("writing the container's output");
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

class Loop {
 public:
  Loop(container::MonitorConnection& connection, const Attachment& attachment, DetachKeys keys)
      : connection_(connection), attachment_(attachment), keys_(std::move(keys)), signals_(attachment.signal_proxy), input_fd_(attachment.input ? attachment.stdin_fd : -1) {}

  Result<AttachEnd> run(const task::Cancel& cancel) {
    RawTerminal raw(attachment_.terminal_fd);
    TRY(send_size());
    while (!over_) {
      pollfd fds[] = {{connection_.fd().get(), POLLIN, 0}, {input_fd_, POLLIN, 0}, {signals_.fd(), POLLIN, 0}, {attachment_.signal_proxy ? -1 : cancel.fd(), POLLIN, 0}};
      if (::poll(fds, 4, -1) < 0 && errno != EINTR) return fail_errno("waiting for the container");
      if (fds[3].revents) return fail(task::Cancel::error());
      if (fds[2].revents) TRY(take_signals());
      if (fds[0].revents) TRY(take_frames());
      if (!over_ && fds[1].revents) TRY(take_input());
    }
    return end_;
  }

 private:
  Result<> send_size() {
    winsize size{};
    if (attachment_.terminal_fd < 0 || ::ioctl(attachment_.terminal_fd, TIOCGWINSZ, &size) != 0) return {};
    return connection_.send('r', format("{} {}", size.ws_row, size.ws_col));
  }

  Result<> take_signals() {
    while (const int number = signals_.next()) {
      if (number == SIGWINCH) TRY(send_size());
      else TRY(connection_.send('g', std::to_string(number)));
    }
    return {};
  }

  Result<> take_input() {
    char buffer[kChunk];
    const ssize_t count = ::read(input_fd_, buffer, sizeof buffer);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return {};
    if (count <= 0) {
      input_fd_ = -1;
      return connection_.send('c', "");
    }
    const std::string_view typed(buffer, static_cast<std::size_t>(count));
    if (attachment_.terminal_fd < 0) {
      // A monitor that has ended takes no more; what it said of the end is still to be read.
      if (!connection_.send('i', typed)) input_fd_ = -1;
      return {};
    }
    bool detached = false;
    const std::string kept = keys_.filter(typed, detached);
    if (!kept.empty()) TRY(connection_.send('i', kept));
    if (detached) {
      end_.ended.detached = true;
      over_ = true;
    }
    return {};
  }

  Result<> take_frames() {
    bool gone = false;
    while (auto frame = TRY(connection_.take(gone))) {
      TRY(take_frame(*frame));
      if (over_) return {};
    }
    if (gone) {
      end_.monitor_gone = true;
      over_ = true;
    }
    return {};
  }

  Result<> take_frame(const container::Frame& frame) {
    switch (frame.type) {
      case 'o':
      case 'e': {
        const int stream = frame.type == 'e' ? 2 : 1;
        if (attachment_.only_stream && stream != attachment_.only_stream) return {};
        if (attachment_.on_output) attachment_.on_output(stream, frame.payload);
        else return write_out(stream, frame.payload);
        return {};
      }
      case 's': return send_size();
      case 'f': return fail(container::error_from_json(frame.payload));
      case 'x': {
        const auto end = TRY(json::parse(frame.payload));
        end_.ended.exit_code = static_cast<int>(end.int_or("code"));
        end_.ended.error = end.string_or("error");
        over_ = true;
        return {};
      }
      default: return {};
    }
  }

  container::MonitorConnection& connection_;
  const Attachment& attachment_;
  DetachKeys keys_;
  Signals signals_;
  int input_fd_;
  bool over_ = false;
  AttachEnd end_;
};

}  // namespace

Result<AttachEnd> attach_loop(container::MonitorConnection& connection, const Attachment& attachment, const task::Cancel& cancel) {
  auto keys = TRY(DetachKeys::parse(attachment.detach_keys));
  return Loop(connection, attachment, std::move(keys)).run(cancel);
}

Result<DetachKeys> DetachKeys::parse(std::string_view text) {
  DetachKeys out;
  if (text.empty()) return out;
  for (const std::string_view key : split(text, ',')) {
    if (key.size() == 1) {
      out.keys_ += key;
      continue;
    }
    constexpr std::string_view kCtrl = "ctrl-", kOthers = "@[\\]^_";
    const char last = key.empty() ? '\0' : key.back();
    const bool letter = last >= 'a' && last <= 'z';
    if (key.size() != kCtrl.size() + 1 || !key.starts_with(kCtrl) || (!letter && kOthers.find(last) == kOthers.npos))
      return failf(Errc::invalid_argument, "invalid detach keys ({}) provided", text);
    out.keys_ += letter ? static_cast<char>(last - 'a' + 1) : static_cast<char>(last - '@');
  }
  return out;
}

std::string DetachKeys::filter(std::string_view typed, bool& detached) {
  if (keys_.empty()) return std::string(typed);
  std::string kept;
  for (const char c : typed) {
    if (c != keys_[seen_] && seen_ > 0) {
      kept += keys_.substr(0, seen_);
      seen_ = 0;
    }
    if (c != keys_[seen_]) {
      kept += c;
      continue;
    }
    if (++seen_ == keys_.size()) {
      detached = true;
      break;
    }
  }
  return kept;
}

}  // namespace mica::engine
