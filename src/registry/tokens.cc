#include "registry/tokens.h"

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "base/format.h"
#include "base/guarded.h"
#include "base/log.h"
#include "base/text.h"
#include "http/client.h"
#include "http/location.h"
#include "json/json.h"
#include "registry/bounded_text.h"
#include "registry/client.h"
#include "registry/errors.h"
#include "registry/limits.h"

namespace mica::registry {
namespace {

constexpr std::int64_t kDefaultLifeSeconds = 60;          // "for compatibility with older clients, a token should never last less"
constexpr std::int64_t kMaxLifeSeconds = 30LL * 86'400;
constexpr std::int64_t kMaxMarginMs = 30'000;             // for the time that a request takes until the registry looks at its token
constexpr std::string_view kClientId = "mica";

std::string encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~') out += c;
    else out += format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

class Form {
 public:
  void add(std::string_view name, std::string_view value) { text_ += format("{}{}={}", text_.empty() ? "" : "&", name, encoded(value)); }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string key_of(const TokenQuestion& q) {
  Sha256 hash;
  hash.field(q.realm).field(q.service).field(q.account.user).field(q.account.password.reveal()).field(q.account.identity_token.reveal());
  return hash.field(q.scopes.str()).field(q.offline ? 1u : 0u).finish_hex();
}

/// A realm that the password must not go to. The realm comes from the registry, and the registry may have come over plain HTTP.
Result<> check_realm(const TokenQuestion& q) {
  const std::string realm = http::authority(q.realm);
  if (realm.empty()) return failf(Errc::unsupported, "the token service {} is not an http or https URL", quoted(http::without_query(q.realm)));
  if (q.account.anonymous() || !to_lower(q.realm).starts_with("http:") || !q.registry_is_https) return {};
  return fail(Error(Errc::permission_denied, format("the token service {} would get the password over plain HTTP", http::without_query(q.realm)))
                  .with_hint("the registry itself is asked over https: its configuration names the token service wrongly"));
}

std::string token_text(const json::Value& answer) {
  const std::string text = answer.string_or("token");
  return text.empty() ? answer.string_or("access_token") : text;
}

/// The answer when it holds a token that fits into a header.
std::optional<json::Value> token_of(std::string_view body) {
  auto value = json::parse(body, {.bytes = kMaxTokenBytes, .depth = 50, .values = 100'000});
  if (!value || !value->is_object()) return std::nullopt;
  const std::string text = token_text(*value);
  if (text.empty() || text.find_first_of("\r\n") != text.npos) return std::nullopt;
  return std::move(*value);
}

Error no_token_error(const http::Response& response, std::size_t size) {
  const std::string type = response.header("content-type");
  return Error(Errc::unavailable, format("the answer holds no token ({}, {} bytes)", type.empty() ? "no type" : printable(type, 100), size));
}

}  // namespace

struct Tokens::Entry {
  std::mutex mutex;
  std::condition_variable changed;
  bool fetching = false;
  Token token;
};

struct Tokens::Impl {
  http::Client& http;
  const ClientOptions& options;
  const Clock& clock;
  std::function<void()> count;
  Guarded<std::map<std::string, std::shared_ptr<Entry>>> entries;
  Guarded<std::set<std::string>> no_post;                  // realms that do not know the POST form

  struct Answer {
    int status = 0;
    http::Response response;
    std::string body;
  };

  bool is_good(const Token& token) const { return !token.value.empty() && clock.monotonic_ms() < token.expires_ms; }

  std::shared_ptr<Entry> entry(const TokenQuestion& q) {
    auto map = entries.lock();
    auto& found = (*map)[key_of(q)];
    if (!found) found = std::make_shared<Entry>();
    return found;
  }

  http::Request request_for(const TokenQuestion& q) const {
    http::Request request{.headers = {{"Accept", "application/json"}}, .stall_timeout_s = options.stall_timeout_s};
    // Certificates are the registry's own; of another host the system's authorities decide, but what is switched off for a registry
    // that serves its own tokens is off there too.
    if (http::authority(q.realm).substr(0, http::authority(q.realm).rfind(':')) == http::authority(q.registry_url).substr(0, http::authority(q.registry_url).rfind(':'))) {
      request.verify_tls = q.verify_tls;
      request.client_cert = q.client_cert;
      request.client_key = q.client_key;
    }
    request.ca_file = q.ca_file;
    return request;
  }

  /// One request with its repetitions; any status that is not passing is an answer. `form` empty: GET.
  Result<Answer> ask(http::Request request, const std::string& form, const std::string& doing, const task::Cancel& cancel) {
    Retry retry(options, clock, options.attempts);
    while (true) {
      Answer answer;
      BoundedText text(kMaxTokenBytes);
      stream::MemorySource body(form);
      http::Failure failure;
      request.failure = &failure;
      if (!form.empty()) {
        request.body = &body;
        request.body_size = static_cast<std::int64_t>(form.size());
      }
      count();
      auto response = http.run(request, text, &answer.body, cancel);
      if (response) {
        answer.status = response->status;
        answer.response = std::move(*response);
        if (answer.status >= 200 && answer.status < 300) answer.body = text.take();
        const bool no_token = answer.status >= 200 && answer.status < 300 && !token_of(answer.body);
        if (!is_passing(answer.status) && !no_token) return answer;
        Error why = no_token ? no_token_error(answer.response, answer.body.size()).doing(doing)
                             : refused({.status = answer.status, .response = answer.response, .body = answer.body, .host = "the token service", .doing = doing}, {})
                                   .with_code(Errc::unavailable);
        TRY(retry.again(std::move(why), "token service", parse_retry_after(answer.response.header("retry-after"), clock.now()), cancel));
      } else {
        if (response.error().code() == Errc::cancelled || !is_passing(failure.kind)) return fail(std::move(response.error()).doing(doing));
        TRY(retry.again(std::move(response.error()).doing(doing), "token service", std::nullopt, cancel));
      }
    }
  }

  Result<Token> fetch(const TokenQuestion& q, const task::Cancel& cancel) {
    TRY(check_realm(q));
    const bool by_post = !q.account.identity_token.empty();
    if (by_post && !no_post.lock()->contains(q.realm)) {
      auto answer = TRY(post(q, cancel));
      if (answer.status != 404 && answer.status != 405) return read(q, answer);
      no_post.lock()->insert(q.realm);
    }
    const auto answer = TRY(get(q, cancel));
    return read(q, answer);
  }

  std::string doing(const TokenQuestion& q) const {
    return format("asking token service {} for {}", http::without_query(q.realm), q.scopes.empty() ? "a token" : q.scopes.str());
  }

  Result<Answer> post(const TokenQuestion& q, const task::Cancel& cancel) {
    Form form;
    form.add("grant_type", "refresh_token");
    form.add("service", q.service);
    form.add("client_id", kClientId);
    if (!q.scopes.empty()) form.add("scope", q.scopes.str());
    form.add("refresh_token", q.account.identity_token.reveal());
    auto request = request_for(q);
    request.method = "POST";
    request.url = q.realm;
    request.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
    return ask(std::move(request), form.text(), doing(q), cancel);
  }

  Result<Answer> get(const TokenQuestion& q, const task::Cancel& cancel) {
    Form form;
    const bool with_password = !q.account.user.empty() && !q.account.password.empty();
    if (with_password) form.add("account", q.account.user);
    if (!q.service.empty()) form.add("service", q.service);
    for (const auto& [resource, actions] : q.scopes.by_resource()) form.add("scope", one_scope(resource, actions));
    if (q.offline) {
      form.add("client_id", kClientId);
      form.add("offline_token", "true");
    }
    auto request = request_for(q);
    request.url = q.realm + (form.text().empty() ? "" : (q.realm.find('?') == std::string::npos ? "?" : "&") + form.text());
    if (with_password) request.headers.emplace_back("Authorization", "Basic " + base64(q.account.user + ":" + q.account.password.reveal()));
    return ask(std::move(request), "", doing(q), cancel);
  }

  Result<Token> read(const TokenQuestion& q, const Answer& answer) const {
    if (answer.status < 200 || answer.status >= 300) return fail(denied(q, answer));
    const auto value = token_of(answer.body);
    if (!value) return fail(no_token_error(answer.response, answer.body.size()).doing(doing(q)));
    Token out;
    out.value = Secret(token_text(*value));
    out.identity_token = Secret(value->string_or("refresh_token"));
    std::int64_t life = value->int_or("expires_in", 0);
    if (life <= 0) life = kDefaultLifeSeconds;
    life = std::min(life, kMaxLifeSeconds);
    out.expires_ms = clock.monotonic_ms() + life * 1000 - std::min(kMaxMarginMs, life * 1000 / 4);
    log::debug("token realm={} scope={} life={}s", http::without_query(q.realm), q.scopes.str(), life);
    return out;
  }

  Error denied(const TokenQuestion& q, const Answer& answer) const {
    const bool wrong_account = (answer.status == 401 || answer.status == 403 || (answer.status == 400 && !q.account.identity_token.empty())) && !q.account.anonymous();
    Error error = refused({.status = answer.status, .response = answer.response, .body = answer.body, .host = "the token service", .doing = doing(q)},
                          {.account = q.account, .looked_up = q.host});
    if (!wrong_account || q.offline) return error;
    return std::move(error).with_code(Errc::unauthorized).with_hint(
        format("it does not take the stored credentials ({}), so not even public content is given: `mica login {}` again, or `mica logout {}` to go on anonymously",
               account_words({.account = q.account}), q.host, q.host));
  }
};

Tokens::Tokens(http::Client& http, const ClientOptions& options, const Clock& clock, std::function<void()> count)
    : impl_(new Impl{.http = http, .options = options, .clock = clock, .count = std::move(count)}) {}
Tokens::~Tokens() = default;

Result<Token> Tokens::find(const TokenQuestion& question, task::Cancel cancel) {
  const auto entry = impl_->entry(question);
  std::unique_lock lock(entry->mutex);
  while (entry->fetching) {
    entry->changed.wait_for(lock, std::chrono::milliseconds(100));   // the other's end wakes us; our own cancellation does not
    TRY(cancel.check());
  }
  if (impl_->is_good(entry->token)) return entry->token;
  entry->fetching = true;
  lock.unlock();
  auto fetched = impl_->fetch(question, cancel);
  lock.lock();
  entry->fetching = false;
  entry->token = fetched ? *fetched : Token{};
  entry->changed.notify_all();
  if (fetched) fetched->fresh = true;
  return fetched;
}

std::optional<Token> Tokens::cached(const TokenQuestion& question) {
  const auto entry = impl_->entry(question);
  std::lock_guard lock(entry->mutex);
  return impl_->is_good(entry->token) ? std::optional(entry->token) : std::nullopt;
}

void Tokens::drop(const TokenQuestion& question, const Secret& used) {
  const auto entry = impl_->entry(question);
  std::lock_guard lock(entry->mutex);
  if (entry->token.value.reveal() == used.reveal()) entry->token = {};
}

}  // namespace mica::registry
