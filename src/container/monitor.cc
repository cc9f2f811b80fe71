#include "container/monitor.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <limits>

#include "base/format.h"
#include "base/log.h"
#include "base/text.h"
#include "container/health_check.h"
#include "container/monitor_clients.h"
#include "container/signal_names.h"
#include "sys/unix_socket.h"

namespace mica::container {
namespace {

constexpr std::int64_t kMillisecond = 1'000'000, kSecond = 1'000'000'000;
constexpr std::int64_t kFirstDelayMs = 100, kLongestDelayMs = 60'000, kLongRunNs = 10 * kSecond;
constexpr std::size_t kChunk = 64 << 10, kMuchInput = 1 << 20;
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

void set_nonblocking(const sys::Fd& fd) {
  if (fd) ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
}

class Loop {
 public:
  Loop(MonitorHost& host, const MonitorSettings& settings, sys::Fd listener, sys::Fd starter, LogWriter* log)
      : host_(host), settings_(settings), listener_(std::move(listener)), log_(log), state_(host.load()) {
    if (settings.health) health_.emplace(*settings.health);
    if (starter) {
      set_nonblocking(starter);
      clients_.add(std::move(starter)).starter = true;
    }
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, SIGCHLD);
    ::sigaddset(&set, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    signals_ = sys::Fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  }

  void run() {
    hear_starter();
    start();
    while (phase_ != Phase::over) turn();
    host_.clean_up(true);
    // Whoever is slow to read what is already here gets it, however long it takes.
    listener_.reset();
    while (!clients_.all_sent()) turn();
  }

 private:
  enum class Phase { running, waiting, over };

  /// An attached starter must be known as such before the first byte of output.
  void hear_starter() {
    while (!clients_.list().empty() && !clients_.list().front().asked && !clients_.list().front().gone) {
      Client& client = clients_.list().front();
      pollfd fd{client.fd.get(), POLLIN, 0};
      if (::poll(&fd, 1, -1) < 0 && errno != EINTR) break;
      Clients::read_some(client);
      take_frames(client);
    }
    clients_.forget_gone();
  }

  void start() {
    auto started = host_.start();
    state_.error.clear();
    if (!started) return could_not_start(started.error());
    streams_ = std::move(*started);
    pidfd_ = sys::Fd(static_cast<int>(::syscall(SYS_pidfd_open, streams_.pid, 0)));
    for (sys::Fd* fd : {&streams_.terminal, &streams_.input, &streams_.output, &streams_.errors}) set_nonblocking(*fd);
    phase_ = Phase::running;
    if (!input_fd()) input_.clear();
    if (input_.empty() && input_ends_) streams_.input.reset();
    began_ = monotonic_ns();
    state_.status = Status::running;
    state_.pid = streams_.pid;
    state_.started = now();
    state_.finished.reset();
    state_.exit_code = 0;
    state_.oom_killed = false;
    if (health_) {
      health_->begin(began_);
      next_probe_ = began_ + health_->wait_ns(began_);
      state_.health = json::write(health_->to_json());
    }
    if (last_size_) set_size(*last_size_);
    host_.save(state_);
    host_.event("start", {});
    for (auto& client : clients_.list())
      if (client.starter) tell_started(client);
  }

  void tell_started(Client& client) {
    client.starter = false;
    client.send('s', json::write(json::Value(json::Object{{"pid", streams_.pid}})));
    Clients::send_some(client);
  }

  void could_not_start(const Error& error) {
    log::debug("start failed: {}", error.text());
    state_.pid = 0;
    state_.exit_code = error.exit_status() ? error.exit_status() : 128;
    state_.error = error.text();
    state_.ports.clear();
    state_.network.clear();
    // As Docker has it: one that never ran stays "created"; one that could not be started again has ended.
    if (state_.started) {
      state_.status = Status::exited;
      state_.finished = now();
    } else {
      state_.status = Status::created;
    }
    host_.clean_up(true);
    if (settings_.auto_remove) host_.remove();
    else host_.save(state_);
    for (auto& client : clients_.list())
      if (client.starter || client.waits || client.output) client.fail(error);
    phase_ = Phase::over;
  }

