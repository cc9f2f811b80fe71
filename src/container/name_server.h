/// The name server of one container, at 127.0.0.11 in its own namespace, as Docker's: names of other containers from the records of its networks, all else from
/// the machine's name servers.
///
/// It listens on ports of the kernel's choice, to which the container's firewall sends what is for port 53: so a name server in the container can have that one.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "container/byte_pump.h"
#include "container/dns_message.h"
#include "container/event_loop.h"

namespace mica::container {

inline constexpr const char* kNameServerAddress = "127.0.0.11";

/// What it knows by itself. Changed on the loop's thread only.
struct KnownNames {
  struct Network {
    std::string folder, name;                            ///< its records, and what names may end in
  };
  std::vector<Network> networks;
  std::vector<std::pair<std::string, std::string>> links;   ///< alias and name of the container
  std::vector<std::string> servers;                      ///< whom to ask for what is not here; empty: nobody
};

class NameServer {
 public:
  /// `inside`: the container's namespace. Errors: those of sockets and of the firewall.
  static Result<std::unique_ptr<NameServer>> start(EventLoop& loop, const sys::Fd& inside, KnownNames known);
  ~NameServer();
  void update(KnownNames known);                         ///< not from the loop's thread

  /// Our own answer; "" when others must be asked.
  static std::string answer(const KnownNames& known, std::string_view query, const DnsQuestion& question, std::size_t room);

 private:
  struct Asked {
    std::string client, query;                           ///< the bytes of its socket address; what it asked
    std::size_t server = 0;
    sys::Fd socket;
    std::uint64_t watch = 0;
    std::int64_t sent_ns = 0;
  };
  struct Stream {
    sys::Fd fd;
    std::uint64_t watch = 0;
    std::string in;
  };
  NameServer(EventLoop& loop, KnownNames known) : loop_(loop), known_(std::move(known)) {}
  Result<> listen(const sys::Fd& inside);
  void questions();
  void ask(const std::string& client, std::string query);
  bool send(std::uint64_t number, Asked& asked);
  void answered(std::uint64_t number);
  void accept_one();
  void stream(std::uint64_t number);
  void drop(std::uint64_t number);
  void tick();

  EventLoop& loop_;
  KnownNames known_;
  sys::Fd datagrams_, streams_;
  std::uint64_t datagrams_watch_ = 0, streams_watch_ = 0, tick_ = 0, next_ = 0;
  std::map<std::uint64_t, Asked> asked_;
  std::map<std::uint64_t, Stream> open_;
  std::map<std::uint64_t, std::unique_ptr<BytePump>> pumps_;
};

}  // namespace mica::container
