#include "container/monitor_clients.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace mica::container {
namespace {

constexpr std::size_t kChunk = 64 << 10, kMuch = 1 << 20;

}  // namespace

void Clients::output(int stream, std::string_view bytes) {
  for (auto& client : list_) {
    if (!client.output) continue;
    client.send(stream == 2 ? 'e' : 'o', bytes);
    send_some(client);
  }
}

bool Clients::congested() const {
  return std::any_of(list_.begin(), list_.end(), [](const auto& client) { return client.output && client.out.size() > kMuch; });
}

bool Clients::all_sent() const {
  return std::all_of(list_.begin(), list_.end(), [](const auto& client) { return client.gone || client.out.empty(); });
}

void Clients::send_some(Client& client) {
  std::size_t sent = 0;
  while (!client.gone && sent < client.out.size()) {
    const ssize_t count = ::send(client.fd.get(), client.out.data() + sent, client.out.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) break;
    if (count <= 0) client.gone = true;
    else sent += static_cast<std::size_t>(count);
  }
  client.out.erase(0, sent);
}

void Clients::read_some(Client& client) {
  char buffer[kChunk];
  const ssize_t count = ::recv(client.fd.get(), buffer, sizeof buffer, MSG_DONTWAIT);
  if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (count <= 0) client.gone = true;
  else client.in.add({buffer, static_cast<std::size_t>(count)});
}

void Clients::forget_gone() {
  list_.remove_if([](const auto& client) { return client.gone; });
}

}  // namespace mica::container