  void set_size(std::pair<int, int> size) {
    last_size_ = size;
    winsize window{.ws_row = static_cast<unsigned short>(size.first), .ws_col = static_cast<unsigned short>(size.second), .ws_xpixel = 0, .ws_ypixel = 0};
    if (streams_.terminal) ::ioctl(streams_.terminal.get(), TIOCSWINSZ, &window);
  }

  // ---- one turn of the loop

  std::int64_t deadline() const {
    std::int64_t next = kNever;
    if (phase_ == Phase::running) next = std::min({next, kill_at_, probe_ ? probe_->deadline_ns() : health_ && state_.status != Status::paused ? next_probe_ : kNever});
    if (phase_ == Phase::waiting) next = std::min(next, restart_at_);
    return next;
  }

  int timeout_ms() const {
    const std::int64_t next = deadline();
    if (next == kNever) return -1;
    const std::int64_t left = next - monotonic_ns();
    return left <= 0 ? 0 : static_cast<int>(std::min<std::int64_t>(left / kMillisecond + 1, 1'000'000));
  }

  const sys::Fd& input_fd() const { return streams_.terminal ? streams_.terminal : streams_.input; }

  void turn() {
    std::vector<pollfd> fds;
    std::vector<std::function<void(short)>> work;
    auto watch = [&](const sys::Fd& fd, short events, std::function<void(short)> then) {
      if (!fd || !events) return;
      fds.push_back({fd.get(), events, 0});
      work.push_back(std::move(then));
    };
    watch(signals_, POLLIN, [this](short) { take_signals(); });
    watch(listener_, POLLIN, [this](short) { accept(); });
    const bool can_read = !clients_.congested();
    const auto wants_input = static_cast<short>(input_.empty() ? 0 : POLLOUT);
    if (streams_.terminal) watch(streams_.terminal, static_cast<short>((can_read ? POLLIN : 0) | wants_input), [this](short ready) { terminal_ready(ready); });
    if (can_read) {
      watch(streams_.output, POLLIN, [this](short) { read_output(streams_.output, 1); });
      watch(streams_.errors, POLLIN, [this](short) { read_output(streams_.errors, 2); });
    }
    watch(streams_.input, wants_input, [this](short) { write_input(); });
    watch(pidfd_, POLLIN, [this](short) { first_process_ended(); });
    if (probe_) {
      watch(probe_->output(), POLLIN, [this](short) { if (probe_) probe_->read(); });
      watch(probe_->process(), POLLIN, [this](short) { probe_ended(false); });
    }
    for (auto& client : clients_.list()) {
      const bool hold = client.input && input_.size() > kMuchInput;
      const auto events = static_cast<short>((hold ? 0 : POLLIN) | (client.out.empty() ? 0 : POLLOUT));
      watch(client.fd, events, [this, &client](short ready) { client_ready(client, ready); });
    }
    if (::poll(fds.data(), fds.size(), timeout_ms()) < 0 && errno != EINTR) log::debug("poll errno={}", errno);
    for (std::size_t i = 0; i < fds.size(); ++i)
      if (fds[i].revents) work[i](fds[i].revents);
    clients_.forget_gone();
    take_timers();
  }

  void take_timers() {
    const std::int64_t now_ns = monotonic_ns();
    if (phase_ == Phase::waiting && now_ns >= restart_at_) {
      ++state_.restart_count;
      start();
      return;
    }
    if (phase_ != Phase::running) return;
    if (now_ns >= kill_at_) {
      kill_at_ = kNever;
      send_signal(SIGKILL);
    }
    if (probe_ && now_ns >= probe_->deadline_ns()) probe_ended(true);
    if (health_ && !probe_ && state_.status == Status::running && now_ns >= next_probe_) begin_probe();
  }

