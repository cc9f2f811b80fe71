#include "registry/request.h"

#include <algorithm>

#include "base/format.h"
#include "base/log.h"
#include "base/text.h"
#include "http/location.h"
#include "registry/bounded_text.h"
#include "registry/limits.h"

namespace mica::registry {
namespace {

using Kind = http::Failure::Kind;

constexpr int kMaxBodyRedirects = 5;
constexpr int kMaxSilent = 1;                    // of connections that time out: two take half a minute, and a third would not help

/// Counts, and knows whether an error was the target's own and not the network's.
class WatchedSink : public stream::Sink {
 public:
  WatchedSink(stream::Sink& to, std::atomic<std::int64_t>& total) : to_(to), total_(total) {}
  Result<> write(std::span<const unsigned char> bytes) override {
    total_ += static_cast<std::int64_t>(bytes.size());
    auto written = to_.write(bytes);
    failed = !written;
    return written;
  }
  bool failed = false;

 private:
  stream::Sink& to_;
  std::atomic<std::int64_t>& total_;
};

class WatchedSource : public stream::Source {
 public:
  WatchedSource(stream::Source& from, std::atomic<std::int64_t>& total) : from_(from), total_(total) {}
  Result<std::size_t> read(std::span<unsigned char> into) override {
    auto count = from_.read(into);
    failed = !count;
    if (count) {
      sent += static_cast<std::int64_t>(*count);
      total_ += static_cast<std::int64_t>(*count);
    }
    return count;
  }
  bool failed = false;
  std::int64_t sent = 0;

