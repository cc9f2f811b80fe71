#include "container/name_server.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <random>

#include "base/format.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "container/network_records.h"
#include "container/socket_address.h"
#include "runtime/firewall.h"

namespace mica::container {

namespace {

constexpr int kPort = 53, kBacklog = 16, kQuestionsAtOnce = 32;
constexpr std::size_t kMaxMessage = 64 << 10, kMaxAsked = 512, kMaxStreams = 64;
constexpr std::int64_t kPatienceNs = 2'000'000'000;      // then the next server

std::vector<runtime::FirewallRule> redirect(const char* protocol, int port) {
  return {{false, true, "nat", "OUTPUT", format("-d {} -p {} -m {} --dport {} -j DNAT --to-destination {}:{}", kNameServerAddress, protocol, protocol, kPort, kNameServerAddress, port)},
          {false, true, "nat", "POSTROUTING", format("-s {} -p {} -m {} --sport {} -j SNAT --to-source :{}", kNameServerAddress, protocol, protocol, port, kPort)}};
}

/// Whether `asked` is one of the record's names, with or without the network's behind it.
bool is_called(const EndpointRecord& record, std::string_view asked, std::string_view network) {
  return std::ranges::any_of(record.names, [&](const std::string& name) {
    const std::string lower = to_lower(name);
    return asked == lower || (asked.size() == lower.size() + 1 + network.size() && asked.starts_with(lower) && asked[lower.size()] == '.' && asked.ends_with(network));
  });
}

Result<sys::Fd> listening(EventLoop& loop, const sys::Fd& inside, int type) {
  auto socket = TRY(loop.socket_in(inside, AF_INET, type));
  const auto at = socket_address(kNameServerAddress, 0);
  if (::bind(socket.get(), at.pointer(), at.size()) != 0 || (type == SOCK_STREAM && ::listen(socket.get(), kBacklog) != 0)) return fail_errno("starting the container's name server");
  return socket;
}

int port_of(const sys::Fd& socket) {
  SocketAddress at;
  return ::getsockname(socket.get(), at.pointer(), at.size_pointer()) == 0 ? at.port() : 0;
}

}  // namespace

Result<std::unique_ptr<NameServer>> NameServer::start(EventLoop& loop, const sys::Fd& inside, KnownNames known) {
  std::unique_ptr<NameServer> server(new NameServer(loop, std::move(known)));
  Result<> listens;
  loop.run([&] { listens = server->listen(inside); });
  TRY(std::move(listens));
  auto rules = redirect("udp", port_of(server->datagrams_));
  for (auto& rule : redirect("tcp", port_of(server->streams_))) rules.push_back(std::move(rule));
  TRY_DOING(runtime::add_rules(inside, rules), "sending the container's name queries to its name server");
  return server;
}

Result<> NameServer::listen(const sys::Fd& inside) {
  datagrams_ = TRY(listening(loop_, inside, SOCK_DGRAM));
  streams_ = TRY(listening(loop_, inside, SOCK_STREAM));
  datagrams_watch_ = loop_.watch(datagrams_.get(), EPOLLIN, [this](std::uint32_t) { questions(); });
  streams_watch_ = loop_.watch(streams_.get(), EPOLLIN, [this](std::uint32_t) { accept_one(); });
  tick_ = loop_.every_second([this] { tick(); });
  return {};
}

NameServer::~NameServer() {
  loop_.run([this] {
    for (const auto watch : {datagrams_watch_, streams_watch_, tick_}) loop_.forget(watch);
    for (auto& [number, asked] : asked_) loop_.forget(asked.watch);
    for (auto& [number, stream] : open_) loop_.forget(stream.watch);
    pumps_.clear();
  });
}

void NameServer::update(KnownNames known) {
  loop_.run([&] { known_ = std::move(known); });
}

std::string NameServer::answer(const KnownNames& known, std::string_view query, const DnsQuestion& question, std::size_t room) {
  const auto reverse = question.type == kTypePtr ? reverse_address(question.name) : std::nullopt;
  const auto link = std::ranges::find_if(known.links, [&](const auto& one) { return to_lower(one.first) == question.name; });
  std::vector<runtime::IpAddress> addresses;
  bool found = false;
  for (const auto& network : known.networks) {
    for (const auto& record : live_records(network.folder)) {
      const auto v4 = runtime::IpAddress::parse(record.ipv4), v6 = runtime::IpAddress::parse(record.ipv6);
      if (reverse && ((v4 && *v4 == *reverse) || (v6 && *v6 == *reverse))) return dns_pointer(query, question, record.name + "." + network.name);
      const bool linked = link != known.links.end() && (record.name == link->second || record.container.starts_with(link->second));
      if (!linked && !is_called(record, question.name, to_lower(network.name))) continue;
      found = true;
      if (question.type == kTypeA && v4) addresses.push_back(*v4);
      if (question.type == kTypeAaaa && v6) addresses.push_back(*v6);
    }
    if (found) break;   // networks are asked in their order, as Docker does
  }
  if (found) {
    static thread_local std::minstd_rand order{std::random_device{}()};
    std::ranges::shuffle(addresses, order);
    return dns_answer(query, question, kNoError, addresses, room);
  }
  // A name without a dot is none of the outside's; but search domains may be behind it, so that only the last server may say so.
  if (known.servers.empty()) return dns_answer(query, question, kRefused, {}, room);
  return {};
}

void NameServer::questions() {
  static thread_local std::string bytes(kMaxMessage, '\0');
  for (int i = 0; i < kQuestionsAtOnce; ++i) {
    SocketAddress from;
    const ssize_t n = ::recvfrom(datagrams_.get(), bytes.data(), bytes.size(), 0, from.pointer(), from.size_pointer());
    if (n < 0) return;
    const std::string_view query(bytes.data(), static_cast<std::size_t>(n));
    const auto question = parse_question(query);
    const std::string own = question ? answer(known_, query, *question, question->room) : "";
    if (!own.empty()) ::sendto(datagrams_.get(), own.data(), own.size(), MSG_NOSIGNAL, from.pointer(), from.size());
    else ask(from.key(), std::string(query));
  }
}

void NameServer::ask(const std::string& client, std::string query) {
  if (asked_.size() >= kMaxAsked) drop(asked_.begin()->first);
  const std::uint64_t number = ++next_;
  auto& asked = asked_[number];
  asked.client = client;
  asked.query = std::move(query);
  if (!send(number, asked)) drop(number);
}

/// A socket a question, from this process's own namespace: the kernel then lets nobody else answer.
bool NameServer::send(std::uint64_t number, Asked& asked) {
  for (; asked.server < known_.servers.size(); ++asked.server) {
    if (asked.watch) loop_.forget(asked.watch);
    asked.watch = 0;
    const auto at = socket_address(known_.servers[asked.server], kPort);
    asked.socket = sys::Fd(::socket(at.family(), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!asked.socket || ::connect(asked.socket.get(), at.pointer(), at.size()) != 0) continue;
    if (::send(asked.socket.get(), asked.query.data(), asked.query.size(), MSG_NOSIGNAL) < 0) continue;
    asked.sent_ns = monotonic_ns();
    asked.watch = loop_.watch(asked.socket.get(), EPOLLIN, [this, number](std::uint32_t) { answered(number); });
    return true;
  }
  if (const auto question = parse_question(asked.query)) {
    const std::string sorry = dns_answer(asked.query, *question, kServerFailure, {}, 0);
    ::sendto(datagrams_.get(), sorry.data(), sorry.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(asked.client.data()), static_cast<socklen_t>(asked.client.size()));
  }
  return false;
}

void NameServer::answered(std::uint64_t number) {
  static thread_local std::string bytes(kMaxMessage, '\0');
  const auto found = asked_.find(number);
  if (found == asked_.end()) return;
  auto& asked = found->second;
  const ssize_t n = ::recv(asked.socket.get(), bytes.data(), bytes.size(), 0);
  if (n < 0) {
    if (errno == EAGAIN || errno == EINTR) return;
    ++asked.server;   // nobody listens there
    if (!send(number, asked)) drop(number);
    return;
  }
  ::sendto(datagrams_.get(), bytes.data(), static_cast<std::size_t>(n), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(asked.client.data()), static_cast<socklen_t>(asked.client.size()));
  drop(number);
}

void NameServer::drop(std::uint64_t number) {
  if (const auto found = asked_.find(number); found != asked_.end()) {
    loop_.forget(found->second.watch);
    asked_.erase(found);
  }
  if (const auto found = open_.find(number); found != open_.end()) {
    loop_.forget(found->second.watch);
    open_.erase(found);
  }
}

void NameServer::tick() {
  const std::int64_t least = monotonic_ns() - kPatienceNs;
  std::vector<std::uint64_t> late;
  for (const auto& [number, asked] : asked_)
    if (asked.sent_ns < least) late.push_back(number);
  for (const auto number : late) {
    auto& asked = asked_[number];
    ++asked.server;
    if (!send(number, asked)) drop(number);
  }
}

void NameServer::accept_one() {
  sys::Fd client(::accept4(streams_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!client || open_.size() >= kMaxStreams) return;
  const std::uint64_t number = ++next_;
  auto& one = open_[number];
  one.fd = std::move(client);
  one.watch = loop_.watch(one.fd.get(), EPOLLIN, [this, number](std::uint32_t) { stream(number); });
}

/// Messages with their length before them (RFC 1035, 4.2.2). The first that we cannot answer goes to the outside, and with it the connection.
void NameServer::stream(std::uint64_t number) {
  char bytes[4096];
  auto& one = open_[number];
  const ssize_t n = ::recv(one.fd.get(), bytes, sizeof bytes, 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) return drop(number);
  one.in.append(bytes, static_cast<std::size_t>(n));
  for (;;) {
    if (one.in.size() < 2) return;
    const std::size_t length = static_cast<std::size_t>(static_cast<unsigned char>(one.in[0])) << 8 | static_cast<unsigned char>(one.in[1]);
    if (one.in.size() < 2 + length) return;
    const std::string query = one.in.substr(2, length);
    const auto question = parse_question(query);
    std::string own = question ? answer(known_, query, *question, 0) : "";
    if (own.empty()) break;
    own.insert(0, {static_cast<char>(own.size() >> 8), static_cast<char>(own.size())});
    if (::send(one.fd.get(), own.data(), own.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(own.size())) return drop(number);
    one.in.erase(0, 2 + length);
  }
  auto to = known_.servers.empty() ? Result<sys::Fd>(fail(Errc::unavailable, "no name server")) : connect_in(loop_, {}, known_.servers[0], kPort);
  if (!to) return drop(number);
  loop_.forget(one.watch);
  sys::Fd client = std::move(one.fd);
  std::string first = std::move(one.in);
  open_.erase(number);
  pumps_[number] = std::make_unique<BytePump>(loop_, std::move(client), std::move(*to), std::move(first), [this, number] { pumps_.erase(number); });
}

}  // namespace mica::container