  void take_signals() {
    signalfd_siginfo info;
    while (::read(signals_.get(), &info, sizeof info) == sizeof info)
      if (info.ssi_signo == SIGTERM) stop(settings_.stop_signal, settings_.stop_timeout);
    // Orphans of the container that came to us.
    siginfo_t ended{};
    while (::waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid != 0) {
      if (ended.si_pid == streams_.pid || (probe_ && ended.si_pid == probe_->pid())) break;
      ::waitid(P_PID, static_cast<id_t>(ended.si_pid), &ended, WEXITED | WNOHANG);
      ended.si_pid = 0;
    }
  }

  // ---- the container's streams

  /// False at the end of the stream, or when nothing is there now.
  bool read_output(sys::Fd& fd, int stream) {
    char buffer[kChunk];
    const ssize_t count = ::read(fd.get(), buffer, sizeof buffer);
    if (count > 0) {
      const std::string_view bytes(buffer, static_cast<std::size_t>(count));
      if (log_)
        if (auto logged = log_->append(stream, bytes); !logged) log::debug("log: {}", logged.error().text());
      clients_.output(stream, bytes);
      return true;
    }
    if (count == 0 || (errno != EAGAIN && errno != EINTR)) fd.reset();
    return false;
  }

  void terminal_ready(short ready) {
    if (ready & POLLOUT) write_input();
    if (ready & ~POLLOUT) read_output(streams_.terminal, 1);
  }

  void write_input() {
    const sys::Fd& fd = input_fd();
    if (!fd) return input_.clear();
    const ssize_t count = ::write(fd.get(), input_.data(), input_.size());
    if (count > 0) input_.erase(0, static_cast<std::size_t>(count));
    else if (count < 0 && errno != EAGAIN && errno != EINTR) input_.clear(), streams_.input.reset();
    if (input_.empty() && input_ends_) streams_.input.reset();
  }

  void end_input() {
    input_ends_ = true;
    if (input_.empty()) streams_.input.reset();
  }

  // ---- clients

  void accept() {
    while (true) {
      auto socket = sys::accept_unix(listener_);
      if (!socket || !*socket) return;
      clients_.add(std::move(**socket));
    }
  }

  void client_ready(Client& client, short ready) {
    if (ready & POLLOUT) Clients::send_some(client);
    if (ready & ~POLLOUT) {
      Clients::read_some(client);
      take_frames(client);
    }
    if (client.gone && client.input && settings_.stdin_once) end_input();
  }

  void take_frames(Client& client) {
    while (!client.gone) {
      auto frame = client.in.next();
      if (!frame) client.gone = true;
      if (!frame || !*frame) return;
      take_frame(client, **frame);
    }
  }

  void take_frame(Client& client, const Frame& frame) {
    switch (frame.type) {
      case 'q': return take_request(client, frame.payload);
      case 'i':
        // Before the first process there is nothing to write to yet: start() goes on with what came early.
        if (client.input && (input_fd() || !pidfd_)) input_ += frame.payload;
        if (!input_.empty() && input_fd() && phase_ == Phase::running) write_input();
        return;
      case 'c':
        if (client.input && settings_.stdin_once) end_input();
        return;
      case 'r': {
        const auto size = split_once(frame.payload, ' ');
        if (size) set_size({static_cast<int>(parse_int(size->first).value_or(0)), static_cast<int>(parse_int(size->second).value_or(0))});
        return;
      }
      case 'g':
        if (const auto number = parse_int(frame.payload)) send_signal(static_cast<int>(*number));
        return;
      default: client.gone = true;
    }
  }

