/// Who is connected to a monitor: frames in, frames out, without ever waiting for one of them.
#pragma once
#include <list>
#include <string>
#include <string_view>

#include "container/monitor_protocol.h"

namespace mica::container {

struct Client {
  explicit Client(sys::Fd socket) : fd(std::move(socket)) {}
  sys::Fd fd;
  FrameReader in;
  std::string out;                          ///< not yet sent
  bool asked = false;                       ///< its request has come
  bool output = false, input = false;       ///< attached
  bool waits = false;                       ///< wants to hear of the next end
  bool starter = false;                     ///< wants to hear whether it started
  bool gone = false;

  void send(char type, std::string_view payload) {
    if (!gone) out += encode(type, payload);
  }
  void fail(const Error& error) { send('f', json::write(error_json(error))); }
};

class Clients {
 public:
  Client& add(sys::Fd socket) { return list_.emplace_back(std::move(socket)); }
  std::list<Client>& list() { return list_; }
  /// To all who are attached to the output.
  void output(int stream, std::string_view bytes);
  /// True while somebody attached is so far behind that no more may be read for him.
  bool congested() const;
  bool all_sent() const;
  /// What can be sent now is; what can be read now is read into `in`. A broken connection is `gone`.
  static void send_some(Client& client);
  static void read_some(Client& client);
  void forget_gone();

 private:
  std::list<Client> list_;
};

}  // namespace mica::container
