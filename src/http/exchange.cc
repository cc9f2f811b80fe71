#include "http/exchange.h"

#include <algorithm>
#include <cstdlib>

#include "base/format.h"
#include "base/text.h"
#include "base/time.h"
#include "http/environment.h"
#include "http/failure.h"
#include "http/limits.h"

namespace mica::http {
namespace {

constexpr long kBufferBytes = 256 << 10;          // of libcurl's own, per running request and direction
constexpr int kPollMs = 1000;                     // only a bound: libcurl's timers and the cancel token end a wait earlier
constexpr long kKeepIdleSeconds = 60;             // registries close connections that idle for longer
constexpr long kConnectionsPerHandle = 4;         // a registry, its token service and where it redirects to
#if defined(__aarch64__)
constexpr const char* kUserAgent = "mica/" MICA_VERSION " (linux; arm64)";
#else
constexpr const char* kUserAgent = "mica/" MICA_VERSION " (linux; amd64)";
#endif

bool is_redirect(int status) { return status == 301 || status == 302 || status == 303 || status == 307 || status == 308; }

Errc code_of(CURLcode code) {
  switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR: return Errc::invalid_argument;
    case CURLE_PEER_FAILED_VERIFICATION: return Errc::permission_denied;
    case CURLE_OUT_OF_MEMORY: return Errc::resource_exhausted;
    default: return Errc::unavailable;
  }
}

class Exchange {
 public:
  Exchange(const CurlLibrary& curl, Handle& handle, const Request& request, const Hop& hop, stream::Sink& sink, std::string* error_body,
           const task::Cancel& cancel)
      : curl_(curl), handle_(handle), request_(request), hop_(hop), sink_(sink), error_body_(error_body), cancel_(cancel) {}
  ~Exchange() { curl_.slist_free_all(lines_); }
  Exchange(const Exchange&) = delete;

  Result<Answer> run(CURLSH* share) {
    TRY(set_options(share));
    auto transferred = transfer();
    if (!transferred) return fail(std::move(transferred.error()).doing(format("{} {}", hop_.method, shown(hop_.url))));
    if (const char* to = nullptr; is_redirect(answer_.response.status) &&
                                  curl_.easy_getinfo(handle_.easy, CURLINFO_REDIRECT_URL, &to) == CURLE_OK && to)
      answer_.redirect_url = to;
    return std::move(answer_);
  }

 private:
  template <class Value>
  void set(CURLoption option, Value value) {
    if (curl_.easy_setopt(handle_.easy, option, value) != CURLE_OK && !refused_) refused_ = option;
  }
  /// Options that an older libcurl may not know, and that are not needed for being right.
  template <class Value>
  void set_if_known(CURLoption option, Value value) { curl_.easy_setopt(handle_.easy, option, value); }

