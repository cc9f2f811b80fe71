#include "http/client.h"

#include <algorithm>
#include <mutex>

#include "base/format.h"
#include "base/guarded.h"
#include "base/log.h"
#include "base/text.h"
#include "http/curl_library.h"
#include "http/exchange.h"
#include "http/limits.h"

namespace mica::http {
namespace {

/// Name look-ups and TLS sessions that all handles share. Connections are not among them: libcurl does not allow that for threads.
class Share {
 public:
  explicit Share(const CurlLibrary& curl) : curl_(curl), share_(curl.share_init()) {
    curl.share_setopt(share_, CURLSHOPT_LOCKFUNC, &Share::lock);
    curl.share_setopt(share_, CURLSHOPT_UNLOCKFUNC, &Share::unlock);
    curl.share_setopt(share_, CURLSHOPT_USERDATA, this);
    curl.share_setopt(share_, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
    curl.share_setopt(share_, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
  }
  ~Share() { curl_.share_cleanup(share_); }
  Share(const Share&) = delete;
  CURLSH* get() { return share_; }

 private:
  static void lock(CURL*, curl_lock_data data, curl_lock_access, void* self) { static_cast<Share*>(self)->mutexes_[data].lock(); }
  static void unlock(CURL*, curl_lock_data data, void* self) { static_cast<Share*>(self)->mutexes_[data].unlock(); }

  const CurlLibrary& curl_;
  std::array<std::mutex, CURL_LOCK_DATA_LAST> mutexes_;
  CURLSH* share_;
};

bool is_credential(std::string_view name) {
  return equals_ignoring_case(name, "authorization") || equals_ignoring_case(name, "cookie") || equals_ignoring_case(name, "proxy-authorization");
}
bool is_about_body(std::string_view name) { return to_lower(name).starts_with("content-"); }

/// RFC 9110, 15.4: what the next request is. False when it needs the body again and that is gone.
bool follow(const Answer& answer, Hop& hop) {
  const int status = answer.response.status;
  if ((status == 303 && hop.method != "HEAD") || ((status == 301 || status == 302) && hop.method == "POST")) {
    hop.method = "GET";
    hop.send_body = false;
    std::erase_if(hop.headers, [](const auto& header) { return is_about_body(header.first); });
  } else if (hop.send_body && answer.body_touched) {
    return false;
  }
  hop.url = answer.redirect_url;
  return true;
}

}  // namespace

struct Client::Impl {
  Result<const CurlLibrary*> prepare() {
    const CurlLibrary* curl = TRY(curl_library());
    std::call_once(once, [&] { share = std::make_unique<Share>(*curl); });
    return curl;
  }

  /// The idle handle that has talked to `origin`, else any, else a new one.
  Result<std::unique_ptr<Handle>> take(const CurlLibrary& curl, const Origin& origin) {
    auto pool = idle.lock();
    auto found = std::find_if(pool->rbegin(), pool->rend(), [&](const auto& handle) { return handle->last == origin; });
    if (found != pool->rend()) {
      auto out = std::move(*found);
      pool->erase(std::next(found).base());
      return out;
    }
    if (pool->size() >= kMaxIdleHandles) {
      auto out = std::move(pool->front());
      pool->erase(pool->begin());
      return out;
    }
    auto out = std::make_unique<Handle>(curl, share->get());
    if (!out->easy || !out->multi) return fail(Errc::resource_exhausted, "libcurl has no memory or no files left");
    return out;
  }
  void give_back(std::unique_ptr<Handle> handle) {
    auto pool = idle.lock();
    if (pool->size() < kMaxIdleHandles) pool->push_back(std::move(handle));
  }

  std::once_flag once;
  std::unique_ptr<Share> share;                           // outlives the handles
  Guarded<std::vector<std::unique_ptr<Handle>>> idle;     // the newest last
};

std::string Response::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (key == name) return value;
  return {};
}

Client::Client() : impl_(std::make_unique<Impl>()) {}
Client::~Client() = default;

Result<Response> Client::run(const Request& request, stream::Sink& sink, std::string* error_body, task::Cancel cancel) {
  TRY(cancel.check());
  const CurlLibrary* curl = TRY(impl_->prepare());
  Hop hop{.method = request.method, .url = request.url, .headers = request.headers, .send_body = request.body != nullptr};
  Origin origin = TRY(origin_of(*curl, hop.url));
  for (int redirects = 0;; ++redirects) {
    hop.follow = redirects < request.max_redirects;
    auto handle = TRY(impl_->take(*curl, origin));
    auto answer = exchange(*curl, *handle, impl_->share->get(), request, hop, sink, error_body, cancel);
    impl_->give_back(std::move(handle));
    if (!answer) return fail(std::move(answer.error()));
    log::debug("http {} {} status={}", hop.method, shown(hop.url), answer->response.status);
    if (answer->redirect_url.empty() || request.max_redirects <= 0) return std::move(answer->response);
    if (!hop.follow) return failf(Errc::unavailable, "{} {}: more than {} redirects", request.method, shown(request.url), request.max_redirects);
    if (!follow(*answer, hop)) {
      answer->response.redirect_url = answer->redirect_url;
      return std::move(answer->response);
    }
    auto next = origin_of(*curl, hop.url);
    if (!next) return failf(Errc::unsupported, "{} redirects to {}, which is not http or https", shown(answer->response.final_url), quoted(shown(hop.url)));
    if (*next != origin) std::erase_if(hop.headers, [](const auto& header) { return is_credential(header.first); });
    origin = std::move(*next);
  }
}

}  // namespace mica::http
