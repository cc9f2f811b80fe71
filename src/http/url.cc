#include "http/url.h"

#include "base/format.h"
#include "base/text.h"

namespace mica::http {
namespace {

class Parsed {
 public:
  explicit Parsed(const CurlLibrary& curl) : curl_(curl), url_(curl.url()) {}
  ~Parsed() { curl_.url_cleanup(url_); }
  Parsed(const Parsed&) = delete;
  bool set(const std::string& text) { return url_ && curl_.url_set(url_, CURLUPART_URL, text.c_str(), CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK; }
  std::string part(CURLUPart which) {
    char* text = nullptr;
    if (curl_.url_get(url_, which, &text, CURLU_DEFAULT_PORT) != CURLUE_OK || !text) return {};
    std::string out = to_lower(text);
    curl_.free(text);
    return out;
  }

 private:
  const CurlLibrary& curl_;
  CURLU* url_;
};

}  // namespace

Result<Origin> origin_of(const CurlLibrary& curl, const std::string& url) {
  Parsed parsed(curl);
  if (!parsed.set(url)) return failf(Errc::invalid_argument, "{} is not a URL", quoted(shown(url)));
  Origin out{parsed.part(CURLUPART_SCHEME), parsed.part(CURLUPART_HOST), parsed.part(CURLUPART_PORT)};
  if ((out.scheme != "http" && out.scheme != "https") || out.host.empty())
    return failf(Errc::invalid_argument, "{} is not an http or https URL", quoted(shown(url)));
  return out;
}

bool is_this_machine(const Origin& origin) {
  return origin.host == "localhost" || origin.host.ends_with(".localhost") || origin.host.starts_with("127.") || origin.host == "[::1]";
}

std::string shown(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  const auto scheme = url.find("://");
  if (scheme == url.npos) return std::string(url);
  const auto start = scheme + 3;
  const auto user = url.substr(start, url.find('/', start) - start).rfind('@');
  if (user == url.npos) return std::string(url);
  return std::string(url.substr(0, start)) + std::string(url.substr(start + user + 1));
}

}  // namespace mica::http
