#include "http/server.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <mutex>

#include "base/format.h"
#include "base/log.h"
#include "base/text.h"
#include "http/listen.h"
#include "http/mhd_library.h"

namespace mica::http {
namespace {

/// A body nobody wants is still read when it is no longer than this: who sends it then gets the reply, and keeps the connection.
constexpr std::int64_t kMaxSkippedBytes = 1 << 20;
/// What goes on behind an error in the middle of a body; then the connection is closed.
constexpr std::int64_t kMaxThrownAwayBytes = 64 << 20;
constexpr std::size_t kStreamBlock = 64 << 10;
constexpr std::size_t kBodyBuffer = 128 << 10;     // a connection's memory beside its headers: how much of a body is taken at a time
constexpr std::size_t kThreadStack = 512 << 10;
constexpr int kGraceMs = 3000, kLookMs = 20;
constexpr int kLingerMs = 1000;

/// One request under way; the library carries it from callback to callback.
struct Turn {
  std::string target;
  bool began = false;
  std::unique_ptr<Receiver> receiver;
  bool refused = false;                  // the receiver had an error
  std::int64_t thrown_away = 0;
  std::optional<Reply> reply;
};

}  // namespace

struct Server::Impl {
  const MhdLibrary* mhd = nullptr;
  ServerOptions options;
  Handler handler;
  Listening listening;
  MHD_Daemon* daemon = nullptr;
  std::atomic<int> under_way{0};
  std::mutex mutex;
  std::string last_words;                // of the library, under the mutex

  ~Impl() {
    if (daemon) mhd->stop_daemon(daemon);
    if (!listening.unix_path.empty()) ::unlink(listening.unix_path.c_str());
  }

  MHD_Result queue(MHD_Connection* connection, Reply reply);
  MHD_Result begin(MHD_Connection* connection, Turn& turn, const char* method);
  MHD_Result more(MHD_Connection* connection, Turn& turn, const char* data, std::size_t* size);