  void take_request(Client& client, const std::string& text) {
    const auto request = json::parse(text);
    if (!request || client.asked) {
      client.gone = true;
      return;
    }
    client.asked = true;
    if (const json::Value* attach = request->find("attach")) {
      client.input = attach->bool_or("input");
      client.output = attach->bool_or("output");
      client.waits = true;
      if (phase_ == Phase::running && pidfd_) tell_started(client);
    }
    if (request->find("wait")) client.waits = true;
    if (const json::Value* options = request->find("stop")) {
      client.waits = true;
      state_.stopped_by_user = true;
      stop(static_cast<int>(options->int_or("signal", settings_.stop_signal)), static_cast<int>(options->int_or("timeout", settings_.stop_timeout)));
    } else if (const json::Value* number = request->find("kill"); number && number->is_int()) {
      answer(client, kill(static_cast<int>(number->as_int())));
    } else if (const json::Value* paused = request->find("pause"); paused && paused->is_bool()) {
      answer(client, set_paused(paused->as_bool()));
    } else if (const json::Value* question = request->find("ask")) {
      auto result = host_.ask(*question);
      if (!result) return client.fail(result.error());
      client.send('k', json::write(*result));
      host_.save(state_);
    }
  }

  static void answer(Client& client, const Result<>& done) {
    if (done) client.send('k', "null");
    else client.fail(done.error());
    Clients::send_some(client);
  }

  // ---- what is asked for

  void send_signal(int number) {
    if (pidfd_) ::syscall(SYS_pidfd_send_signal, pidfd_.get(), number, nullptr, 0);
  }

  void stop(int signal, int timeout) {
    stopping_ = true;
    if (phase_ == Phase::waiting) return give_up_waiting();
    if (phase_ != Phase::running) return;
    if (state_.status == Status::paused) (void)set_paused(false);
    send_signal(signal);
    if (timeout >= 0) kill_at_ = std::min(kill_at_, monotonic_ns() + timeout * kSecond);
  }

  /// A stop while no process runs, between two starts.
  void give_up_waiting() {
    state_.status = Status::exited;
    host_.save(state_);
    host_.event("stop", {});
    tell_ended();
    phase_ = Phase::over;
  }

  Result<> kill(int number) {
    if (phase_ != Phase::running) return fail(Errc::conflict, "the container is not running");
    state_.stopped_by_user = stopping_ = true;
    if (state_.status == Status::paused && number == SIGKILL) (void)set_paused(false);
    send_signal(number);
    host_.event("kill", {{"signal", std::to_string(number)}});
    return {};
  }

  Result<> set_paused(bool pause) {
    const Status from = pause ? Status::running : Status::paused;
    if (phase_ != Phase::running || state_.status != from)
      return fail(Errc::conflict, pause ? (state_.status == Status::paused ? "is already paused" : "is not running") : "is not paused");
    TRY(host_.pause(pause));
    state_.status = pause ? Status::paused : Status::running;
    host_.save(state_);
    host_.event(pause ? "pause" : "unpause", {});
    if (!pause && health_) next_probe_ = monotonic_ns() + health_->wait_ns(monotonic_ns());
    return {};
  }

  // ---- health

  void begin_probe() {
    auto spawn = host_.health_check();
    if (spawn) {
      auto probe = HealthProbe::start(std::move(*spawn), settings_.health->timeout);
      if (probe) {
        probe_.emplace(std::move(*probe));
        return;
      }
      spawn = fail(probe.error());
    }
    note_health({.start = now(), .end = now(), .exit_code = -1, .output = spawn.error().text()});
  }

  void probe_ended(bool timed_out) {
    if (!probe_) return;
    auto result = probe_->finish(timed_out);
    if (timed_out) host_.end_health_check();
    probe_.reset();
    note_health(std::move(result));
  }

  void note_health(Health::Probe result) {
    const std::int64_t now_ns = monotonic_ns();
    const bool changed = health_->add(std::move(result), now_ns);
    next_probe_ = now_ns + health_->wait_ns(now_ns);
    state_.health = json::write(health_->to_json());
    host_.save(state_);
    if (changed) host_.event("health_status: " + health_->status(), {});
  }

