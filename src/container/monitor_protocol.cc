#include "container/monitor_protocol.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "base/format.h"
#include "sys/unix_socket.h"
#include "task/task.h"

namespace mica::container {
namespace {

constexpr std::size_t kHead = 5, kMaxPayload = 16 << 20, kChunk = 64 << 10;

std::size_t length_at(std::string_view head) {
  std::size_t length = 0;
  for (int i = 1; i < 5; ++i) length = length << 8 | static_cast<unsigned char>(head[static_cast<std::size_t>(i)]);
  return length;
}

constexpr Errc kCodes[] = {Errc::invalid_argument, Errc::not_found,   Errc::already_exists, Errc::conflict,           Errc::permission_denied, Errc::unauthorized,
                           Errc::unavailable,      Errc::corrupt,     Errc::unsupported,    Errc::resource_exhausted, Errc::cancelled,         Errc::internal};

}  // namespace

std::string encode(char type, std::string_view payload) {
  std::string out(1, type);
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(payload.size() >> shift & 0xff);
  return out.append(payload);
}

Result<std::optional<Frame>> FrameReader::next() {
  const std::string_view rest = std::string_view(buffer_).substr(start_);
  if (rest.size() < kHead) {
    buffer_.erase(0, start_);
    start_ = 0;
    return std::nullopt;
  }
  const std::size_t length = length_at(rest);
  if (length > kMaxPayload) return fail(Errc::corrupt, "a frame on the monitor's socket is too long");
  if (rest.size() < kHead + length) {
    buffer_.erase(0, start_);
    start_ = 0;
    return std::nullopt;
  }
  Frame frame{.type = rest[0], .payload = std::string(rest.substr(kHead, length))};
  start_ += kHead + length;
  return frame;
}

json::Value error_json(const Error& error) {
  json::Value out(json::Object{{"code", name(error.code())}, {"message", error.text()}});
  if (!error.hint().empty()) out.set("hint", error.hint());
  if (error.exit_status() != 0) out.set("status", error.exit_status());
  return out;
}

Error error_from_json(std::string_view text) {
  const auto value = json::parse(text);
  if (!value) return Error(Errc::internal, std::string(text));
  Errc code = Errc::internal;
  for (const Errc known : kCodes)
    if (name(known) == value->string_or("code")) code = known;
  Error error(code, value->string_or("message"));
  if (const std::string hint = value->string_or("hint"); !hint.empty()) error = Error(std::move(error).with_hint(hint));
  if (const auto status = value->int_or("status")) error = Error(std::move(error).with_exit_status(static_cast<int>(status)));
  return error;
}

Result<MonitorConnection> MonitorConnection::open(const std::string& folder) {
  auto socket = TRY(sys::connect_unix(folder, kMonitorSocket));
  return MonitorConnection(std::move(socket));
}

Result<> MonitorConnection::send(char type, std::string_view payload) {
  const std::string frame = encode(type, payload);
  std::string_view rest = frame;
  while (!rest.empty()) {
    const ssize_t count = ::send(socket_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno("writing to the container's monitor");
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

Result<std::optional<Frame>> MonitorConnection::receive(int stop_fd) {
  while (true) {
    if (auto frame = TRY(reader_.next())) return frame;
    pollfd fds[] = {{socket_.get(), POLLIN, 0}, {stop_fd, POLLIN, 0}};
    if (::poll(fds, 2, -1) < 0) {
      if (errno == EINTR) continue;
      return fail_errno("waiting for the container's monitor");
    }
    if (fds[1].revents) return fail(task::Cancel::error());
    bool ended = false;
    auto frame = TRY(take(ended));
    if (frame || ended) return frame;
  }
}

Result<std::optional<Frame>> MonitorConnection::take(bool& ended) {
  if (auto frame = TRY(reader_.next())) return frame;
  char buffer[kChunk];
  const ssize_t count = ::recv(socket_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
  if (count < 0 && (errno == EINTR || errno == EAGAIN)) return std::nullopt;
  if (count < 0 && errno != ECONNRESET) return fail_errno("reading from the container's monitor");
  if (count <= 0) ended = true;
  else reader_.add({buffer, static_cast<std::size_t>(count)});
  return reader_.next();
}

}  // namespace mica::container
