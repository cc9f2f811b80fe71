#include "build/ssh_forward.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <list>
#include <thread>

#include "base/format.h"
#include "sys/process.h"

namespace mica::build {
namespace {

constexpr std::size_t kBytes = 64 << 10;

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{.sun_family = AF_UNIX};
  if (path.size() >= sizeof address.sun_path) return failf(Errc::invalid_argument, "the path of the socket is too long: {}", quoted(path));
  path.copy(address.sun_path, path.size());
  return address;
}

Result<sys::Fd> connect_to(const std::string& path) {
  const auto address = TRY(address_of(path));
  sys::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return fail_errno(format("reaching the ssh agent at {}", quoted(path)));
  return fd;
}

/// One connection and its twin to the agent. Messages of the agent protocol are small: blocking writes cannot pile up.
struct Link {
  sys::Fd step, agent;
};
bool pass_on(const sys::Fd& from, const sys::Fd& to) {
  char buffer[kBytes];
  const ssize_t got = ::read(from.get(), buffer, sizeof buffer);
  return got > 0 && sys::write_all(to, std::string_view(buffer, static_cast<std::size_t>(got)));
}

class Forward : public SshForward {
 public:
  static Result<std::unique_ptr<SshForward>> start(const SshSource& source, const std::string& folder, std::uint32_t mode, std::uint32_t uid, std::uint32_t gid) {
    TRY(sys::make_directories(folder, 0711));
    auto forward = std::unique_ptr<Forward>(new Forward);
    forward->agent_path_ = source.socket;
    if (source.socket.empty()) TRY(forward->start_agent(source, folder));
    TRY(connect_to(forward->agent_path_));   // a dead agent is told now, not in the middle of the step
    forward->path_ = folder + "/socket";
    const auto address = TRY(address_of(forward->path_));
    forward->listening_ = sys::Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!forward->listening_ || ::bind(forward->listening_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      return fail_errno("making the ssh agent's socket");
    if (::listen(forward->listening_.get(), 16) != 0) return fail_errno("listening on the ssh agent's socket");
    if (::chown(forward->path_.c_str(), uid, gid) != 0 || ::chmod(forward->path_.c_str(), mode) != 0) return fail_errno("giving the ssh agent's socket its owner");
    forward->stop_ = sys::Fd(::eventfd(0, EFD_CLOEXEC));
    if (!forward->stop_) return fail_errno("making an eventfd");
    forward->thread_ = std::thread([self = forward.get()] { self->serve(); });
    return forward;
  }
  ~Forward() override {
    if (!thread_.joinable()) return;
    const std::uint64_t one = 1;
    (void)!::write(stop_.get(), &one, sizeof one);
    thread_.join();
  }
  const std::string& socket_path() const override { return path_; }

 private:
  Forward() = default;

  Result<> start_agent(const SshSource& source, const std::string& folder) {
    agent_path_ = folder + "/agent";
    sys::Spawn spawn{.argv = {"ssh-agent", "-D", "-a", agent_path_}};
    const auto null = TRY(sys::open("/dev/null", O_RDWR));
    spawn.stdout_fd = spawn.stderr_fd = null.get();
    auto agent = sys::Process::start(spawn);
    if (!agent) {
      Error error = std::move(agent).error();
      std::move(error).with_hint("--ssh with keys needs the program ssh-agent (package openssh-client)");
      return fail(std::move(error).doing("starting an ssh agent"));
    }
    agent_.emplace(std::move(*agent));
    for (int tries = 0; !sys::exists(agent_path_) && tries < 200; ++tries) ::poll(nullptr, 0, 10);
    for (const auto& key : source.keys)
      TRY_DOING(sys::run_and_capture({"env", "SSH_AUTH_SOCK=" + agent_path_, "SSH_ASKPASS_REQUIRE=never", "ssh-add", "-q", key}), format("adding ssh key {}", quoted(key)));
    return {};
  }

  void serve() {
    std::list<Link> links;
    for (;;) {
      std::vector<pollfd> polls = {{stop_.get(), POLLIN, 0}, {listening_.get(), POLLIN, 0}};
      for (const Link& link : links) {
        polls.push_back({link.step.get(), POLLIN, 0});
        polls.push_back({link.agent.get(), POLLIN, 0});
      }
      if (::poll(polls.data(), polls.size(), -1) < 0 && errno != EINTR) return;
      if (polls[0].revents) return;
      std::size_t at = 2;
      for (auto link = links.begin(); link != links.end(); at += 2) {
        const bool alive = (!polls[at].revents || pass_on(link->step, link->agent)) && (!polls[at + 1].revents || pass_on(link->agent, link->step));
        link = alive ? std::next(link) : links.erase(link);
      }
      if (!polls[1].revents) continue;
      sys::Fd step(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      auto agent = connect_to(agent_path_);
      if (step && agent) links.push_back({std::move(step), std::move(*agent)});
    }
  }

  std::optional<sys::Process> agent_;
  std::string agent_path_, path_;
  sys::Fd listening_, stop_;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<SshForward>> forward_ssh(const SshSource& source, const std::string& folder, std::uint32_t mode, std::uint32_t uid, std::uint32_t gid) {
  return Forward::start(source, folder, mode, uid, gid);
}

}  // namespace mica::build