  static void* on_target(void* self, const char* uri, MHD_Connection* connection);
  static MHD_Result on_request(void* self, MHD_Connection*, const char* url, const char* method, const char* version, const char* data, std::size_t* size,
                               void** turn);
  static void on_end(void* self, MHD_Connection*, void** turn, MHD_RequestTerminationCode);
  static void on_connection(void* self, MHD_Connection*, void** context, MHD_ConnectionNotificationCode);
  static void on_log(void* self, const char* text, va_list arguments);
};

namespace {

MHD_Result add_header(void* request, MHD_ValueKind, const char* key, const char* value) {
  static_cast<IncomingRequest*>(request)->headers.emplace_back(to_lower(key), value ? value : "");
  return MHD_YES;
}

std::size_t size_of(const IncomingRequest& request) {
  std::size_t bytes = 0;
  for (const auto& [key, value] : request.headers) bytes += key.size() + value.size() + 4;
  return bytes;
}

Reply plain(int status, std::string text) {
  Reply reply{.status = status};
  reply.headers.emplace_back("Content-Type", "text/plain; charset=utf-8");
  reply.body = std::move(text) + "\n";
  return reply;
}

ssize_t read_stream(void* source, std::uint64_t, char* into, std::size_t most) {
  const auto got = static_cast<stream::Source*>(source)->read({reinterpret_cast<unsigned char*>(into), most});
  if (!got) {
    log::debug("a reply broke off: {}", got.error().text());
    return MHD_CONTENT_READER_END_WITH_ERROR;
  }
  return *got == 0 ? MHD_CONTENT_READER_END_OF_STREAM : static_cast<ssize_t>(*got);
}
void free_stream(void* source) { delete static_cast<stream::Source*>(source); }

}  // namespace

MHD_Result Server::Impl::queue(MHD_Connection* connection, Reply reply) {
  MHD_Response* response = nullptr;
  if (reply.file) {
    response = mhd->create_response_from_fd_at_offset64(static_cast<std::uint64_t>(reply.file->length), reply.file->file.get(),
                                                        static_cast<std::uint64_t>(reply.file->offset));
    if (response) (void)reply.file->file.release();
  } else if (reply.stream) {
    response = mhd->create_response_from_callback(MHD_SIZE_UNKNOWN, kStreamBlock, &read_stream, reply.stream.get(), &free_stream);
    if (response) (void)reply.stream.release();
  } else {
    response = mhd->create_response_from_buffer(reply.body.size(), reply.body.data(), MHD_RESPMEM_MUST_COPY);
  }
  if (!response) return MHD_NO;
  for (const auto& [key, value] : reply.headers) (void)mhd->add_response_header(response, key.c_str(), value.c_str());
  const MHD_Result queued = mhd->queue_response(connection, static_cast<unsigned>(reply.status), response);
  mhd->destroy_response(response);
  return queued;
}

MHD_Result Server::Impl::begin(MHD_Connection* connection, Turn& turn, const char* method) {
  turn.began = true;
  IncomingRequest request{.method = method};
  (void)mhd->get_connection_values(connection, MHD_HEADER_KIND, &add_header, &request);
  request.chunked = !request.header("transfer-encoding").empty();
  if (!request.chunked) request.content_length = parse_int(request.header("content-length")).value_or(-1);
  if (turn.target.size() > options.max_header_bytes) {
    turn.reply = plain(414, "the request target is too long");
  } else if (size_of(request) > options.max_header_bytes) {
    turn.reply = plain(431, "the request headers are too long");
  } else if (auto parsed = parse_target(turn.target, request); !parsed) {
    turn.reply = plain(400, parsed.error().text());
  } else {
    Answer answer = handler(request);
    if (auto* receiver = std::get_if<std::unique_ptr<Receiver>>(&answer)) turn.receiver = std::move(*receiver);
    else turn.reply = std::move(std::get<Reply>(answer));
  }
  log::debug("http {} {} -> {}", method, turn.target, turn.reply ? turn.reply->status : 0);
  if (!turn.reply || !request.has_body()) return MHD_YES;
  // Who waits for "100 Continue", or sends much, hears it at once; the connection ends then.
  const bool waits = !request.header("expect").empty();
  if (waits || request.chunked || request.content_length > kMaxSkippedBytes) {
    Reply reply = std::move(*turn.reply);
    return queue(connection, std::move(reply));
  }
  return MHD_YES;
}

MHD_Result Server::Impl::more(MHD_Connection* connection, Turn& turn, const char* data, std::size_t* size) {
  if (*size > 0) {
    if (turn.receiver && !turn.refused) {
      turn.refused = !turn.receiver->take({reinterpret_cast<const unsigned char*>(data), *size}).has_value();
    } else if ((turn.thrown_away += static_cast<std::int64_t>(*size)) > kMaxThrownAwayBytes) {
      return MHD_NO;
    }
    *size = 0;
    return MHD_YES;
  }
  if (turn.receiver) {
    turn.reply = turn.receiver->finish();
    turn.receiver.reset();
    log::debug("http {} -> {}", turn.target, turn.reply->status);
  }
  Reply reply = std::move(*turn.reply);
  return queue(connection, std::move(reply));
}

void* Server::Impl::on_target(void* self, const char* uri, MHD_Connection*) {
  ++static_cast<Impl*>(self)->under_way;
  return new Turn{.target = uri};
}

MHD_Result Server::Impl::on_request(void* self, MHD_Connection* connection, const char*, const char* method, const char*, const char* data, std::size_t* size,
                                    void** turn) {
  auto& impl = *static_cast<Impl*>(self);
  auto& state = *static_cast<Turn*>(*turn);
  return state.began ? impl.more(connection, state, data, size) : impl.begin(connection, state, method);
}

void Server::Impl::on_end(void* self, MHD_Connection*, void** turn, MHD_RequestTerminationCode) {
  if (!*turn) return;
  delete static_cast<Turn*>(*turn);
  *turn = nullptr;
  --static_cast<Impl*>(self)->under_way;
}

/// A socket that is closed while bytes lie in it unread makes the kernel reset the connection, and the peer may lose the reply that it
/// has not read yet. So what still comes is read for a moment, as long as the peer has not closed its side.
void Server::Impl::on_connection(void* self, MHD_Connection* connection, void**, MHD_ConnectionNotificationCode code) {
  const auto& impl = *static_cast<Impl*>(self);
  if (code != MHD_CONNECTION_NOTIFY_CLOSED || !impl.options.certificate.empty()) return;
  const auto* info = impl.mhd->get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  if (!info) return;
  char buffer[16 << 10];
  pollfd wait{.fd = info->connect_fd, .events = POLLIN};
  (void)::shutdown(info->connect_fd, SHUT_WR);
  for (std::int64_t left = kMaxThrownAwayBytes; left > 0 && ::recv(info->connect_fd, buffer, sizeof buffer, MSG_DONTWAIT) > 0;) {
    left -= static_cast<std::int64_t>(sizeof buffer);
    if (::poll(&wait, 1, kLingerMs) <= 0) return;
  }
}

void Server::Impl::on_log(void* self, const char* text, va_list arguments) {
  auto& impl = *static_cast<Impl*>(self);
  char line[512];
  std::vsnprintf(line, sizeof line, text, arguments);
  log::debug("libmicrohttpd: {}", trim(line));
  const std::lock_guard lock(impl.mutex);
  impl.last_words = trim(line);
}

Result<Server> Server::start(ServerOptions options, Handler handler) {
  auto impl = std::make_unique<Impl>();
  impl->mhd = TRY(mhd_library());
  impl->options = std::move(options);
  impl->handler = std::move(handler);
  const bool tls = !impl->options.certificate.empty();
  if (tls && impl->mhd->is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
    return fail(Errc::unsupported, "the installed libmicrohttpd was built without TLS");
  impl->listening = TRY(listen_on(impl->options.address));

  const unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL | MHD_USE_ITC | MHD_USE_ERROR_LOG |
                         (tls ? static_cast<unsigned>(MHD_USE_TLS) : 0u);
  const MHD_OptionItem certificate[] = {
      {MHD_OPTION_HTTPS_MEM_KEY, 0, const_cast<char*>(impl->options.key.c_str())},
      {MHD_OPTION_HTTPS_MEM_CERT, 0, const_cast<char*>(impl->options.certificate.c_str())},
      {MHD_OPTION_END, 0, nullptr},
  };
  const MHD_OptionItem nothing[] = {{MHD_OPTION_END, 0, nullptr}};
  Impl* const self = impl.get();
  const int socket = impl->listening.socket.get();
  impl->daemon = impl->mhd->start_daemon(
      flags, 0, nullptr, nullptr, &Impl::on_request, self, MHD_OPTION_EXTERNAL_LOGGER, &Impl::on_log, self, MHD_OPTION_LISTEN_SOCKET, socket,
      MHD_OPTION_URI_LOG_CALLBACK, &Impl::on_target, self, MHD_OPTION_NOTIFY_COMPLETED, &Impl::on_end, self, MHD_OPTION_NOTIFY_CONNECTION,
      &Impl::on_connection, self, MHD_OPTION_CONNECTION_LIMIT, impl->options.max_connections, MHD_OPTION_CONNECTION_TIMEOUT, impl->options.idle_seconds,
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, impl->options.max_header_bytes + kBodyBuffer, MHD_OPTION_CONNECTION_MEMORY_INCREMENT, kBodyBuffer / 2,
      MHD_OPTION_THREAD_STACK_SIZE, kThreadStack, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY, tls ? certificate : nothing, MHD_OPTION_END);
  if (!impl->daemon) {
    const std::lock_guard lock(impl->mutex);
    if (tls) return failf(Errc::invalid_argument, "TLS does not start with that certificate and key: {}", impl->last_words);
    return failf(Errc::internal, "the HTTP server does not start: {}", impl->last_words);
  }
  (void)impl->listening.socket.release();   // the library closes it
  return Server(std::move(impl));
}

void Server::serve(task::Cancel cancel) {
  pollfd wait{.fd = cancel.fd(), .events = POLLIN};
  while (!cancel.stopped()) (void)::poll(&wait, 1, -1);
  if (const int socket = impl_->mhd->quiesce_daemon(impl_->daemon); socket >= 0) ::close(socket);
  for (int waited = 0; impl_->under_way > 0 && waited < kGraceMs; waited += kLookMs) (void)::poll(nullptr, 0, kLookMs);
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::Server(Server&&) noexcept = default;
Server::~Server() = default;
const std::string& Server::address() const { return impl_->listening.address; }
bool Server::is_loopback() const { return impl_->listening.loopback; }

}  // namespace mica::http
