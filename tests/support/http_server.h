/// A small HTTP/1.1 server on a free port (of loopback unless told otherwise), for tests of whatever talks HTTP. The handler writes what it likes to the socket, right or
/// wrong; requests arrive parsed. Connections are served one thread each and kept open until either side is done with them.
#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/text.h"

namespace mica::support {

struct Received {
  std::string method, target;
  std::map<std::string, std::string> headers;   // names in lower case
  std::string body;
  bool chunked = false;
  std::string header(const std::string& name) const {
    auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

/// The writing end of one connection.
class Peer {
 public:
  explicit Peer(int fd) : fd_(fd) {}
  /// False when the client has gone.
  bool send(std::string_view bytes) const {
    while (!bytes.empty()) {
      ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }
  bool reply(int status, std::string_view body, const std::string& more_headers = "") const {
    return send("HTTP/1.1 " + std::to_string(status) + " Text\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + more_headers + "\r\n" +
                std::string(body));
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};

class HttpServer {
 public:
  /// Answers one request; false closes the connection.
  using Handler = std::function<bool(const Received&, const Peer&)>;

  explicit HttpServer(Handler handler, const char* bind_address = "127.0.0.1") : handler_(std::move(handler)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = ::inet_addr(bind_address);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      std::abort();
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~HttpServer() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    {
      std::lock_guard lock(mutex_);
      for (int fd : open_) ::shutdown(fd, SHUT_RDWR);
    }
    for (auto& thread : threads_) thread.join();
    ::close(listener_);
  }
  HttpServer(const HttpServer&) = delete;
  int port() const { return port_; }
  std::string url(const std::string& path = "/", const std::string& host = "127.0.0.1") const {
    return "http://" + host + ":" + std::to_string(port_) + path;
  }
  int connections() const { return connections_; }
  std::vector<Received> requests() {
    std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void accept_all() {
    while (true) {
      int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      ++connections_;
      std::lock_guard lock(mutex_);
      open_.push_back(fd);
      threads_.emplace_back([this, fd] { serve(fd); });
    }
  }

  void serve(int fd) {
    std::string buffer;
    Received request;
    while (read_request(fd, buffer, request)) {
      {
        std::lock_guard lock(mutex_);
        requests_.push_back(request);
      }
      if (!handler_(request, Peer(fd))) break;
    }
    std::lock_guard lock(mutex_);
    std::erase(open_, fd);
    ::close(fd);
  }

  static bool more(int fd, std::string& buffer) {
    char bytes[16 << 10];
    ssize_t count = ::recv(fd, bytes, sizeof bytes, 0);
    if (count > 0) buffer.append(bytes, static_cast<std::size_t>(count));
    return count > 0;
  }
  static bool take(int fd, std::string& buffer, std::size_t count, std::string& into) {
    while (buffer.size() < count)
      if (!more(fd, buffer)) return false;
    into.append(buffer, 0, count);
    buffer.erase(0, count);
    return true;
  }
  static bool take_line(int fd, std::string& buffer, std::string& line) {
    std::size_t end;
    while ((end = buffer.find("\r\n")) == std::string::npos) {
      if (!more(fd, buffer)) return false;
      // A TLS handshake: what servers of plain HTTP say to that.
      if (buffer.front() == 0x16) return Peer(fd).send("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n") && false;
    }
    line = buffer.substr(0, end);
    buffer.erase(0, end + 2);
    return true;
  }
  static bool read_request(int fd, std::string& buffer, Received& request) {
    request = {};
    std::string line;
    if (!take_line(fd, buffer, line)) return false;
    const auto words = split(line, ' ');
    if (words.size() != 3) return false;
    request.method = words[0];
    request.target = words[1];
    while (take_line(fd, buffer, line) && !line.empty())
      if (auto pair = split_once(line, ':')) request.headers[to_lower(pair->first)] = trim(pair->second);
    request.chunked = request.header("transfer-encoding") == "chunked";
    if (!request.chunked) return take(fd, buffer, static_cast<std::size_t>(parse_int(request.header("content-length")).value_or(0)), request.body);
    while (take_line(fd, buffer, line)) {
      const std::size_t size = std::stoul(line, nullptr, 16);
      if (!take(fd, buffer, size, request.body)) return false;
      if (!take_line(fd, buffer, line)) return false;
      if (size == 0) return true;
    }
    return false;
  }

  Handler handler_;
  int listener_ = -1, port_ = 0;
  std::atomic<int> connections_ = 0;
  std::mutex mutex_;
  std::vector<int> open_;
  std::vector<Received> requests_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace mica::support
