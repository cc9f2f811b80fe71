#include "http/environment.h"

#include <cstdlib>

#include "base/format.h"
#include "base/text.h"
#include "sys/fd.h"

namespace mica::http {
namespace {

constexpr std::size_t kMaxBundleBytes = 16 << 20;
constexpr const char* kSystemBundles[] = {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem",
                                          "/etc/ssl/ca-bundle.pem"};
constexpr std::string_view kBegin = "-----BEGIN";

bool is_set(const char* name) {
  const char* value = std::getenv(name);
  return value && *value;
}

std::string system_certificates(const CurlLibrary& curl) {
  if (const char* file = std::getenv("SSL_CERT_FILE"); file && *file) return sys::read_file(file, kMaxBundleBytes).value_or("");
  const curl_version_info_data* info = curl.version_info(CURLVERSION_NOW);
  if (info && info->age >= CURLVERSION_SEVENTH && info->cainfo)
    if (auto text = sys::read_file(info->cainfo, kMaxBundleBytes)) return *text;
  for (const char* file : kSystemBundles)
    if (auto text = sys::read_file(file, kMaxBundleBytes)) return *text;
  return {};
}

/// "host:port" entries, which Go's programs know and libcurl does not.
bool is_excepted_with_port(const Origin& origin) {
  const char* list = std::getenv("no_proxy");
  if (!list || !*list) list = std::getenv("NO_PROXY");
  if (!list) return false;
  const std::string wanted = origin.host + ":" + origin.port;
  const std::string entries = replace_all(to_lower(list), " ", ",");
  for (const std::string_view entry : split(entries, ','))
    if (entry == wanted || (entry.starts_with('.') && entry.find(':') != entry.npos && wanted.ends_with(entry))) return true;
  return false;
}

}  // namespace

Result<std::string> certificates_with(const CurlLibrary& curl, const std::string& extra_file) {
  auto extra = sys::read_file(extra_file, kMaxBundleBytes);
  if (!extra) return fail(std::move(extra.error()).doing("reading CA certificates").with_code(Errc::invalid_argument));
  if (extra->find(kBegin) == std::string::npos) return failf(Errc::invalid_argument, "{} holds no PEM certificate", quoted(extra_file));
  return system_certificates(curl) + "\n" + *extra;
}

std::optional<std::string> proxy_for(const Origin& origin) {
  if (is_this_machine(origin) || is_excepted_with_port(origin)) return "";
  if (origin.scheme == "http" && is_set("HTTP_PROXY") && !std::getenv("http_proxy") && !is_set("REQUEST_METHOD")) return std::getenv("HTTP_PROXY");
  return std::nullopt;
}

}  // namespace mica::http