  // ---- the end

  void first_process_ended() {
    siginfo_t ended{};
    while (::waitid(P_PID, static_cast<id_t>(streams_.pid), &ended, WEXITED) != 0)
      if (errno != EINTR) break;
    const int code = ended.si_code == CLD_EXITED ? ended.si_status : 128 + ended.si_status;
    pidfd_.reset();
    if (probe_) {
      (void)probe_->finish(true);
      probe_.reset();
    }
    for (const auto& [fd, stream] : {std::pair(&streams_.terminal, 1), std::pair(&streams_.output, 1), std::pair(&streams_.errors, 2)})
      while (*fd && read_output(*fd, stream)) {}
    if (log_)
      if (auto logged = log_->finish(); !logged) log::debug("log: {}", logged.error().text());
    state_.oom_killed = host_.out_of_memory();
    streams_ = {};
    input_.clear();
    input_ends_ = false;
    kill_at_ = kNever;
    state_.pid = 0;
    state_.exit_code = code;
    state_.finished = now();
    state_.ports.clear();
    if (state_.oom_killed) host_.event("oom", {});
    host_.event("die", {{"exitCode", std::to_string(code)}});
    if (stopping_ || !restarts(host_.restart_policy(), code, state_.restart_count)) return end_for_good();
    delay_ms_ = next_delay_ms(delay_ms_, monotonic_ns() - began_);
    restart_at_ = monotonic_ns() + delay_ms_ * kMillisecond;
    phase_ = Phase::waiting;
    state_.status = Status::restarting;
    host_.clean_up(false);
    host_.save(state_);
    tell_ended();
  }

  void end_for_good() {
    state_.status = Status::exited;
    state_.network.clear();
    if (state_.stopped_by_user) host_.event("stop", {});
    if (settings_.auto_remove) host_.remove();
    else host_.save(state_);
    tell_ended();
    phase_ = Phase::over;
  }

  void tell_ended() {
    const std::string end = json::write(json::Value(json::Object{{"code", state_.exit_code}, {"error", state_.error}, {"oom", state_.oom_killed}}));
    for (auto& client : clients_.list()) {
      if (!client.waits) continue;
      client.waits = client.output = client.input = false;
      client.send('x', end);
      Clients::send_some(client);
    }
  }

  MonitorHost& host_;
  const MonitorSettings& settings_;
  sys::Fd listener_, signals_, pidfd_;
  LogWriter* log_;
  State state_;
  Clients clients_;
  ProcessStreams streams_;
  std::string input_;                       // not yet taken by the container
  bool input_ends_ = false, stopping_ = false;
  Phase phase_ = Phase::running;
  std::optional<std::pair<int, int>> last_size_;
  std::optional<Health> health_;
  std::optional<HealthProbe> probe_;
  std::int64_t began_ = 0, kill_at_ = kNever, restart_at_ = kNever, next_probe_ = kNever, delay_ms_ = 0;
};

}  // namespace

std::int64_t next_delay_ms(std::int64_t last_delay_ms, std::int64_t ran_ns) {
  if (last_delay_ms == 0 || ran_ns >= kLongRunNs) return kFirstDelayMs;
  return std::min(last_delay_ms * 2, kLongestDelayMs);
}

bool restarts(const RestartPolicy& policy, int exit_code, int restart_count) {
  if (policy.name == "always" || policy.name == "unless-stopped") return true;
  return policy.name == "on-failure" && exit_code != 0 && (policy.maximum_retries == 0 || restart_count < policy.maximum_retries);
}

void monitor(MonitorHost& host, const MonitorSettings& settings, sys::Fd listener, sys::Fd starter, LogWriter* log) {
  Loop(host, settings, std::move(listener), std::move(starter), log).run();
}

}  // namespace mica::container
