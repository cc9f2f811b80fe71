#include "engine/download.h"

#include <fcntl.h>
#include <time.h>

#include "base/format.h"
#include "base/text.h"

namespace mica::engine {
namespace {

/// RFC 9110, "Date/Time Formats": the one form that servers may send today.
std::optional<Timestamp> http_date(const std::string& text) {
  struct tm parts {};
  const char* end = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (!end || *end) return std::nullopt;
  return Timestamp::from_seconds(::timegm(&parts));
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1; };
    if (text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0) {
      out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string name_in(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  const auto host = url.find("://");
  if (host != url.npos) url.remove_prefix(host + 3);
  const auto slash = url.rfind('/');
  if (slash == url.npos) return {};
  const std::string name = percent_decoded(url.substr(slash + 1));
  return name.find('/') == name.npos && name != ".." && name != "." ? name : std::string();
}

Errc code_of(int status) {
  if (status == 404 || status == 410) return Errc::not_found;
  if (status == 401 || status == 403) return Errc::unauthorized;
  return Errc::unavailable;
}

}  // namespace

build::Downloader downloader(Engine& engine) {
  return [&engine](const build::DownloadRequest& wanted, task::Cancel cancel) -> Result<build::Download> {
    TRY(sys::make_directories(wanted.into_folder));
    build::Download download{.path = wanted.into_folder + "/download-" + random_hex(8), .name = name_in(wanted.url)};
    auto file = TRY(sys::open(download.path, O_CREAT | O_EXCL | O_WRONLY, 0600));
    stream::FdSink sink(std::move(file));
    http::Request request{.url = wanted.url};
    if (!wanted.authorization.empty()) request.headers.emplace_back("Authorization", wanted.authorization.reveal());
    const auto response = TRY_DOING(engine.http().run(request, sink, nullptr, cancel), format("downloading {}", wanted.url));
    if (response.status / 100 != 2) return failf(code_of(response.status), "downloading {}: the server answered {}", wanted.url, response.status);
    download.last_modified = http_date(response.header("last-modified"));
    download.etag = response.header("etag");
    return download;
  };
}

}  // namespace mica::engine