 private:
  stream::Source& from_;
  std::atomic<std::int64_t>& total_;
};

/// The quota is gone for hours: asking again only makes it worse.
bool is_used_up(const Reply& reply) { return reply.status == 429 && reply.response.header("ratelimit-remaining").starts_with("0"); }

}  // namespace

Place::Place(Session& session, Endpoint endpoint, std::string reference, Access access)
    : session_(session), endpoint_(std::move(endpoint)), reference_(std::move(reference)) {
  if (!endpoint_.path.empty()) own_.add(format("repository:{}:{}", endpoint_.path, access == Access::push ? "pull,push" : "pull"));
}

std::string Place::name() const { return endpoint_.mirror ? endpoint_.address + " (mirror)" : endpoint_.host; }
std::string Place::shown_path() const { return (endpoint_.mirror ? endpoint_.address : endpoint_.host) + "/" + endpoint_.path; }
std::string Place::what(const Call& call) const { return format("{}: {}", name(), call.doing); }
std::string Place::origin(const std::string& scheme) const { return scheme + "://" + endpoint_.address; }

std::string Place::url_of(const Call& call, const std::string& scheme) const {
  if (!call.url.empty()) return call.url;
  std::string out = origin(scheme) + endpoint_.prefix;
  if (!endpoint_.path.empty()) out += "/" + endpoint_.path;
  out += call.path;
  if (!endpoint_.query.empty()) out += (out.find('?') == out.npos ? "?" : "&") + endpoint_.query;
  return out;
}

bool Place::is_own(const std::string& url) const { return http::same_origin(url, origin("https")) || http::same_origin(url, origin("http")); }

Retry Place::retry() const { return Retry(session_.options, session_.clock, endpoint_.mirror ? 1 : session_.options.attempts); }

std::optional<std::int64_t> Place::wait_asked(const Reply& reply) const {
  return parse_retry_after(reply.response.header("retry-after"), session_.clock.now());
}

Error Place::refusal(const Call& call, const Reply& reply) {
  const bool asks = reply.status == 401 || reply.status == 403 || reply.status == 429;
  const Asker nobody{.looked_up = endpoint_.host};
  return refused({.status = reply.status, .response = reply.response, .body = reply.body, .host = name(), .doing = call.doing},
                 asks ? session_.asker(endpoint_.host, endpoint_.path) : nobody);
}

Result<Place::Authorization> Place::authorize(const std::string& scheme, const Call& call, const task::Cancel& cancel) {
  Authorization out;
  const auto challenge = session_.challenge(origin(scheme));
  if (!challenge) return out;
  const Asker& asker = session_.asker(endpoint_.host, endpoint_.path);
  const Credential& account = asker.account;
  if (challenge->scheme == "basic") {
    if (account.user.empty() || account.password.empty()) return out;
    out.header = "Basic " + base64(account.user + ":" + account.password.reveal());
    out.basic = true;
    return out;
  }
  if (!account.registry_token.empty()) {
    out.header = "Bearer " + account.registry_token.reveal();
    return out;
  }
  out.scopes = own_;
  out.scopes.add(call.more);
  out.scopes.add(*wider_.lock());
  out.question = TokenQuestion{.realm = http::resolve(origin(scheme) + "/", challenge->parameter("realm")),
                               .service = challenge->parameter("service"),
                               .host = asker.looked_up,
                               .account = account,
                               .scopes = out.scopes,
                               .registry_is_https = scheme == "https",
                               .offline = session_.is_login(),
                               .registry_url = origin(scheme),
                               .verify_tls = endpoint_.verify_tls,
                               .ca_file = endpoint_.ca_file,
                               .client_cert = endpoint_.client_cert,
                               .client_key = endpoint_.client_key};
  if (call.courtesy) {
    const auto cached = session_.tokens.cached(*out.question);
    if (!cached) return out;
    out.token = *cached;
  } else {
    out.token = TRY(session_.tokens.find(*out.question, cancel));
  }
  if (session_.is_login()) session_.keep_identity_token(out.token.identity_token);
  out.header = "Bearer " + out.token.value.reveal();
  return out;
}

bool Place::answer_challenge(const Reply& reply, const std::string& scheme, const Authorization& used, bool& renewed, bool& widened) {
  std::vector<Challenge> all;
  for (const auto& [name, value] : reply.response.headers)
    if (name == "www-authenticate")
      for (Challenge& challenge : parse_challenges(value)) all.push_back(std::move(challenge));
  const Challenge* challenge = preferred(all);
  if (!challenge) return false;
  const auto known = session_.challenge(origin(scheme));
  const bool is_new = !known || known->scheme != challenge->scheme || known->parameter("realm") != challenge->parameter("realm") ||
                      known->parameter("service") != challenge->parameter("service");
  session_.remember(origin(scheme), *challenge);
  const Asker& asker = session_.asker(endpoint_.host, endpoint_.path);
  if (challenge->scheme == "basic") return used.header.empty() && !asker.account.user.empty() && !asker.account.password.empty();
  if (used.header.empty()) return true;
  // What is wanted is more than what was asked for: the challenge says so, or its scope is one that nobody has asked for yet.
  const Scopes wanted(challenge->parameter("scope"));
  if (used.question && !widened && !used.scopes.covers(wanted)) {
    widened = true;
    wider_.lock()->add(wanted);
    return true;
  }
  if (reply.status == 403 || renewed) return false;
  // Refused although it was new: the token service grants less than was asked. Unless it is said to be no good at all: revoked meanwhile.
  if (used.question && used.token.fresh && !is_new && challenge->parameter("error") != "invalid_token") return false;
  if (!used.question && !is_new) return false;
  renewed = true;
  if (used.question) session_.tokens.drop(*used.question, used.token.value);
  return true;
}

bool Place::may_change_scheme(const http::Failure& failure, const std::string& scheme, const std::string& url) const {
  // Another thread may have found out meanwhile that it is the other one.
  if (!endpoint_.plain_http || session_.known_scheme(endpoint_.address) == scheme || scheme != endpoint_.scheme) return false;
  if (!http::same_origin(failure.url, url)) return false;   // where a redirect led
  if (!failure.proxy.empty()) return false;
  return failure.kind == Kind::not_tls || failure.kind == Kind::tls || failure.kind == Kind::connect;
}

Attempt Place::send(const Call& call, const std::string& url, const std::string& authorization, bool guess, http::Failure& failure, const task::Cancel& cancel) {
  Attempt out;
  http::Request request{.method = call.method, .url = url, .headers = call.headers};
  if (!authorization.empty()) request.headers.emplace_back("Authorization", authorization);
  request.verify_tls = endpoint_.verify_tls;
  request.ca_file = endpoint_.ca_file;
  request.client_cert = endpoint_.client_cert;
  request.client_key = endpoint_.client_key;
  request.stall_timeout_s = call.courtesy ? kCourtesySeconds : session_.options.stall_timeout_s;
  request.answer_timeout_s = call.answer_timeout_s;
  request.failure = &failure;
  request.on_headers = call.on_headers;
  request.connect_timeout_ms = kConnectMs;
  if (call.courtesy) request.connect_timeout_ms = kCourtesySeconds * 1000;
  else if (guess) request.connect_timeout_ms = http::is_loopback(endpoint_.address) ? kLoopbackConnectMs : kGuessConnectMs;
  else if (endpoint_.mirror) request.connect_timeout_ms = kMirrorConnectMs;

  std::unique_ptr<stream::Source> body;
  std::optional<WatchedSource> source;
  if (call.body) {
    auto opened = call.body();
    if (!opened) {
      out.error = std::move(opened.error());
      return out;
    }
    body = std::move(*opened);
    source.emplace(*body, session_.bytes_sent);
    request.body = &*source;
    request.body_size = call.body_size;
  }
  BoundedText text(call.limit);
  WatchedSink sink(call.sink ? *call.sink : static_cast<stream::Sink&>(text), session_.bytes_received);
  std::string refusal;
  ++session_.requests;
  const std::int64_t start = monotonic_ns();
  auto response = session_.http.run(request, sink, &refusal, cancel);
  if (source) out.sent = source->sent;
  if (!response) {
    const bool ours = sink.failed || (source && source->failed) || failure.kind == Kind::none;
    const bool is_silent = failure.kind == Kind::connect && monotonic_ns() - start > request.connect_timeout_ms * 900'000;
    out.passing = !ours && is_passing(failure.kind) && !(is_silent && ++silent_ > kMaxSilent);
    out.error = ours ? std::move(response.error())
                     : unreachable(std::move(response.error()), failure, endpoint_, session_.hosts.certificate_folders(endpoint_.address));
    return out;
  }
  silent_ = 0;
  session_.note_warnings(*response, name());
  const bool success = response->status >= 200 && response->status < 300;
  out.reply = Reply{.status = response->status, .response = std::move(*response), .body = success ? text.take() : std::move(refusal), .asked_url = url, .sent = out.sent};
  return out;
}

Attempt Place::attempt(const Call& call, const task::Cancel& cancel) {
  bool renewed = false, widened = false;
  int body_redirects = 0;
  std::string redirected;                      // where the body is wanted
  std::string scheme = session_.known_scheme(endpoint_.address);
  if (scheme.empty()) scheme = endpoint_.scheme;
  std::optional<Error> other_scheme;
  while (true) {
    const std::string url = redirected.empty() ? url_of(call, scheme) : redirected;
    const bool own = http::same_origin(url, origin(scheme)) || (!call.url.empty() && redirected.empty() && is_own(url));
    const std::string used_scheme = own && url.starts_with("http:") ? "http" : scheme;
    Authorization authorization;
    if (own) {
      auto found = authorize(used_scheme, call, cancel);
      if (!found) return {.error = std::move(found.error()).doing(call.doing)};
      authorization = std::move(*found);
    }
    http::Failure failure;
    const bool guess = endpoint_.plain_http && session_.known_scheme(endpoint_.address).empty();
    Attempt out = send(call, url, authorization.header, guess, failure, cancel);
    if (out.error) {
      if (own && out.sent == 0 && may_change_scheme(failure, scheme, url)) {
        log::debug("{} does not answer {}: {}", endpoint_.address, scheme, out.error->text());
        scheme = scheme == "https" ? "http" : "https";
        other_scheme = std::move(out.error);
        continue;
      }
      if (other_scheme) out.error = Error(out.error->code(), format("{}; and before: {}", out.error->text(), other_scheme->text()));
      out.error->doing(call.doing);
      return out;
    }
    Reply& reply = *out.reply;
    if (own) session_.remember_scheme(endpoint_.address, used_scheme);
    if (!reply.response.redirect_url.empty() && body_redirects++ < kMaxBodyRedirects) {
      redirected = reply.response.redirect_url;
      continue;
    }
    const bool answered_elsewhere = !http::same_origin(reply.response.final_url, url);
    if (own && !answered_elsewhere && !call.courtesy && (reply.status == 401 || reply.status == 403) && answer_challenge(reply, used_scheme, authorization, renewed, widened)) {
      if (!call.body_once || out.sent == 0) continue;
      out.passing = out.renewed = true;
      return out;
    }
    // A link that was signed for a short time: the registry gives a new one.
    out.passing = (is_passing(reply.status) && !is_used_up(reply)) || (answered_elsewhere && (reply.status == 401 || reply.status == 403));
    return out;
  }
}

Result<Reply> Place::ask(const Call& call, const task::Cancel& cancel) {
  Retry retry = this->retry();
  while (true) {
    Attempt attempt = this->attempt(call, cancel);
    std::optional<std::int64_t> wait;
    if (attempt.reply) {
      if (std::ranges::find(call.expected, attempt.reply->status) != call.expected.end()) return std::move(*attempt.reply);
      attempt.error = refusal(call, *attempt.reply);
      wait = wait_asked(*attempt.reply);
    }
    if (!attempt.passing) return fail(std::move(*attempt.error));
    TRY(retry.again(std::move(*attempt.error), name(), wait, cancel));
  }
}

}  // namespace mica::registry