  Result<> set_options(CURLSH* share) {
    curl_.easy_reset(handle_.easy);
    set(CURLOPT_URL, hop_.url.c_str());
    set(CURLOPT_SHARE, share);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_NOPROGRESS, 1L);
    set(CURLOPT_ERRORBUFFER, words_);
    set_if_known(CURLOPT_PROTOCOLS_STR, "http,https");   // beside origin_of(), which has refused others
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    set(CURLOPT_USERAGENT, kUserAgent);
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request_.connect_timeout_ms));
    set_if_known(CURLOPT_BUFFERSIZE, kBufferBytes);   // refused while a handle holds its buffer, as after a failed name look-up
    set(CURLOPT_UPLOAD_BUFFERSIZE, kBufferBytes);
    set(CURLOPT_TCP_KEEPALIVE, 1L);
    set(CURLOPT_MAXAGE_CONN, kKeepIdleSeconds);
    set_if_known(CURLOPT_QUICK_EXIT, 1L);   // else a cancelled request waits for the name look-up that it has started
    set(CURLOPT_WRITEFUNCTION, &Exchange::on_body);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_HEADERFUNCTION, &Exchange::on_header);
    set(CURLOPT_HEADERDATA, this);
    TRY(set_method());
    TRY(set_peer());
    for (const auto& [name, value] : hop_.headers) {
      if (value.find_first_of("\r\n") != value.npos) return failf(Errc::invalid_argument, "header {} has more than one line", quoted(name));
      add_line(value.empty() ? name + ";" : name + ": " + value);
    }
    add_line("Expect:");                    // nobody waits for "100 Continue"
    set(CURLOPT_HTTPHEADER, lines_);
    if (refused_) return failf(Errc::unsupported, "the installed libcurl does not know option {}", static_cast<int>(*refused_));
    return {};
  }

  Result<> set_method() {
    const std::string& method = hop_.method;
    if (method == "HEAD") {
      set(CURLOPT_NOBODY, 1L);
    } else if (method == "PUT" || method == "POST" || method == "PATCH") {
      set(CURLOPT_UPLOAD, 1L);
      set(CURLOPT_CUSTOMREQUEST, method.c_str());
      const bool sends = hop_.send_body && request_.body;
      body_left_ = sends ? request_.body_size : 0;
      sends_ = sends;
      set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(body_left_));
      set(CURLOPT_READFUNCTION, &Exchange::on_read);
      set(CURLOPT_READDATA, this);
    } else if (method != "GET") {
      set(CURLOPT_CUSTOMREQUEST, method.c_str());
    }
    return {};
  }

  Result<> set_peer() {
    const Origin origin = TRY(origin_of(curl_, hop_.url));
    handle_.last = origin;
    if (const auto proxy = proxy_for(origin)) set(CURLOPT_PROXY, proxy->c_str());
    if (origin.scheme != "https") return {};
    if (!request_.verify_tls) {
      set(CURLOPT_SSL_VERIFYPEER, 0L);
      set(CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (!request_.ca_file.empty()) {
      const std::string text = TRY(certificates_with(curl_, request_.ca_file));
      curl_blob blob{const_cast<char*>(text.data()), text.size(), CURL_BLOB_COPY};
      set(CURLOPT_CAINFO_BLOB, &blob);
    } else if (const char* file = std::getenv("SSL_CERT_FILE"); file && *file) {
      set(CURLOPT_CAINFO, file);
    }
    if (const char* folder = std::getenv("SSL_CERT_DIR"); folder && *folder) set(CURLOPT_CAPATH, folder);
    if (!request_.client_cert.empty()) set(CURLOPT_SSLCERT, request_.client_cert.c_str());
    if (!request_.client_key.empty()) set(CURLOPT_SSLKEY, request_.client_key.c_str());
    return {};
  }

  void add_line(const std::string& line) { lines_ = curl_.slist_append(lines_, line.c_str()); }

  Result<> transfer() {
    if (curl_.multi_add_handle(handle_.multi, handle_.easy) != CURLM_OK) return fail(Errc::internal, "libcurl does not take the request");
    auto waited = wait();
    if (stalled_) note_failure(Failure::Kind::stalled);
    CURLcode code = CURLE_OK;
    int left = 0;
    while (const CURLMsg* message = curl_.multi_info_read(handle_.multi, &left))
      if (message->msg == CURLMSG_DONE) code = message->data.result;
    curl_.multi_remove_handle(handle_.multi, handle_.easy);
    TRY(std::move(waited));
    return outcome(code);
  }

  /// Our own stall clock, not libcurl's low-speed one: that one also runs while a callback waits for the disk, and knows no longer
  /// patience for an answer than for bytes.
  Result<> check_stall() {
    curl_off_t sent = 0, received = 0;
    curl_.easy_getinfo(handle_.easy, CURLINFO_SIZE_UPLOAD_T, &sent);
    curl_.easy_getinfo(handle_.easy, CURLINFO_SIZE_DOWNLOAD_T, &received);
    const std::int64_t moved = sent + received + static_cast<std::int64_t>(header_bytes_);
    if (moved != moved_ || calls_ != calls_seen_) {
      moved_ = moved;
      calls_seen_ = calls_;
      quiet_since_ = monotonic_ns();
      return {};
    }
    const bool answer_awaited = !headers_done_ && header_bytes_ == 0 && (!sends_ || body_given_);
    const std::int64_t limit = answer_awaited && request_.answer_timeout_s > 0 ? request_.answer_timeout_s : request_.stall_timeout_s;
    if (monotonic_ns() - quiet_since_ < limit * 1'000'000'000) return {};
    stalled_ = true;
    return failf(Errc::unavailable, "no byte came or went for {} s", limit);
  }

  Result<> wait() {
    quiet_since_ = monotonic_ns();
    while (true) {
      int running = 0;
      CURLMcode code = curl_.multi_perform(handle_.multi, &running);
      if (code == CURLM_OK && running == 0) return {};
      TRY(cancel_.check());
      TRY(check_stall());
      curl_waitfd stop{cancel_.fd(), CURL_WAIT_POLLIN, 0};
      if (code == CURLM_OK) code = curl_.multi_poll(handle_.multi, &stop, stop.fd >= 0 ? 1 : 0, kPollMs, nullptr);
      if (code != CURLM_OK) return failf(Errc::internal, "waiting for the network: {}", curl_.multi_strerror(code));
    }
  }

  Result<> outcome(CURLcode code) {
    if (failure_) return fail(std::move(*failure_));
    if (code == CURLE_OK || has_enough_) return {};
    // A refusal often comes with a connection that is closed in the middle of something: what counts is the refusal.
    if (headers_done_ && answer_.response.status >= 300) return {};
    const std::string text = words_[0] ? words_ : curl_.easy_strerror(code);
    note_failure(failure_kind(curl_, handle_.easy, code, text, answer_.response.status), text, code);
    Error error(code_of(code), text);
    if (code == CURLE_PEER_FAILED_VERIFICATION)
      return fail(std::move(error).with_hint("the server's certificate is not trusted: add its CA's certificate, or switch verification off for it"));
    return fail(std::move(error));
  }

  void note_failure(Failure::Kind kind, std::string_view words = {}, CURLcode code = CURLE_OK) {
    if (!request_.failure) return;
    *request_.failure = {.kind = kind, .url = hop_.url};
    if (kind == Failure::Kind::connect) request_.failure->proxy = unreachable_proxy(curl_, hop_.url, words);
    const bool cut_off = kind == Failure::Kind::broken && (code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR) && header_bytes_ == 0 && hop_.url.starts_with("https:");
    if (cut_off && request_.client_cert.empty() && asks_for_certificate(curl_, request_, hop_.url)) request_.failure->kind = Failure::Kind::client_certificate;
    if (is_about_certificate(kind)) read_certificate(curl_, request_, *request_.failure);
  }

  bool keeps_body() const { return answer_.response.status >= 200 && answer_.response.status < 300; }
  bool is_passed_over() const { return hop_.follow && is_redirect(answer_.response.status) && !answer_.response.header("location").empty(); }

  /// For callbacks: false ends the transfer with the error.
  bool check(Result<> result) {
    if (!result) failure_ = std::move(result.error());
    return result.has_value();
  }

  Result<> take_header(std::string_view line) {
    header_bytes_ += line.size();
    if (header_bytes_ > kMaxHeaderBytes) return fail(Errc::unavailable, "the server's headers have no end");
    Response& response = answer_.response;
    if (line.starts_with("HTTP/")) {
      // A new response: what came before was interim (1xx).
      const auto words = split_blanks(line);
      response = {.status = static_cast<int>(words.size() > 1 ? parse_int(words[1]).value_or(0) : 0), .final_url = hop_.url};
      headers_done_ = false;
      return {};
    }
    if (headers_done_) return {};   // trailers
    const std::string_view text = trim(line);
    if (text.empty()) return end_headers();
    if (auto pair = split_once(text, ':')) response.headers.emplace_back(to_lower(trim(pair->first)), std::string(trim(pair->second)));
    return {};
  }

  Result<> end_headers() {
    if (answer_.response.status < 200) return {};
    headers_done_ = true;
    if (request_.on_headers && !is_passed_over()) return request_.on_headers(answer_.response);
    return {};
  }

  Result<> take_body(std::span<const unsigned char> bytes) {
    TRY(cancel_.check());
    ++calls_;
    if (keeps_body()) return sink_.write(bytes);
    ignored_bytes_ += bytes.size();
    if (error_body_ && !is_passed_over()) {
      const auto room = kMaxErrorBytes - std::min(error_body_->size(), kMaxErrorBytes);
      error_body_->append(reinterpret_cast<const char*>(bytes.data()), std::min(room, bytes.size()));
    }
    has_enough_ = ignored_bytes_ > kMaxIgnoredBytes;
    return {};
  }

  Result<std::size_t> give_body(std::span<unsigned char> room) {
    TRY(cancel_.check());
    if (body_left_ >= 0 && static_cast<std::uint64_t>(body_left_) < room.size()) room = room.first(static_cast<std::size_t>(body_left_));
    if (room.empty()) {
      body_given_ = true;
      return 0;
    }
    answer_.body_touched = true;
    const std::size_t count = TRY(request_.body->read(room));
    ++calls_;
    if (count == 0 && body_left_ > 0) return failf(Errc::corrupt, "what is sent ends {} bytes before its announced size", body_left_);
    if (body_left_ > 0) body_left_ -= static_cast<std::int64_t>(count);
    body_given_ = count == 0 || body_left_ == 0;
    return count;
  }

  static std::size_t on_header(char* bytes, std::size_t, std::size_t count, void* self) {
    return static_cast<Exchange*>(self)->check(static_cast<Exchange*>(self)->take_header({bytes, count})) ? count : 0;
  }
  static std::size_t on_body(char* bytes, std::size_t, std::size_t count, void* self) {
    auto& exchange = *static_cast<Exchange*>(self);
    const bool taken = exchange.check(exchange.take_body({reinterpret_cast<unsigned char*>(bytes), count}));
    return taken && !exchange.has_enough_ ? count : 0;
  }
  static std::size_t on_read(char* bytes, std::size_t size, std::size_t count, void* self) {
    auto& exchange = *static_cast<Exchange*>(self);
    auto given = exchange.give_body({reinterpret_cast<unsigned char*>(bytes), size * count});
    if (given) return *given;
    exchange.failure_ = std::move(given.error());
    return CURL_READFUNC_ABORT;
  }

  const CurlLibrary& curl_;
  Handle& handle_;
  const Request& request_;
  const Hop& hop_;
  stream::Sink& sink_;
  std::string* error_body_;
  const task::Cancel& cancel_;

  curl_slist* lines_ = nullptr;
  char words_[CURL_ERROR_SIZE] = {};
  std::optional<CURLoption> refused_;
  std::optional<Error> failure_;       // of a callback
  Answer answer_;
  std::int64_t body_left_ = 0;         // -1: unknown
  bool sends_ = false, body_given_ = false;
  std::int64_t quiet_since_ = 0, moved_ = -1;
  std::uint64_t calls_ = 0, calls_seen_ = 0;   // of sink and source, whose time is not the network's
  bool stalled_ = false;
  std::size_t header_bytes_ = 0, ignored_bytes_ = 0;
  bool headers_done_ = false, has_enough_ = false;
};

}  // namespace

Handle::Handle(const CurlLibrary& curl, CURLSH* share) : easy(curl.easy_init()), multi(curl.multi_init()), curl_(curl) {
  if (!easy || !multi) return;
  curl.easy_setopt(easy, CURLOPT_SHARE, share);
  curl.multi_setopt(multi, CURLMOPT_MAXCONNECTS, kConnectionsPerHandle);
}

Handle::~Handle() {
  if (easy) curl_.easy_cleanup(easy);
  if (multi) curl_.multi_cleanup(multi);
}

Result<Answer> exchange(const CurlLibrary& curl, Handle& handle, CURLSH* share, const Request& request, const Hop& hop, stream::Sink& sink,
                        std::string* error_body, const task::Cancel& cancel) {
  return Exchange(curl, handle, request, hop, sink, error_body, cancel).run(share);
}

}  // namespace mica::http
