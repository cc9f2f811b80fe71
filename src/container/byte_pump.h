/// Two connected sockets, joined: what arrives at one leaves at the other, until both directions have ended.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "container/event_loop.h"

namespace mica::container {

class BytePump {
 public:
  /// On the loop's thread. `to` may still be connecting. `first`: bytes for `to` before any other. `ended` is called once, from the loop, and may destroy the pump.
  BytePump(EventLoop& loop, sys::Fd from, sys::Fd to, std::string first, std::function<void()> ended);
  ~BytePump();                                           ///< on the loop's thread
  BytePump(const BytePump&) = delete;

 private:
  struct Side {
    sys::Fd fd;
    std::uint64_t watch = 0;
    std::string out;                                     ///< what it has not taken yet
    std::size_t sent = 0;
    bool ended = false, closed = false;                  ///< gives no more; was told that no more comes
  };
  void step(std::uint32_t events, Side& side);
  bool read_some(Side& from, Side& to);
  bool write_some(Side& side);
  void arm(Side& side, const Side& other);
  void finish();

  EventLoop& loop_;
  Side a_, b_;
  bool connecting_ = true;
  std::function<void()> ended_;
};

/// Starts to connect a non-blocking TCP socket in `name_space`.
Result<sys::Fd> connect_in(EventLoop& loop, const sys::Fd& name_space, const std::string& address, int port);

}  // namespace mica::container
